//! Trees: against an independent implementation, against published vectors, against the input.
#![allow(clippy::unwrap_used)] // a panic is how a test fails, in its helpers too

mod common;

use bytes::Bytes;
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::ops::Range;
use stead_block::BlockError;
use stead_block::unixfs::{DagBuilder, LEAF_BYTES, Leaves, NODE_LINKS, file_size, links};
use stead_event::{Cid, cids};

fn pattern(size: usize) -> Vec<u8> {
    (0..size as u64).map(|i| ((i * 31 + 7) % 251) as u8).collect()
}

type Blocks = HashMap<Cid, Bytes>;

/// Builds a tree over leaves of the given sizes, keeping every block.
fn build(bytes: &[u8], leaves: impl Iterator<Item = usize>, width: usize) -> (Cid, Blocks) {
    let (mut builder, mut blocks) = (DagBuilder::with_links(width), Blocks::new());
    let mut rest = bytes;
    for size in leaves {
        let (leaf, later) = rest.split_at(size.min(rest.len()));
        rest = later;
        let cid = cids::raw(leaf);
        blocks.insert(cid, Bytes::copy_from_slice(leaf));
        blocks.extend(
            builder
                .push(cid, leaf.len() as u64)
                .into_iter()
                .map(|b| (b.cid, b.bytes)),
        );
    }
    assert!(rest.is_empty());
    let finished = builder.finish();
    assert_eq!(finished.size, bytes.len() as u64);
    blocks.extend(finished.blocks.into_iter().map(|b| (b.cid, b.bytes)));
    assert!(blocks.iter().all(|(cid, bytes)| cids::verify(cid, bytes)));
    (finished.root, blocks)
}

fn even(bytes: &[u8], leaf: usize, width: usize) -> (Cid, Blocks) {
    build(
        bytes,
        std::iter::repeat_n(leaf, bytes.len().div_ceil(leaf)),
        width,
    )
}

fn read(blocks: &Blocks, root: Cid, size: u64, range: Option<Range<u64>>) -> Result<Vec<u8>, BlockError> {
    let inner = |cid: &Cid| {
        assert_eq!(cid.codec(), cids::DAG_PB, "only inner nodes are read");
        blocks.get(cid).cloned().ok_or(BlockError::NotFound(*cid))
    };
    let mut bytes = Vec::new();
    for leaf in Leaves::new(inner, root, size, range) {
        let leaf = leaf?;
        let block = &blocks[&leaf.cid];
        assert_eq!(block.len() as u64, leaf.size);
        bytes.extend_from_slice(&block[leaf.slice.start as usize..leaf.slice.end as usize]);
    }
    Ok(bytes)
}

