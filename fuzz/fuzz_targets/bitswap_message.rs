//! Any bytes as a Bitswap message: refused, or read as what is written and read again the same.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use stead_gateway_bitswap::message::Message;

fuzz_target!(|data: &[u8]| {
    let Some(message) = Message::decode(&Bytes::copy_from_slice(data)) else {
        return;
    };
    for block in &message.blocks {
        assert!(block.data.len() <= data.len());
        let _ = block.cid();
    }
    assert_eq!(Message::decode(&message.encode().into()).as_ref(), Some(&message));
});
