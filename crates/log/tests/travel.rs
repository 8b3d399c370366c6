//! Appends travel through consensus as DAG-CBOR and must arrive as they left.
#![allow(clippy::unwrap_used)] // a failure is a panic

mod common;

use bytes::Bytes;
use std::collections::BTreeMap;
use stead_event::body::{Ext, LogSealed, ObjectPut};
use stead_event::{Body, EventId, Ipld, NodeId, Tenant, Timestamp, Via, cids};
use stead_log::{Append, Appended, Draft, Expect, LogPoint, Outcome, Precondition, Rejection};

fn round<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let bytes = serde_ipld_dagcbor::to_vec(value).unwrap();
    assert_eq!(&serde_ipld_dagcbor::from_slice::<T>(&bytes).unwrap(), value);
}

fn bodies() -> Vec<Body> {
    let cid = cids::raw(b"x");
    let put = ObjectPut {
        stripes: None,
        encryption: None,
        acl: Vec::new(),
        hold: false,
        owner: None,
        retention: None,
        bucket: "b".into(),
        checksum: None,
        cid,
        etag: "e".into(),
        headers: BTreeMap::new(),
        key: "k".into(),
        metadata: BTreeMap::new(),
        parts: vec![],
        size: u64::MAX,
        source: None,
        tags: [("/".into(), "slash".into())].into(),
        upload: None,
        via: Via::default(),
    };
    let sealed = LogSealed {
        cid,
        first: 1,
        head: cid,
        last: 2,
        node: NodeId("n".into()),
        signature: "s".into(),
        signed_at: Timestamp::from_micros(5),
        size: 3,
        tenant: Tenant::main(),
    };
    let body = Ipld::List(vec![
        Ipld::Link(cid),
        Ipld::Bytes(vec![1, 2]),
        Ipld::Null,
        Ipld::Float(0.5),
    ]);
    vec![
        put.into(),
        sealed.into(),
        Ext {
            body,
            owner: "web".into(),
            version: 3,
        }
        .into(),
    ]
}

#[test]
fn appends_outcomes_and_points() {
    let id = EventId::new(7, [7; 10]);
    let (b, k) = (|| "b".to_owned(), || "k".to_owned());
    let object = |expect| Precondition::Object {
        bucket: b(),
        key: k(),
        expect,
    };
    let require = vec![
        Precondition::BucketExists(b()),
        Precondition::BucketAbsent(b()),
        Precondition::BucketEmpty(b()),
        object(Expect::Absent),
        object(Expect::Present),
        object(Expect::ETag("e".into())),
        object(Expect::Event(id)),
        Precondition::VersionExists {
            bucket: b(),
            key: k(),
            version: "null".into(),
        },
        Precondition::UploadOpen {
            bucket: b(),
            key: k(),
            upload: "u".into(),
        },
        Precondition::UploadParts {
            upload: "u".into(),
            parts: vec![(1, "e".into()), (10_000, "f".into())],
        },
        Precondition::KeyAbsent(k()),
        Precondition::KeyActive(k()),
        Precondition::LogAt(u64::MAX),
        Precondition::SegmentUnsealed {
            tenant: Tenant::main(),
            first: 1,
        },
    ];
    for failed in &require {
        let outcome: Outcome = Err(Rejection(failed.clone()));
        round(&outcome);
    }
    round::<Outcome>(&Ok(Appended { first: 1, last: 2 }));
    let drafts = bodies().into_iter().zip([None, Some((id, id)), None]);
    let events = drafts
        .map(|(body, cause)| Draft {
            body,
            cause,
            ..common::draft(1, "a")
        })
        .collect();
    let blocks = vec![
        (cids::raw(b"bytes"), Bytes::from_static(b"bytes")),
        (cids::dag_pb(b""), Bytes::new()),
    ];
    let append = Append {
        node: None,
        tenant: Tenant::system(),
        require,
        events,
        blocks,
    };
    append.check().unwrap();
    round(&append);
    round(&vec![append]);
    round(&LogPoint::default());
    let dir = tempfile::tempdir().unwrap();
    common::write(dir.path(), 2, 100).iter().for_each(round);
}