/// Made with `node xtask/js/unixfs-cids.mjs --pattern SIZE --chunk LEAF --links WIDTH`, which uses the npm
/// package ipfs-unixfs-importer 17.1.1 with profile unixfs-v1-2025: byte i of the file is (i * 31 + 7) % 251.
const GOLDEN: &[(usize, usize, usize, &str)] = &[
    (
        0,
        LEAF_BYTES,
        NODE_LINKS,
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    ),
    (
        1,
        LEAF_BYTES,
        NODE_LINKS,
        "bafkreigkgwdvr5wspzwpiutssn4xpj2i7wedshnwphhnu7ohx4pqaxxipe",
    ),
    (
        1_048_575,
        LEAF_BYTES,
        NODE_LINKS,
        "bafkreiauirw5jfdr3utdyr4krpksb7zmja4lvf5rlnfvhkxmme2w6j5qha",
    ),
    (
        1_048_576,
        LEAF_BYTES,
        NODE_LINKS,
        "bafkreia4lg4goabhhbaug6a2rkf76lz3is6yqggq6u5rhmdeyi3vugx6ha",
    ),
    (
        1_048_577,
        LEAF_BYTES,
        NODE_LINKS,
        "bafybeiaqfhzf4fft5arkdimw7quirxuglvotfah44yawdjg6zujvn6lidu",
    ),
    (
        5_242_880,
        LEAF_BYTES,
        NODE_LINKS,
        "bafybeig4magrp3m4ttubgzzn473nwrc3t2dtpcdtuzdnkftgppe2ehif3u",
    ),
    (
        1023,
        1,
        1024,
        "bafybeiaiiqfnjkv3gtwqkq4puxz42rsc66ywytnq6hs3dipul6e4ypb27m",
    ),
    (
        1024,
        1,
        1024,
        "bafybeibv4j2xecfpjvpgnmpfq3zxnzcjkwibjxey4ocwx7psxv4akfztw4",
    ),
    (
        1025,
        1,
        1024,
        "bafybeic62kqwbo7udott7jrnm5tmbqmgbtlcfdrkbjwxydwp4pefoam7na",
    ),
    (
        10_250,
        10,
        1024,
        "bafybeibq7j33n37axqerk66pw5fd6m2ic7h3oh3jjmzsxx3h4f2j2fveum",
    ),
    (
        10_249,
        10,
        1024,
        "bafybeifwxkbllgq3tc5l5px6wykaabfiqog54k4cpobupqcp5uv4o2eoai",
    ),
    (
        16,
        1,
        4,
        "bafybeifw72uauzf2h35ni44vkbunfd7b5g46rtgu22s26ewgc22mjmlqfm",
    ),
    (
        17,
        1,
        4,
        "bafybeicrc6z4oqskzkzz3syaordxeriaeh54qwbhbibdc5ygb2za35hv3i",
    ),
    (
        64,
        1,
        4,
        "bafybeifsvk7kv7lqrreqet7r5b7movib57h726qdwsygbwqnlan7erzzxy",
    ),
    (
        65,
        1,
        4,
        "bafybeiatpdyntp56zso2gno2ksuk6npa52asi5nrepj4mdrwta3bbfoh3a",
    ),
    (
        100,
        3,
        2,
        "bafybeiczdm5uarvanuvk3y4iwhs3knbesiqpg7m73aaifnanyaugnzzgci",
    ),
    (
        3,
        1,
        2,
        "bafybeiditjg3lnrvyt6wvendhf2tljram67vts7sdozxmvz4x3jknpotza",
    ),
    (
        5,
        1,
        2,
        "bafybeiganeqpnqcygevbln2psticbc7eszgxxn3ysbaubgoolzj2kqv3ba",
    ),
    (
        1_048_577,
        64,
        16,
        "bafybeigt3dpivnisfqocn5aaujfosu6aoqmobjfztxcx36razkpyxdcgra",
    ),
];

#[test]
fn an_independent_implementation_gives_the_same_cids() {
    for (size, leaf, width, expected) in GOLDEN {
        let bytes = pattern(*size);
        let (root, blocks) = even(&bytes, *leaf, *width);
        assert_eq!(
            root.to_string(),
            *expected,
            "{size} bytes, leaves of {leaf}, width {width}"
        );
        assert_eq!(read(&blocks, root, *size as u64, None).unwrap(), bytes);
    }
}

#[test]
fn a_tree_of_1025_leaves_has_a_second_inner_node() {
    let bytes = pattern(1025 * 16);
    let (root, blocks) = even(&bytes, 16, NODE_LINKS);
    let children = links(&root, &blocks[&root]).unwrap();
    assert_eq!(children.len(), 2);
    assert_eq!(links(&children[0], &blocks[&children[0]]).unwrap().len(), 1024);
    assert_eq!(
        links(&children[1], &blocks[&children[1]]).unwrap(),
        [cids::raw(&bytes[1024 * 16..])]
    );
    assert_eq!(file_size(&root, &blocks[&root]).unwrap(), 1025 * 16);
    let across = 1023 * 16 + 5..1024 * 16 + 3;
    let slice = &bytes[across.start as usize..across.end as usize];
    assert_eq!(
        read(&blocks, root, bytes.len() as u64, Some(across)).unwrap(),
        slice
    );
}

/// The published vectors of IPIP-0499 for files under unixfs-v1-2025: the small one.
#[test]
fn the_published_vector_of_a_small_file_holds() {
    let hello = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
    assert_eq!(even(b"hello world", LEAF_BYTES, NODE_LINKS).0.to_string(), hello);
}

