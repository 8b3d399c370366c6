//! A node without consensus in a temporary directory.
#![allow(dead_code)] // each test uses a part

use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::sync::Arc;
use stead_block::{LocalOptions, LocalStore};
use stead_event::{NodeId, Tenant, TextMap, Via};
use stead_gateway::context::Parts;
use stead_gateway::objects::{
    BodyError, ByteRange, GetRequest, Lock, ObjectError, PutDone, PutRequest, Verify,
};
use stead_gateway::{Caller, Identity, Limits, Metrics, Objects, ReadContext, SecretBox, WriteContext};
use stead_log::Log;
use stead_log::memory::MemoryLog;
use stead_runtime::{Clock, Rng, Space, Tasks};
use stead_view::{Engine, EngineOptions};

pub struct Node {
    pub objects: Objects,
    pub who: Arc<Identity>,
    _dir: tempfile::TempDir,
}

impl Node {
    pub fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub fn with_limits(limits: Limits) -> Self {
        Self::with_log(limits, |log| Arc::new(log))
    }

    /// On a log that does something beside.
    pub fn with_log(limits: Limits, log: impl FnOnce(MemoryLog<Engine>) -> Arc<dyn Log>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (space, tasks) = (Space::new(dir.path(), 0), Tasks::new());
        let state = dir.path().join("state");
        let options = LocalOptions {
            tasks: tasks.clone(),
            ..LocalOptions::default()
        };
        let store = LocalStore::open(&dir.path().join("blocks"), &state, options, space.clone()).unwrap();
        let node = NodeId("0".repeat(64));
        let options = EngineOptions {
            data: dir.path().to_owned(),
            node: node.clone(),
            cache_bytes: 8 << 20,
            rotate_bytes: 64 << 20,
            space: space.clone(),
            tasks: tasks.clone(),
        };
        let (engine, views, tail) = Engine::open(options, store.clone()).unwrap();
        let read = ReadContext::new(Parts {
            tenant: Tenant::main(),
            node,
            views,
            tail,
            store,
            clock: Clock::system(),
            rng: Rng::system(),
            tasks,
            space,
            metrics: Metrics::new(),
            secrets: SecretBox::new([7; 32]),
            limits,
        });
        let context = WriteContext::new(read, log(MemoryLog::new(engine)));
        Self {
            objects: Objects::new(context),
            who: Identity::local("ana"),
            _dir: dir,
        }
    }

    pub async fn with_bucket(bucket: &str) -> Self {
        let node = Self::new();
        node.objects.create_bucket(bucket, node.caller()).await.unwrap();
        node
    }

    pub fn caller(&self) -> Caller {
        Caller::new(
            self.who.clone(),
            Via {
                protocol: "test".into(),
                ..Via::default()
            },
        )
    }

    pub fn position(&self) -> u64 {
        self.objects.context().views.position(&Tenant::main())
    }

    pub fn put_request(&self, bucket: &str, key: &str) -> PutRequest {
        PutRequest {
            protect: stead_gateway::objects::Protect::AsBucket,
            bucket: bucket.into(),
            key: key.into(),
            headers: TextMap::new(),
            metadata: TextMap::new(),
            tags: TextMap::new(),
            lock: Lock::default(),
            expect: None,
            caller: self.caller(),
        }
    }

    pub async fn put(&self, bucket: &str, key: &str, bytes: &[u8]) -> PutDone {
        let verify = Verify {
            content_length: Some(bytes.len() as u64),
            ..Verify::default()
        };
        self.objects
            .put(self.put_request(bucket, key), frames(bytes, 60_000), verify)
            .await
            .unwrap()
    }

    pub fn request<'a>(&'a self, bucket: &'a str, key: &'a str) -> GetRequest<'a> {
        GetRequest {
            who: &self.who,
            bucket,
            key,
            version: None,
            at: None,
            range: None,
        }
    }

    pub async fn get(
        &self,
        bucket: &str,
        key: &str,
        range: Option<ByteRange>,
    ) -> Result<Vec<u8>, ObjectError> {
        let (_, opened) = self
            .objects
            .get(&GetRequest {
                range,
                ..self.request(bucket, key)
            })
            .await?;
        let expected = opened.range.end - opened.range.start;
        assert_eq!(opened.body.remaining(), expected);
        let mut body = opened.body;
        let mut bytes = Vec::new();
        while let Some(frame) = body.next().await {
            bytes.extend_from_slice(&frame?);
        }
        assert_eq!(bytes.len() as u64, expected);
        Ok(bytes)
    }
}

/// A body in frames of `size` bytes.
pub fn frames(bytes: &[u8], size: usize) -> impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static {
    let frames: Vec<_> = bytes
        .chunks(size)
        .map(|frame| Ok(Bytes::copy_from_slice(frame)))
        .collect();
    futures::stream::iter(frames)
}

/// Bytes that do not repeat within a chunk.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Rng::seeded(seed).fill(&mut bytes);
    bytes
}
