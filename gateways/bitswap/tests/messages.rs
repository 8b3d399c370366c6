//! Messages: what is written is read again, what is broken is refused, and known bytes mean what they should.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use proptest::prelude::*;
use stead_event::{Cid, cids};
use stead_gateway_bitswap::message::{Block, Entry, Message, Presence, Want};

fn cid() -> impl Strategy<Value = Cid> {
    let v1 = (any::<[u8; 8]>(), prop_oneof![Just(cids::RAW), Just(cids::DAG_PB)]);
    let v1 = v1.prop_map(|(seed, codec)| cids::from_digest(codec, cids::digest(&cids::raw(&seed)).unwrap()));
    prop_oneof![
        v1,
        any::<[u8; 8]>().prop_map(|seed| Cid::new_v0(*cids::dag_pb(&seed).hash()).unwrap()),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    (cid(), any::<i32>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(cid, priority, cancel, have, say_absent)| Entry {
            cid,
            priority,
            cancel,
            want: if have { Want::Have } else { Want::Block },
            say_absent,
        },
    )
}

fn block() -> impl Strategy<Value = Block> {
    (cid(), prop::collection::vec(any::<u8>(), 0..300)).prop_map(|(cid, data)| Block::of(&cid, data.into()))
}

fn message() -> impl Strategy<Value = Message> {
    let presence = (cid(), any::<bool>()).prop_map(|(cid, have)| Presence { cid, have });
    (
        any::<bool>(),
        prop::collection::vec(entry(), 0..20),
        prop::collection::vec(block(), 0..5),
        prop::collection::vec(presence, 0..20),
    )
        .prop_map(|(full, wants, blocks, presences)| Message {
            full,
            wants,
            blocks,
            presences,
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(message in message()) {
        prop_assert_eq!(Message::decode(&message.encode().into()), Some(message));
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Some(message) = Message::decode(&bytes.into()) {
            prop_assert_eq!(Message::decode(&message.encode().into()), Some(message));
        }
    }

    #[test]
    fn a_message_cut_short_is_never_taken_for_more(message in message(), at in any::<prop::sample::Index>()) {
        let bytes = Bytes::from(message.encode());
        let cut = bytes.slice(..at.index(bytes.len() + 1));
        if let Some(read) = Message::decode(&cut) {
            prop_assert!(read.wants.len() <= message.wants.len());
            prop_assert!(read.blocks.len() <= message.blocks.len());
        }
    }
}

/// Put together from the schema by hand: field 1 (wantlist) { 1 (entry) { 1: CID, 2: 1, 4: 1 }, 2: 1 },
/// field 3 (payload) { 1: prefix, 2: "hi" }, field 4 (presence) { 1: CID, 2: 1 }, field 5 (pending bytes): 300.
#[test]
fn a_message_as_the_schema_writes_it_is_understood() {
    let cid = cids::raw(b"hi");
    let name = cid.to_bytes();
    let mut bytes = vec![0x0a, 46, 0x0a, 42, 0x0a, 36];
    bytes.extend(&name);
    bytes.extend([0x10, 1, 0x20, 1]);
    bytes.extend([0x10, 1]);
    bytes.extend([0x1a, 10, 0x0a, 4, 1, 0x55, 0x12, 0x20, 0x12, 2, b'h', b'i']);
    bytes.extend([0x22, 40, 0x0a, 36]);
    bytes.extend(&name);
    bytes.extend([0x10, 1, 0x28, 0xac, 0x02]);
    let message = Message::decode(&bytes.into()).unwrap();
    assert!(message.full);
    let wanted = Entry {
        cid,
        priority: 1,
        cancel: false,
        want: Want::Have,
        say_absent: false,
    };
    assert_eq!(message.wants, [wanted]);
    assert_eq!(message.blocks[0].cid(), Some(cid));
    assert_eq!(message.presences, [Presence { cid, have: false }]);
}

#[test]
fn a_prefix_that_is_not_the_cids_makes_another_cid() {
    let cid = cids::raw(b"hi");
    assert_eq!(Block::of(&cid, Bytes::from_static(b"hi")).cid(), Some(cid));
    assert_ne!(Block::of(&cid, Bytes::from_static(b"ho")).cid(), Some(cid));
    let mut other = Block::of(&cid, Bytes::from_static(b"hi"));
    other.prefix[2] = 0x13;
    assert_eq!(other.cid(), None);
}
