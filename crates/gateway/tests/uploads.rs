//! Multipart uploads through the real engine and block store.
#![allow(clippy::unwrap_used)] // in tests

mod common;

use common::{Node, frames, noise};
use stead_event::TextMap;
use stead_gateway::Limits;
use stead_gateway::objects::{
    Algorithm, ChecksumSpec, CompleteRequest, CompletedPart, Lock, ObjectError, PartCopyRequest, PartDone,
    PartRequest, StartRequest, Verify,
};

const MIB: usize = 1 << 20;

async fn start(node: &Node, algorithm: Option<Algorithm>, composite: Option<bool>) -> String {
    let request = StartRequest {
        protect: stead_gateway::objects::Protect::AsBucket,
        bucket: "bucket".into(),
        key: "k".into(),
        headers: [("content-type".to_owned(), "text/x".to_owned())].into(),
        metadata: TextMap::new(),
        tags: TextMap::new(),
        lock: Lock::default(),
        checksum_algorithm: algorithm,
        checksum_composite: composite,
        caller: node.caller(),
    };
    node.objects.start_upload(request).await.unwrap().0
}

fn part_request(node: &Node, upload: &str, number: u32) -> PartRequest {
    let (bucket, key, upload) = ("bucket".into(), "k".into(), upload.into());
    PartRequest {
        customer_key: None,
        bucket,
        key,
        upload,
        number,
        caller: node.caller(),
    }
}

async fn part(node: &Node, upload: &str, number: u32, bytes: &[u8]) -> PartDone {
    let request = part_request(node, upload, number);
    node.objects
        .put_part(request, frames(bytes, 300_000), Verify::default())
        .await
        .unwrap()
}

fn complete(node: &Node, upload: &str, parts: &[(u32, &PartDone)]) -> CompleteRequest {
    let listed = |(number, part): &(u32, &PartDone)| CompletedPart {
        number: *number,
        etag: part.etag.clone(),
        checksum: part.checksum.as_ref().map(|checksum| checksum.value.clone()),
    };
    CompleteRequest {
        bucket: "bucket".into(),
        key: "k".into(),
        upload: upload.into(),
        parts: parts.iter().map(listed).collect(),
        checksum: None,
        size: None,
        expect: None,
        caller: node.caller(),
    }
}

#[tokio::test]
async fn whole_mib_parts_give_the_cid_and_the_checksum_of_the_whole() {
    let node = Node::with_bucket("bucket").await;
    let bytes = noise(13 * MIB + 17, 1);
    let whole = node.put("bucket", "whole", &bytes).await;
    let upload = start(&node, None, None).await;
    let (head, rest) = bytes.split_at(5 * MIB);
    let (middle, tail) = rest.split_at(8 * MIB);
    // Any order of arrival, and a part that is sent again replaces the first.
    let three = part(&node, &upload, 30, tail).await;
    part(&node, &upload, 1, tail).await;
    let one = part(&node, &upload, 1, head).await;
    let two = part(&node, &upload, 7, middle).await;
    let parts = [(1, &one), (7, &two), (30, &three)];
    let request = CompleteRequest {
        size: Some(bytes.len() as u64),
        ..complete(&node, &upload, &parts)
    };
    let done = node.objects.complete_upload(request).await.unwrap();
    assert_eq!(done.cid, whole.cid);
    assert_eq!(done.checksum, whole.checksum);
    assert!(done.etag.ends_with("-3") && done.etag.len() == 34);
    assert!(node.get("bucket", "k", None).await.unwrap() == bytes);
    let record = node.objects.head(&node.request("bucket", "k")).unwrap();
    assert_eq!(record.headers["content-type"], "text/x");
    assert_eq!(
        record.parts.iter().map(|part| part.number).collect::<Vec<_>>(),
        [1, 7, 30]
    );
    let again = node
        .objects
        .complete_upload(complete(&node, &upload, &parts))
        .await
        .unwrap();
    assert_eq!((again.position, again.etag), (done.position, done.etag));
    let late = part_request(&node, &upload, 2);
    let late = node
        .objects
        .put_part(late, frames(b"x", 1), Verify::default())
        .await;
    assert!(matches!(late, Err(ObjectError::NoSuchUpload { .. })));
}

