//! Objects encrypted with the node's key and with keys of their owners, through the real engine and block store.
#![allow(clippy::unwrap_used)] // in tests

mod common;

use common::{Node, frames, noise};
use futures::StreamExt;
use stead_event::TextMap;
use stead_event::body::KeyHolder;
use stead_gateway::objects::{
    ByteRange, CompleteRequest, CompletedPart, CopyRequest, CustomerKey, ENCRYPTION, Lock, ObjectError,
    PartRequest, Protect, PutDone, PutRequest, StartRequest, Verify,
};

const MIB: usize = 1 << 20;

fn key(byte: u8) -> CustomerKey {
    CustomerKey::new([byte; 32])
}

async fn put(node: &Node, name: &str, bytes: &[u8], protect: Protect) -> PutDone {
    let request = PutRequest {
        protect,
        ..node.put_request("bucket", name)
    };
    node.objects
        .put(request, frames(bytes, 60_000), Verify::default())
        .await
        .unwrap()
}

async fn read(
    node: &Node,
    name: &str,
    range: Option<ByteRange>,
    key: Option<&CustomerKey>,
) -> Result<Vec<u8>, ObjectError> {
    let record = node.objects.head(&node.request("bucket", name))?;
    let mut body = node.objects.body_with(&record, range, key).await?.body;
    let mut all = Vec::new();
    while let Some(bytes) = body.next().await {
        all.extend_from_slice(&bytes?);
    }
    Ok(all)
}

fn copy(node: &Node, from: &str, to: &str) -> CopyRequest {
    CopyRequest {
        source_bucket: "bucket".into(),
        source_key: from.into(),
        source_version: None,
        source_at: None,
        source_etag: None,
        bucket: "bucket".into(),
        key: to.into(),
        metadata: None,
        tags: None,
        lock: Lock::default(),
        protect: Protect::AsBucket,
        source_customer_key: None,
        expect: None,
        caller: node.caller(),
    }
}

#[tokio::test]
async fn bytes_are_stored_encrypted_and_read_back_in_any_range() {
    let node = Node::with_bucket("bucket").await;
    for size in [0, 1, 30_000, 70_000, 3 * MIB + 7] {
        let bytes = noise(size, size as u64);
        let plain = put(&node, "plain", &bytes, Protect::AsBucket).await;
        for (protect, key) in [(Protect::Node, None), (Protect::Customer(key(1)), Some(key(1)))] {
            let done = put(&node, "k", &bytes, protect).await;
            assert_eq!((&done.etag, done.checksum), (&plain.etag, plain.checksum.clone()));
            assert_eq!(
                done.cid == plain.cid,
                size == 0,
                "what is stored is something else"
            );
            assert!(read(&node, "k", None, key.as_ref()).await.unwrap() == bytes);
            for start in [0, 5, 65_535, MIB - 1, MIB, 2 * MIB + 3] {
                let end = (start + 100_000).min(size);
                if start < end {
                    let range = ByteRange::From(start as u64, Some(end as u64 - 1));
                    let part = read(&node, "k", Some(range), key.as_ref()).await.unwrap();
                    assert!(part == bytes[start..end], "{start}..{end} of {size}");
                }
            }
        }
    }
}

#[tokio::test]
async fn without_the_right_key_nothing_is_read() {
    let node = Node::with_bucket("bucket").await;
    put(&node, "own", b"secret", Protect::Customer(key(1))).await;
    put(&node, "node", b"secret", Protect::Node).await;
    put(&node, "plain", b"public", Protect::AsBucket).await;
    let wrong = read(&node, "own", None, Some(&key(2))).await;
    assert!(matches!(wrong, Err(ObjectError::WrongKey)));
    let none = read(&node, "own", None, None).await;
    assert!(matches!(none, Err(ObjectError::KeyNeeded)));
    for name in ["node", "plain"] {
        let needless = read(&node, name, None, Some(&key(1))).await;
        assert!(matches!(needless, Err(ObjectError::NotEncrypted)), "{name}");
    }
    let copied = node.objects.copy(copy(&node, "own", "copy")).await;
    assert!(matches!(copied, Err(ObjectError::KeyNeeded)));
}

