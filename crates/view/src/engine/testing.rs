//! An engine and appends for tests.

use crate::{Engine, EngineOptions, Views};
use bytes::Bytes;
use std::path::Path;
use stead_block::{LocalOptions, LocalStore};
use stead_event::body::BucketCreated;
use stead_event::{EventId, NodeId, Principal, Tenant, Timestamp, Via};
use stead_log::{Append, Committed, Draft, Marker, Tail};
use stead_runtime::{Space, Tasks};

/// An engine with small segments, of a node whose name is `node` many times.
pub fn open(data: &Path, node: &str) -> (Engine, Views, Tail) {
    let space = Space::new(data, 0);
    let [blocks, state] = ["blocks", "state"].map(|name| data.join(name));
    let store = LocalStore::open(&blocks, &state, LocalOptions::default(), space.clone()).unwrap();
    let options = EngineOptions {
        data: data.to_owned(),
        node: NodeId(node.repeat(32)),
        cache_bytes: 1 << 20,
        rotate_bytes: 4096,
        space,
        tasks: Tasks::new(),
    };
    Engine::open(options, store).unwrap()
}

/// The entry that makes a bucket.
pub fn create(number: u8) -> Committed {
    let draft = Draft {
        actor: Principal("ana".into()),
        at: Timestamp::from_micros(i64::from(number)),
        body: BucketCreated {
            owner: None,
            bucket: format!("bucket{number}"),
            via: Via::default(),
        }
        .into(),
        cause: None,
        id: EventId::new(u64::from(number), [number; 10]),
    };
    Committed {
        term: 0,
        marker: marker(number.into()),
        appends: vec![Append {
            node: Some(NodeId("aa".repeat(32))),
            tenant: Tenant::main(),
            require: Vec::new(),
            events: vec![draft],
            blocks: Vec::new(),
        }],
    }
}

/// A driver's marker.
pub fn marker(index: u64) -> Marker {
    Marker {
        index,
        driver: Bytes::from_static(b"driver"),
    }
}