#[tokio::test]
async fn uneven_parts_read_back_in_order() {
    let node = Node::with_limits(Limits {
        part_bytes: 1,
        ..Limits::default()
    });
    node.objects.create_bucket("bucket", node.caller()).await.unwrap();
    let upload = start(&node, Some(Algorithm::Sha256), None).await;
    let sizes = [1, 70_000, MIB, MIB + 1, 3, 2 * MIB + 9, 0];
    let pieces: Vec<Vec<u8>> = sizes
        .iter()
        .enumerate()
        .map(|(n, size)| noise(*size, n as u64))
        .collect();
    let mut done = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        done.push((at as u32 + 1, part(&node, &upload, at as u32 + 1, piece).await));
    }
    let parts: Vec<_> = done.iter().map(|(number, part)| (*number, part)).collect();
    // The last may be empty; then the others are large enough by this test's limit.
    let finished = node
        .objects
        .complete_upload(complete(&node, &upload, &parts))
        .await
        .unwrap();
    let checksum = finished.checksum.unwrap();
    assert!(
        checksum.composite && checksum.value.ends_with("-7"),
        "{checksum:?}"
    );
    let bytes: Vec<u8> = pieces.concat();
    assert!(node.get("bucket", "k", None).await.unwrap() == bytes);
    let range = stead_gateway::objects::ByteRange::From(69_990, Some(70_020 + MIB as u64));
    let slice = node.get("bucket", "k", Some(range)).await.unwrap();
    assert!(slice == bytes[69_990..=70_020 + MIB]);
}

#[tokio::test]
async fn what_cannot_be_completed_is_refused_with_its_error() {
    let node = Node::with_bucket("bucket").await;
    let upload = start(&node, Some(Algorithm::Crc32), None).await;
    let (one, two) = (
        part(&node, &upload, 1, b"small").await,
        part(&node, &upload, 2, b"last").await,
    );
    let before = node.position();
    let both = [(1, &one), (2, &two)];
    let refused = |request| node.objects.complete_upload(request);
    let small = refused(complete(&node, &upload, &both)).await;
    assert!(matches!(
        small,
        Err(ObjectError::PartTooSmall {
            number: 1,
            size: 5,
            ..
        })
    ));
    let order = refused(complete(&node, &upload, &[(2, &two), (1, &one)])).await;
    assert!(matches!(order, Err(ObjectError::PartOrder)));
    let swapped = refused(complete(&node, &upload, &[(1, &two)])).await;
    assert!(matches!(swapped, Err(ObjectError::NoSuchPart { number: 1 })));
    assert!(matches!(
        refused(complete(&node, &upload, &[])).await,
        Err(ObjectError::NoParts)
    ));
    let size = CompleteRequest {
        size: Some(9),
        ..complete(&node, &upload, &[(2, &two)])
    };
    assert!(matches!(refused(size).await, Err(ObjectError::Length { .. })));
    let checksum = Some((Algorithm::Crc32, "AAAAAA==-1".into()));
    let checksum = CompleteRequest {
        checksum,
        ..complete(&node, &upload, &[(2, &two)])
    };
    assert!(matches!(
        refused(checksum).await,
        Err(ObjectError::Checksum { .. })
    ));
    for number in [0, 10_001] {
        let request = part_request(&node, &upload, number);
        let put = node
            .objects
            .put_part(request, frames(b"x", 1), Verify::default())
            .await;
        assert!(matches!(put, Err(ObjectError::PartNumber(_))));
    }
    let sha = Verify {
        checksum: ChecksumSpec::Compute(Algorithm::Sha1),
        ..Verify::default()
    };
    let other = node
        .objects
        .put_part(part_request(&node, &upload, 3), frames(b"x", 1), sha)
        .await;
    assert!(matches!(other, Err(ObjectError::Invalid(_))));
    assert_eq!(node.position(), before);
    node.objects
        .abort_upload("bucket", "k", &upload, node.caller())
        .await
        .unwrap();
    let aborted = node
        .objects
        .complete_upload(complete(&node, &upload, &[(2, &two)]))
        .await;
    assert!(matches!(aborted, Err(ObjectError::NoSuchUpload { .. })));
}

#[tokio::test]
async fn parts_are_copied_from_objects_and_their_ranges() {
    let node = Node::with_bucket("bucket").await;
    let bytes = noise(7 * MIB, 5);
    node.put("bucket", "source", &bytes).await;
    let upload = start(&node, None, None).await;
    let copy = |number, range| PartCopyRequest {
        source_customer_key: None,
        part: part_request(&node, &upload, number),
        source_bucket: "bucket".into(),
        source_key: "source".into(),
        source_version: None,
        source_etag: None,
        range,
    };
    let one = node.objects.copy_part(copy(1, None)).await.unwrap();
    let two = node.objects.copy_part(copy(2, Some((3, 99)))).await.unwrap();
    let outside = node.objects.copy_part(copy(3, Some((3, 7 * MIB as u64)))).await;
    assert!(matches!(outside, Err(ObjectError::Range { .. })));
    node.objects
        .complete_upload(complete(&node, &upload, &[(1, &one), (2, &two)]))
        .await
        .unwrap();
    let got = node.get("bucket", "k", None).await.unwrap();
    assert!(got[..7 * MIB] == bytes && got[7 * MIB..] == bytes[3..=99]);
}