/// The two large ones. Their contents are those of kubo's tests: the ChaCha20 key stream of the key
/// sha2-256("v1-2025-seed") and a zero nonce.
#[test]
#[cfg_attr(
    debug_assertions,
    ignore = "makes and hashes 1 GiB, three minutes without optimisation"
)]
fn the_published_vectors_at_the_width_limit_hold() {
    let key: [u8; 32] = Sha256::digest(b"v1-2025-seed").into();
    let mut stream = ChaCha20::new(&key.into(), &[0; 12].into());
    let mut leaf = vec![0; LEAF_BYTES];
    let [mut at_limit, mut over] = [DagBuilder::new(), DagBuilder::new()];
    for n in 0..1025 {
        leaf.fill(0);
        stream.apply_keystream(&mut leaf);
        let cid = cids::raw(&leaf);
        over.push(cid, LEAF_BYTES as u64);
        if n < 1024 {
            at_limit.push(cid, LEAF_BYTES as u64);
        }
    }
    let expected = "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm";
    assert_eq!(at_limit.finish().root.to_string(), expected, "1024 MiB");
    let expected = "bafybeihmzokxxjqwxjcryerhp5ezpcog2wcawfryb2xm64xiakgm4a5jue";
    assert_eq!(over.finish().root.to_string(), expected, "1025 MiB");
}

#[test]
fn trees_that_do_not_add_up_are_refused() {
    let bytes = pattern(100);
    let (root, mut blocks) = even(&bytes, 10, 4);
    assert!(matches!(read(&blocks, root, 101, None), Err(BlockError::NotAFile { cid, .. }) if cid == root));
    let child = links(&root, &blocks[&root]).unwrap()[1];
    let gone = blocks.remove(&child).unwrap();
    assert!(matches!(read(&blocks, root, 100, None), Err(BlockError::NotFound(cid)) if cid == child));
    // The parts beside it can be read.
    assert_eq!(read(&blocks, root, 100, Some(5..40)).unwrap(), &bytes[5..40]);
    blocks.insert(child, gone.slice(..gone.len() - 1));
    assert!(matches!(read(&blocks, root, 100, None), Err(BlockError::NotAFile { cid, .. }) if cid == child));
    let json = cids::dag_json(b"{}");
    assert!(matches!(
        read(&blocks, json, 2, None),
        Err(BlockError::NotAFile { .. })
    ));
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_built(
        size in 0..5000usize, leaf in 1..300usize, width in 2..20usize, a in 0..6000u64, b in 0..6000u64,
    ) {
        let bytes = pattern(size);
        let (root, blocks) = even(&bytes, leaf, width);
        prop_assert_eq!(&read(&blocks, root, size as u64, None).unwrap(), &bytes);
        let (from, to) = (a.min(b).min(size as u64), a.max(b).min(size as u64));
        let got = read(&blocks, root, size as u64, Some(a.min(b)..a.max(b))).unwrap();
        prop_assert_eq!(got, &bytes[from as usize..to as usize]);
    }

    #[test]
    fn leaves_of_any_sizes_make_a_readable_file(
        sizes in proptest::collection::vec(1..200usize, 1..200), width in 2..12usize, a in 0..20_000u64,
    ) {
        let bytes = pattern(sizes.iter().sum());
        let (root, blocks) = build(&bytes, sizes.into_iter(), width);
        let size = bytes.len() as u64;
        prop_assert_eq!(&read(&blocks, root, size, None).unwrap(), &bytes);
        let from = a.min(size);
        prop_assert_eq!(&read(&blocks, root, size, Some(from..size)).unwrap(), &bytes[from as usize..]);
    }

    #[test]
    fn decoding_anything_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let cid = cids::dag_pb(&bytes);
        let _ = links(&cid, &bytes);
        let read = |_: &Cid| Ok(Bytes::copy_from_slice(&bytes));
        for leaf in Leaves::new(read, cid, 1000, None).take(1000) {
            let _ = leaf;
        }
    }
}
