//! An engine in a directory of its own, driven as a driver would.
#![allow(dead_code, missing_docs, clippy::unwrap_used)] // each test file uses another part

use bytes::Bytes;
use std::path::{Path, PathBuf};
use stead_block::{LocalOptions, LocalStore};
use stead_event::body::{
    BucketConfigured, BucketCreated, BucketDeleted, BucketVersioned, ObjectDeleted, ObjectPut, ObjectTagged,
    UploadAborted, UploadPart, UploadStarted, Versioning,
};
use stead_event::{Body, EventId, NodeId, Position, Principal, Tenant, TextMap, Timestamp, Via, cids};
use stead_log::{Append, Appended, Committed, Draft, Machine, Marker, Outcome, Precondition};
use stead_runtime::{Space, Tasks};
use stead_view::{Engine, EngineOptions, Views};

pub const EPOCH: i64 = 1_800_000_000_000_000;

/// Seconds behind the first moment of all tests.
pub fn moment(secs: i64) -> Timestamp {
    Timestamp::from_micros(EPOCH).plus_secs(secs)
}

pub fn id(number: u64) -> EventId {
    EventId::new(1_800_000_000_000 + number, [7; 10])
}

pub fn via() -> Via {
    Via {
        protocol: "test".into(),
        remote: Some("127.0.0.1:9".into()),
        ..Via::default()
    }
}

pub fn create(bucket: &str) -> Body {
    BucketCreated {
        owner: None,
        bucket: bucket.into(),
        via: via(),
    }
    .into()
}

pub fn drop_bucket(bucket: &str) -> Body {
    BucketDeleted {
        bucket: bucket.into(),
        via: via(),
    }
    .into()
}

pub fn versioned(bucket: &str, state: Versioning) -> Body {
    BucketVersioned {
        bucket: bucket.into(),
        state,
        via: via(),
    }
    .into()
}

pub fn configured(bucket: &str, name: &str, document: Option<&str>) -> Body {
    let document = document.map(str::to_owned);
    BucketConfigured {
        bucket: bucket.into(),
        name: name.into(),
        document,
        via: via(),
    }
    .into()
}

pub fn object(bucket: &str, key: &str, content: &str) -> ObjectPut {
    ObjectPut {
        stripes: None,
        encryption: None,
        acl: Vec::new(),
        hold: false,
        owner: None,
        retention: None,
        bucket: bucket.into(),
        checksum: None,
        cid: cids::raw(content.as_bytes()),
        etag: format!("etag-{content}"),
        headers: [("content-type".to_owned(), "text/plain".to_owned())].into(),
        key: key.into(),
        metadata: TextMap::new(),
        parts: Vec::new(),
        size: content.len() as u64,
        source: None,
        tags: TextMap::new(),
        upload: None,
        via: via(),
    }
}

pub fn put(bucket: &str, key: &str, content: &str) -> Body {
    object(bucket, key, content).into()
}

pub fn delete(bucket: &str, key: &str, version: Option<&str>) -> Body {
    let version = version.map(str::to_owned);
    ObjectDeleted {
        bypass: false,
        bucket: bucket.into(),
        key: key.into(),
        version,
        via: via(),
    }
    .into()
}

pub fn tag(bucket: &str, key: &str, version: Option<&str>, value: &str) -> Body {
    let tags = [("colour".to_owned(), value.to_owned())].into();
    let version = version.map(str::to_owned);
    ObjectTagged {
        bucket: bucket.into(),
        key: key.into(),
        tags,
        version,
        via: via(),
    }
    .into()
}

pub fn start_upload(bucket: &str, key: &str) -> Body {
    UploadStarted {
        encryption: None,
        acl: Vec::new(),
        hold: false,
        owner: None,
        retention: None,
        bucket: bucket.into(),
        checksum_algorithm: None,
        checksum_type: None,
        headers: TextMap::new(),
        key: key.into(),
        metadata: TextMap::new(),
        tags: TextMap::new(),
        via: via(),
    }
    .into()
}

pub fn part(bucket: &str, key: &str, upload: &EventId, number: u32, content: &str) -> Body {
    UploadPart {
        stripes: None,
        salt: None,
        bucket: bucket.into(),
        checksum: None,
        cid: cids::raw(content.as_bytes()),
        etag: format!("etag-{content}"),
        key: key.into(),
        number,
        size: content.len() as u64,
        upload: upload.to_string(),
        via: via(),
    }
    .into()
}

