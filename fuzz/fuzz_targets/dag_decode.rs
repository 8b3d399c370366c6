//! Any bytes as a dag-pb node and a UnixFS file: read or refused, in bounded time and memory.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use stead_block::unixfs::{Leaves, file_size, links, pb};
use stead_event::cids;

fuzz_target!(|data: &[u8]| {
    let cid = cids::dag_pb(data);
    let _ = links(&cid, data);
    let size = file_size(&cid, data).unwrap_or(1000);
    let bytes = Bytes::copy_from_slice(data);
    for leaf in Leaves::new(|_| Ok(bytes.clone()), cid, size, None).take(10_000) {
        let Ok(leaf) = leaf else { break };
        assert!(leaf.slice.end <= leaf.size);
    }
    if let Some(node) = pb::decode_node(data) {
        let _ = node.data.as_deref().map(pb::decode_file);
    }
});
