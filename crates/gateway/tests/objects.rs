//! Objects through the real engine and block store: what goes in comes out, and what is wrong stays out.
#![allow(clippy::unwrap_used)] // in tests

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use common::{Node, frames, noise};
use proptest::prelude::*;
use stead_event::body::Versioning;
use stead_gateway::objects::{
    Algorithm, BodyError, ByteRange, ChecksumSpec, CopyRequest, DeleteRequest, DeleteTarget, Expect,
    GetRequest, Lock, ObjectError, PutRequest, TagRequest, Verify,
};

const MIB: usize = 1 << 20;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn lengths() -> impl Strategy<Value = usize> {
    prop_oneof![
        0_usize..40_000,
        60_000_usize..70_000,
        70_000_usize..400_000,
        (0_usize..4, -2_isize..3).prop_map(|(mib, off)| (mib * MIB).saturating_add_signed(off)),
        0_usize..4 * MIB,
    ]
}

fn ranges() -> impl Strategy<Value = ByteRange> {
    let any = 0_u64..(4 * MIB) as u64;
    prop_oneof![
        (any.clone(), any.clone()).prop_map(|(a, b)| ByteRange::From(a.min(b), Some(a.max(b)))),
        any.clone().prop_map(|from| ByteRange::From(from, None)),
        any.prop_map(ByteRange::Last),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_in_comes_out(
        length in lengths(),
        frame in 1_usize..200_000,
        announced in any::<bool>(),
        seed in any::<u64>(),
        ranges in prop::collection::vec(ranges(), 4),
    ) {
        runtime().block_on(async {
            let node = Node::with_bucket("bucket").await;
            let bytes = noise(length, seed);
            let verify = Verify { content_length: announced.then_some(length as u64), ..Verify::default() };
            let body = frames(&bytes, frame.max(length / 500));
            let done = node.objects.put(node.put_request("bucket", "key"), body, verify).await.unwrap();
            assert_eq!(done.size, length as u64);
            let whole = node.get("bucket", "key", None).await.unwrap();
            assert!(whole == bytes, "{length} bytes changed");
            for range in ranges {
                let got = node.get("bucket", "key", Some(range)).await;
                match range.resolve(length as u64) {
                    Ok(range) => assert!(got.unwrap() == bytes[range.start as usize..range.end as usize]),
                    Err(_) => assert!(matches!(got, Err(ObjectError::Range { .. }))),
                }
            }
        });
    }
}

#[tokio::test]
async fn etag_cid_and_checksum_are_the_known_ones() {
    let node = Node::with_bucket("bucket").await;
    let done = node.put("bucket", "k", b"123456789").await;
    assert_eq!(done.etag, "25f9e794323b453885f5181f1b624d0b");
    assert_eq!(done.cid, stead_event::cids::raw(b"123456789"));
    let crc = BASE64.encode(hex::decode("ae8b14860a799888").unwrap());
    assert_eq!(done.checksum.unwrap().value, crc);
    assert_eq!(done.version, None);
    let empty = node.put("bucket", "empty", b"").await;
    assert_eq!(
        empty.cid.to_string(),
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
    );
    assert!(node.get("bucket", "empty", None).await.unwrap().is_empty());
}

#[tokio::test]
async fn nothing_is_stored_when_a_claim_is_false() {
    let node = Node::with_bucket("bucket").await;
    let before = node.position();
    for length in [10, 30_000, 300_000, 3 * MIB] {
        let bytes = noise(length, 1);
        let crc = Algorithm::Crc32c;
        let zeros = BASE64.encode([0; 4]);
        let trailer = |value: Option<String>| ChecksumSpec::Trailer(crc, Box::new(move || value));
        let verifies = [
            Verify {
                md5: Some([0; 16]),
                ..Verify::default()
            },
            Verify {
                sha256: Some([0; 32]),
                ..Verify::default()
            },
            Verify {
                content_length: Some(length as u64 + 1),
                ..Verify::default()
            },
            Verify {
                content_length: Some(length as u64 - 1),
                ..Verify::default()
            },
            Verify {
                checksum: ChecksumSpec::Expect(crc, zeros.clone()),
                ..Verify::default()
            },
            Verify {
                checksum: ChecksumSpec::Expect(crc, "nonsense".into()),
                ..Verify::default()
            },
            Verify {
                checksum: trailer(Some(zeros)),
                ..Verify::default()
            },
            Verify {
                checksum: trailer(None),
                ..Verify::default()
            },
        ];
        for verify in verifies {
            let what = format!("{verify:?}");
            let put = node
                .objects
                .put(node.put_request("bucket", "k"), frames(&bytes, 50_000), verify)
                .await;
            assert!(put.is_err(), "{length}: {what}");
        }
    }
    assert_eq!(node.position(), before);
    let head = node.objects.head(&node.request("bucket", "k"));
    assert!(matches!(head, Err(ObjectError::NoSuchKey { .. })));
}

#[tokio::test]
async fn a_body_that_breaks_leaves_nothing() {
    let node = Node::with_bucket("bucket").await;
    let before = node.position();
    for good in [0, 1, 40] {
        let frames = (0..good).map(|_| Ok(Bytes::from(vec![1; 100_000])));
        let broken = frames.chain([Err(BodyError::Interrupted("gone".into()))]);
        let body = futures::stream::iter(broken.collect::<Vec<_>>());
        let put = node
            .objects
            .put(node.put_request("bucket", "k"), body, Verify::default())
            .await;
        assert!(
            matches!(put, Err(ObjectError::Body(BodyError::Interrupted(_)))),
            "{good}"
        );
    }
    assert_eq!(node.position(), before);
}

#[tokio::test]
async fn names_limits_and_missing_things_have_their_errors() {
    let node = Node::with_bucket("bucket").await;
    let put = |request: PutRequest| node.objects.put(request, frames(b"x", 1), Verify::default());
    let nowhere = put(node.put_request("nowhere", "k")).await;
    assert!(matches!(nowhere, Err(ObjectError::NoSuchBucket(_))));
    let climbing = put(node.put_request("bucket", "../k")).await;
    assert!(matches!(climbing, Err(ObjectError::KeyName { .. })));
    let mut chatty = node.put_request("bucket", "k");
    chatty.metadata.insert("a".into(), "b".repeat(3000));
    assert!(matches!(put(chatty).await, Err(ObjectError::TooLarge { .. })));
    let missing = node.get("nowhere", "k", None).await;
    assert!(matches!(missing, Err(ObjectError::NoSuchBucket(_))));
    let again = node.objects.create_bucket("bucket", node.caller()).await;
    assert!(matches!(again, Err(ObjectError::BucketExists(_))));
    let bad = node.objects.create_bucket("Bucket", node.caller()).await;
    assert!(matches!(bad, Err(ObjectError::BucketName { .. })));
    node.put("bucket", "k", b"x").await;
    let full = node.objects.delete_bucket("bucket", node.caller()).await;
    assert!(matches!(full, Err(ObjectError::BucketNotEmpty(_))));
}

fn expecting(node: &Node, expect: Expect) -> PutRequest {
    PutRequest {
        expect: Some(expect),
        ..node.put_request("bucket", "k")
    }
}

#[tokio::test]
async fn conditional_puts() {
    let node = Node::with_bucket("bucket").await;
    let put = |request: PutRequest| node.objects.put(request, frames(b"x", 1), Verify::default());
    let none = put(expecting(&node, Expect::ETag("abc".into()))).await;
    assert!(matches!(none, Err(ObjectError::NoSuchKey { .. })));
    let done = put(expecting(&node, Expect::Absent)).await.unwrap();
    let twice = put(expecting(&node, Expect::Absent)).await;
    assert!(matches!(twice, Err(ObjectError::Precondition(_))));
    let wrong = put(expecting(&node, Expect::ETag("abc".into()))).await;
    assert!(matches!(wrong, Err(ObjectError::Precondition(_))));
    put(expecting(&node, Expect::ETag(done.etag))).await.unwrap();
}

fn target(key: &str, version: Option<String>) -> DeleteTarget {
    DeleteTarget {
        key: key.into(),
        version,
        expect: None,
        bypass: false,
    }
}

/// Whatever races with it: what was in the way may be gone when it is told.
#[test]
fn a_put_that_wants_nothing_there_is_never_told_that_nothing_is() {
    let runtime = runtime();
    let node = runtime.block_on(Node::with_bucket("bucket"));
    let over = std::sync::atomic::AtomicBool::new(false);
    let come_and_go = || {
        while !over.load(std::sync::atomic::Ordering::Relaxed) {
            runtime.block_on(async {
                node.put("bucket", "k", b"x").await;
                let (bucket, caller) = ("bucket".to_owned(), node.caller());
                let target = target("k", None);
                let request = DeleteRequest {
                    bucket,
                    target,
                    caller,
                };
                node.objects.delete(request).await.unwrap();
            });
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(come_and_go);
        let put = || async {
            let request = expecting(&node, Expect::Absent);
            node.objects
                .put(request, frames(b"y", 1), Verify::default())
                .await
        };
        let wrong = (0..2_000).find_map(|_| match runtime.block_on(put()) {
            Ok(_) | Err(ObjectError::Precondition(_)) => None,
            Err(other) => Some(other),
        });
        over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(wrong.is_none(), "{wrong:?}");
    });
}

#[tokio::test]
async fn deletes_without_versions() {
    let node = Node::with_bucket("bucket").await;
    for key in ["a", "b"] {
        node.put("bucket", key, b"x").await;
    }
    let targets = ["a", "none", "b", "../b"].map(|key| target(key, None)).to_vec();
    let done = node
        .objects
        .delete_many("bucket", targets, node.caller())
        .await
        .unwrap();
    let positions: Vec<_> = done
        .iter()
        .map(|d| d.as_ref().ok().and_then(|d| d.position))
        .collect();
    assert_eq!(positions, [Some(4), None, Some(5), None]);
    assert!(matches!(done[3], Err(ObjectError::KeyName { .. })));
    assert!(node.get("bucket", "a", None).await.is_err());
    let nowhere = node
        .objects
        .delete_many("nowhere", vec![target("a", None)], node.caller())
        .await;
    assert!(matches!(nowhere, Err(ObjectError::NoSuchBucket(_))));
    node.objects.delete_bucket("bucket", node.caller()).await.unwrap();
}

#[tokio::test]
async fn versions_markers_and_tags() {
    let node = Node::with_bucket("bucket").await;
    node.objects
        .set_versioning("bucket", Versioning::Enabled, node.caller())
        .await
        .unwrap();
    let one = node.put("bucket", "k", b"one").await.version.unwrap();
    let two = node.put("bucket", "k", b"two").await.version.unwrap();
    assert_ne!(one, two);
    let delete = |version| {
        let (bucket, caller) = ("bucket".to_owned(), node.caller());
        node.objects.delete(DeleteRequest {
            bucket,
            target: target("k", version),
            caller,
        })
    };
    let marker = delete(None).await.unwrap();
    assert!(marker.marker && marker.position.is_some());
    let get = node.get("bucket", "k", None).await;
    assert!(matches!(get, Err(ObjectError::Marker { named: false, .. })));
    let of = |version| GetRequest {
        version: Some(version),
        ..node.request("bucket", "k")
    };
    let (record, _) = node.objects.get(&of(&one)).await.unwrap();
    assert_eq!((record.size, record.version.as_deref()), (3, Some(&*one)));
    let named = node.objects.head(&of(marker.version.as_deref().unwrap()));
    assert!(matches!(named, Err(ObjectError::Marker { named: true, .. })));
    let gone = delete(marker.version.clone()).await.unwrap();
    assert!(gone.marker);
    assert_eq!(node.get("bucket", "k", None).await.unwrap(), b"two");
    let tags = [("a".to_owned(), "b".to_owned())].into();
    let (bucket, key) = ("bucket".to_owned(), "k".to_owned());
    let tag = TagRequest {
        bucket,
        key,
        version: Some(one.clone()),
        tags,
        caller: node.caller(),
    };
    assert_eq!(node.objects.tag(tag).await.unwrap(), Some(one.clone()));
    assert_eq!(node.objects.head(&of(&one)).unwrap().tags["a"], "b");
    let missing = node.objects.head(&of("00000000000000000000000000000000"));
    assert!(matches!(missing, Err(ObjectError::NoSuchVersion { .. })));
}

#[tokio::test]
async fn copies_move_no_bytes_and_time_travel_restores() {
    let node = Node::with_bucket("bucket").await;
    let bytes = noise(2 * MIB + 5, 3);
    let source = node.put("bucket", "a", &bytes).await;
    let copy = |key: &str| CopyRequest {
        protect: stead_gateway::objects::Protect::AsBucket,
        source_customer_key: None,
        source_bucket: "bucket".into(),
        source_key: "a".into(),
        source_version: None,
        source_at: None,
        source_etag: None,
        bucket: "bucket".into(),
        key: key.into(),
        metadata: None,
        tags: None,
        lock: Lock::default(),
        expect: None,
        caller: node.caller(),
    };
    let copied = node.objects.copy(copy("b")).await.unwrap();
    assert_eq!((copied.cid, &copied.etag), (source.cid, &source.etag));
    let record = node.objects.head(&node.request("bucket", "b")).unwrap();
    assert_eq!(record.source.as_deref(), Some("bucket/a"));
    assert!(matches!(
        node.objects.copy(copy("a")).await,
        Err(ObjectError::Invalid(_))
    ));
    let stale = CopyRequest {
        source_etag: Some("x".into()),
        ..copy("c")
    };
    assert!(matches!(
        node.objects.copy(stale).await,
        Err(ObjectError::Precondition(_))
    ));
    node.put("bucket", "a", b"overwritten").await;
    let at = Some(source.position);
    let then = node
        .objects
        .get(&GetRequest {
            at,
            ..node.request("bucket", "a")
        })
        .await
        .unwrap();
    assert_eq!(then.1.size, bytes.len() as u64);
    node.objects
        .copy(CopyRequest {
            source_at: at,
            ..copy("a")
        })
        .await
        .unwrap();
    assert!(node.get("bucket", "a", None).await.unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_end_up_whole() {
    let node = Node::with_bucket("bucket").await;
    let puts = (0..24_usize).map(|n| {
        let node = &node;
        async move {
            let bytes = noise(n * 120_000, n as u64);
            node.put("bucket", &format!("k{n}"), &bytes).await;
            assert!(node.get("bucket", &format!("k{n}"), None).await.unwrap() == bytes);
        }
    });
    futures::future::join_all(puts).await;
}
