//! Signed checkpoints prove that history was not rewritten.
#![allow(clippy::unwrap_used)] // a failure is a panic

mod common;

use common::{tail, write, writer};
use ed25519_dalek::SigningKey;
use stead_event::{ChainHead, NodeId, Tenant, Timestamp};
use stead_log::{Checkpoint, CheckpointError, LogPoint};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn at() -> Timestamp {
    "2026-11-20T13:00:00Z".parse().unwrap()
}

#[test]
fn the_text_round_trips_and_is_what_the_documentation_says() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 3, 1 << 20);
    let signed = Checkpoint::sign(&key(), &Tenant::main(), points[3].head, at()).unwrap();
    let (head, node) = (
        points[3].head.cid.unwrap(),
        hex::encode(key().verifying_key().to_bytes()),
    );
    let text = signed.to_line();
    let expected = format!(
        "{{\"at\":\"2026-11-20T13:00:00.000000Z\",\"head\":{{\"/\":\"{head}\"}},\"node\":\"{node}\",\
         \"position\":3,\"signature\":\"{}\",\"tenant\":\"main\",\"v\":1}}",
        signed.signature
    );
    assert_eq!(text, expected);
    let read = Checkpoint::from_line(&format!("  {text}\n")).unwrap();
    assert_eq!(read, signed);
    read.verify().unwrap();
    assert_eq!(
        Checkpoint::sign(&key(), &Tenant::main(), ChainHead::default(), at()),
        None
    );
    for bad in ["", "{}", "x", &text[1..], &text.replace("\"v\":1", "\"v\":2")] {
        assert!(
            matches!(Checkpoint::from_line(bad), Err(CheckpointError::Malformed(_))),
            "{bad}"
        );
    }
}

#[test]
fn anything_changed_breaks_the_signature() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 3, 1 << 20);
    let signed = Checkpoint::sign(&key(), &Tenant::main(), points[3].head, at()).unwrap();
    let other = SigningKey::from_bytes(&[8; 32]);
    let changes: [&dyn Fn(&mut Checkpoint); 6] = [
        &|c| c.at = c.at.plus_secs(1),
        &|c| c.head = points[2].head.cid.unwrap(),
        &|c| c.position = 2,
        &|c| c.tenant = Tenant::system(),
        &|c| c.node = NodeId::from_public_key(&other.verifying_key().to_bytes()),
        &|c| c.signature = c.signature.replace(&c.signature[3..4], "!"),
    ];
    for change in changes {
        let mut changed = signed.clone();
        change(&mut changed);
        assert!(
            matches!(changed.verify(), Err(CheckpointError::Signature(_))),
            "{changed:?}"
        );
    }
    let nobody = Checkpoint {
        node: NodeId("nobody".into()),
        ..signed
    };
    assert!(matches!(nobody.verify(), Err(CheckpointError::Node(_))));
}

#[test]
fn a_checkpoint_tells_a_shorter_and_a_rewritten_log_from_a_grown_one() {
    let dir = tempfile::tempdir().unwrap();
    let points = write(dir.path(), 20, 2000);
    let signed = |seq: usize| Checkpoint::sign(&key(), &Tenant::main(), points[seq].head, at()).unwrap();
    for seq in [1, 7, 20] {
        signed(seq).against(&tail(dir.path(), points[20].head)).unwrap();
    }
    let shorter = signed(20).against(&tail(dir.path(), points[12].head));
    assert!(
        matches!(
            shorter,
            Err(CheckpointError::Shorter {
                found: 12,
                position: 20,
                ..
            })
        ),
        "{shorter:?}"
    );

    // The same length, a good chain, another history from position 13 on.
    let mut rewriting = writer(dir.path(), points[12], 2000);
    for number in 13..=20 {
        rewriting
            .push(common::draft(number, "rewritten"), &common::node())
            .unwrap();
    }
    rewriting.sync().unwrap();
    let shared = tail(dir.path(), rewriting.head());
    stead_log::verify(dir.path(), &Tenant::main(), &mut |_| {}).unwrap();
    signed(12).against(&shared).unwrap();
    let rewritten = signed(13).against(&shared);
    assert!(
        matches!(rewritten, Err(CheckpointError::Rewritten { position: 13, .. })),
        "{rewritten:?}"
    );
    let nothing = tempfile::tempdir().unwrap();
    write(nothing.path(), 0, 100);
    let empty = signed(1).against(&tail(nothing.path(), LogPoint::default().head));
    assert!(matches!(empty, Err(CheckpointError::Shorter { found: 0, .. })));
}