pub fn abort(bucket: &str, key: &str, upload: &EventId) -> Body {
    UploadAborted {
        bucket: bucket.into(),
        key: key.into(),
        upload: upload.to_string(),
        via: via(),
    }
    .into()
}

/// A node without consensus.
pub struct Node {
    pub engine: Engine,
    pub views: Views,
    pub data: PathBuf,
    /// Every entry ever applied, as the write-ahead log would keep them.
    pub entries: Vec<Committed>,
    next_id: u64,
}

pub fn store(data: &Path) -> LocalStore {
    let options = LocalOptions {
        pack_bytes: 1 << 20,
        cache_bytes: 1 << 20,
        ..LocalOptions::default()
    };
    LocalStore::open(
        &data.join("blocks"),
        &data.join("state"),
        options,
        Space::new(data, 0),
    )
    .unwrap()
}

pub fn options(data: &Path) -> EngineOptions {
    EngineOptions {
        data: data.to_owned(),
        node: NodeId("00".repeat(32)),
        cache_bytes: 4 << 20,
        rotate_bytes: 4096,
        space: Space::new(data, 0),
        tasks: Tasks::new(),
    }
}

impl Node {
    pub fn open(data: &Path) -> Self {
        Self::open_with(options(data))
    }

    pub fn open_with(options: EngineOptions) -> Self {
        std::fs::create_dir_all(&options.data).unwrap();
        let data = options.data.clone();
        let (engine, views, _) = Engine::open(options, store(&data)).unwrap();
        Self {
            engine,
            views,
            data,
            entries: Vec::new(),
            next_id: 1,
        }
    }

    /// Opens and replays what `entries` hold behind the durable marker.
    pub fn recover(data: &Path, entries: &[Committed]) -> Self {
        let mut node = Self::open(data);
        let durable = node.engine.applied().index as usize;
        assert!(durable <= entries.len());
        if durable < entries.len() {
            node.engine.apply(entries[durable..].to_vec()).unwrap();
        }
        node.entries = entries.to_vec();
        node.next_id = 1_000_000;
        node
    }

    pub fn draft(&mut self, body: Body) -> Draft {
        let number = self.next_id;
        self.next_id += 1;
        let at = moment(number as i64);
        Draft {
            actor: Principal("ana".into()),
            at,
            body,
            cause: None,
            id: id(number),
        }
    }

    pub fn batch(&mut self, appends: Vec<Append>) -> Vec<Outcome> {
        let index = self.entries.len() as u64 + 1;
        let marker = Marker {
            index,
            driver: Bytes::from(index.to_string()),
        };
        let entry = Committed {
            marker,
            term: 0,
            appends,
        };
        self.entries.push(entry.clone());
        self.engine.apply(vec![entry]).unwrap().remove(0)
    }

    pub fn compose(&mut self, require: Vec<Precondition>, bodies: Vec<Body>) -> Append {
        let events = bodies.into_iter().map(|body| self.draft(body)).collect();
        Append {
            node: None,
            tenant: Tenant::main(),
            require,
            events,
            blocks: Vec::new(),
        }
    }

    pub fn try_append(&mut self, require: Vec<Precondition>, bodies: Vec<Body>) -> Outcome {
        let append = self.compose(require, bodies);
        self.batch(vec![append]).remove(0)
    }

    /// Appends one event; answers its id and position.
    pub fn append(&mut self, body: Body) -> (EventId, Position) {
        let id = id(self.next_id);
        let Appended { last, .. } = self.try_append(Vec::new(), vec![body]).unwrap();
        (id, last)
    }

    pub fn head(&self) -> Position {
        self.views.position(&Tenant::main())
    }

    /// A copy of the directory as it would be after a kill at this moment.
    pub fn copy_as_killed(&self, to: &Path) {
        copy_tree(&self.data, to);
    }

    /// All lines of the main tenant.
    pub fn lines(&self) -> Vec<u8> {
        lines(&self.data)
    }
}

pub fn lines(data: &Path) -> Vec<u8> {
    let directory = data.join("log/main");
    let mut files: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    files
        .iter()
        .flat_map(|file| std::fs::read(file).unwrap())
        .collect()
}

pub fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