#[tokio::test]
async fn a_bucket_can_encrypt_what_does_not_ask() {
    let node = Node::with_bucket("bucket").await;
    node.objects
        .configure_bucket("bucket", ENCRYPTION, Some("{}".into()), node.caller())
        .await
        .unwrap();
    let done = node.put("bucket", "k", b"secret").await;
    assert_eq!(done.encrypted, Some(KeyHolder::Node));
    assert_eq!(node.get("bucket", "k", None).await.unwrap(), b"secret");
}

#[tokio::test]
async fn copies_change_keys() {
    let node = Node::with_bucket("bucket").await;
    let bytes = noise(2 * MIB + 5, 3);
    put(&node, "a", &bytes, Protect::Customer(key(1))).await;
    let again = CopyRequest {
        protect: Protect::Customer(key(2)),
        source_customer_key: Some(key(1)),
        ..copy(&node, "a", "b")
    };
    let done = node.objects.copy(again).await.unwrap();
    assert_eq!(done.encrypted, Some(KeyHolder::Customer));
    assert!(read(&node, "b", None, Some(&key(2))).await.unwrap() == bytes);
    let plain = CopyRequest {
        source_customer_key: Some(key(2)),
        ..copy(&node, "b", "c")
    };
    assert_eq!(node.objects.copy(plain).await.unwrap().encrypted, None);
    assert!(read(&node, "c", None, None).await.unwrap() == bytes);
    let own = |from, to| CopyRequest {
        protect: Protect::Node,
        ..copy(&node, from, to)
    };
    let first = node.objects.copy(own("c", "d")).await.unwrap();
    let second = node.objects.copy(own("d", "e")).await.unwrap();
    assert_eq!(first.cid, second.cid, "no byte moves between objects of one key");
    assert!(read(&node, "e", None, None).await.unwrap() == bytes);
}

#[tokio::test]
async fn every_part_is_a_run_of_its_own() {
    let node = Node::with_bucket("bucket").await;
    for (protect, key) in [(Protect::Node, None), (Protect::Customer(key(1)), Some(key(1)))] {
        let request = StartRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            headers: TextMap::new(),
            metadata: TextMap::new(),
            tags: TextMap::new(),
            lock: Lock::default(),
            protect,
            checksum_algorithm: None,
            checksum_composite: None,
            caller: node.caller(),
        };
        let (upload, holder) = node.objects.start_upload(request).await.unwrap();
        assert!(holder.is_some());
        let bytes = noise(12 * MIB + 9, 4);
        let mut parts = Vec::new();
        for (number, content) in (1..).zip(bytes.chunks(6 * MIB - 11)) {
            let part = |customer_key| PartRequest {
                bucket: "bucket".into(),
                key: "k".into(),
                upload: upload.clone(),
                number,
                customer_key,
                caller: node.caller(),
            };
            let wrong = match &key {
                Some(_) => [None, Some(CustomerKey::new([9; 32]))].to_vec(),
                None => vec![Some(CustomerKey::new([9; 32]))],
            };
            for wrong in wrong {
                let refused = node
                    .objects
                    .put_part(part(wrong), frames(content, 300_000), Verify::default())
                    .await;
                assert!(refused.is_err());
            }
            let done = node
                .objects
                .put_part(part(key.clone()), frames(content, 300_000), Verify::default())
                .await
                .unwrap();
            parts.push(CompletedPart {
                number,
                etag: done.etag,
                checksum: None,
            });
        }
        let complete = CompleteRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            upload,
            parts,
            checksum: None,
            size: None,
            expect: None,
            caller: node.caller(),
        };
        node.objects.complete_upload(complete).await.unwrap();
        assert!(read(&node, "k", None, key.as_ref()).await.unwrap() == bytes);
        let range = ByteRange::From(6 * MIB as u64 - 100, Some(6 * MIB as u64 + 100));
        let part = read(&node, "k", Some(range), key.as_ref()).await.unwrap();
        assert!(part == bytes[6 * MIB - 100..=6 * MIB + 100]);
    }
}
