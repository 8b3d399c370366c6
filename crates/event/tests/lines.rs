//! An event and its line are the same thing, written in one way only.
#![allow(clippy::unwrap_used)] // a failure is a panic

mod common;

use ipld_core::ipld::Ipld;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};
use stead_event::body::{Ext, ObjectPut};
use stead_event::event::line_cid;
use stead_event::{Body, Event, EventError, EventId, NodeId, Principal, Timestamp, Via, cids};

/// The line of [`golden`]; a change to it is a change of the stored format and needs a new `v`.
const GOLDEN: &str = concat!(
    r#"{"actor":"ana","at":"2026-11-20T13:00:00.123456Z","body":{"bucket":"photos","#,
    r#""cid":{"/":"bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"},"#,
    r#""etag":"5d41402abc4b2a76b9719d911017c592","headers":{"content-type":"text/plain"},"#,
    r#""key":"café/a b.txt","size":5,"tags":{"//":"root"},"#,
    r#""via":{"agent":"aws-cli","protocol":"s3","remote":"127.0.0.1:5"}},"#,
    r#""cause":"018bcfe5680070018203040506070809","correlation":"018bcfe5680070018203040506070809","#,
    r#""id":"018bcfe5680070018203040506070809","kind":"object.put","#,
    r#""node":"0707070707070707070707070707070707070707070707070707070707070707","#,
    r#""prev":{"/":"baguqeeranw35qa7hj4p7u7mplloax6k3hyk36tedop77vx2umit4y3dhilfq"},"#,
    r#""seq":42,"stream":"bucket/photos","v":1}"#
);
const GOLDEN_CID: &str = "baguqeerarzz2bnhmntt4tfd5tcte7so2f7wmdiox6clxpgjqcmi3z23dbmuq";

fn golden() -> Event {
    let id = EventId::new(1_700_000_000_000, [0x70, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    let put = ObjectPut {
        stripes: None,
        encryption: None,
        acl: Vec::new(),
        hold: false,
        owner: None,
        retention: None,
        bucket: "photos".into(),
        checksum: None,
        cid: cids::raw(b"hello"),
        etag: "5d41402abc4b2a76b9719d911017c592".into(),
        headers: BTreeMap::from([("content-type".into(), "text/plain".into())]),
        key: "café/a b.txt".into(),
        metadata: BTreeMap::new(),
        parts: vec![],
        size: 5,
        source: None,
        tags: BTreeMap::from([("/".into(), "root".into())]),
        upload: None,
        via: Via {
            protocol: "s3".into(),
            remote: Some("127.0.0.1:5".into()),
            agent: Some("aws-cli".into()),
            request: None,
        },
    };
    Event {
        actor: Principal("ana".into()),
        at: "2026-11-20T13:00:00.123456Z".parse().unwrap(),
        stream: "bucket/photos".into(),
        body: put.into(),
        cause: id,
        correlation: id,
        id,
        node: NodeId::from_public_key(&[7; 32]),
        prev: Some(cids::dag_json(b"before")),
        seq: 42,
    }
}

#[test]
fn the_golden_line_and_its_cid_stay() {
    let line = golden().to_line().unwrap();
    assert_eq!(String::from_utf8(line.clone()).unwrap(), GOLDEN);
    assert_eq!(line_cid(&line).to_string(), GOLDEN_CID);
    assert_eq!(Event::from_canonical_line(&line).unwrap(), golden());
    assert_eq!(golden().body.stream(), golden().stream);
}

#[test]
fn sha256sum_of_the_line_is_the_digest_in_its_cid() {
    let line = golden().to_line().unwrap();
    let mut tool = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    tool.stdin.take().unwrap().write_all(&line).unwrap();
    let said = String::from_utf8(tool.wait_with_output().unwrap().stdout).unwrap();
    let digest = hex::encode(cids::digest(&line_cid(&line)).unwrap());
    assert_eq!(said.split_whitespace().next().unwrap(), digest);
}

#[test]
fn a_newer_version_and_an_unknown_kind_are_named() {
    let newer = GOLDEN.replace(r#""v":1"#, r#""v":2"#);
    assert!(matches!(
        Event::from_line(newer.as_bytes()),
        Err(EventError::TooNew(2))
    ));
    let unknown = GOLDEN.replace("object.put", "object.hum");
    assert!(
        matches!(Event::from_line(unknown.as_bytes()), Err(EventError::UnknownKind(kind)) if kind == "object.hum")
    );
}

#[test]
fn what_is_no_event_is_malformed() {
    let without = |what: &str| GOLDEN.replace(what, "");
    let bad = [
        String::new(),
        "{}".into(),
        "[1]".into(),
        GOLDEN[..GOLDEN.len() - 1].into(),
        format!("{GOLDEN}x"),
        without(r#""seq":42,"#),
        without(r#""bucket":"photos","#),
        GOLDEN.replace(r#""seq":42"#, r#""seq":-1"#),
        GOLDEN.replace(r#""seq":42"#, r#""seq":"42""#),
        GOLDEN.replace(r#""v":1"#, r#""v":1,"w":0"#),
        GOLDEN.replace("2026-11-20T", "2026-13-20T"),
        GOLDEN.replace(
            "018bcfe5680070018203040506070809",
            "018BCFE5680070018203040506070809",
        ),
        GOLDEN.replace("baguqee", "zaguqee"),
        GOLDEN.replace(r#""//":"root""#, r#""/":"root""#),
    ];
    for line in bad {
        assert!(
            matches!(Event::from_line(line.as_bytes()), Err(EventError::Malformed(_))),
            "{line}"
        );
    }
}

#[test]
fn deep_nesting_is_an_error_and_not_a_stack_overflow() {
    for depth in [100, 127, 128, 10_000] {
        let deep = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let line = GOLDEN.replace(r#""body":{"#, &format!(r#""body":{{"zz":{deep},"#));
        assert!(Event::from_canonical_line(line.as_bytes()).is_err(), "{depth}");
    }
}

#[test]
fn an_event_that_is_written_otherwise_is_not_canonical() {
    let spaced = GOLDEN.replace(r#""seq":42"#, r#""seq": 42"#);
    assert_eq!(Event::from_line(spaced.as_bytes()).unwrap(), golden());
    for other in [
        spaced,
        GOLDEN
            .replace(r#""actor":"ana","#, "")
            .replace(r#""v":1"#, r#""v":1,"actor":"ana""#),
    ] {
        assert!(
            matches!(
                Event::from_canonical_line(other.as_bytes()),
                Err(EventError::NotCanonical)
            ),
            "{other}"
        );
    }
}

#[test]
fn an_ext_body_that_would_not_read_back_is_refused_before_it_is_proposed() {
    let ext = |body| {
        Body::from(Ext {
            body,
            owner: "web".into(),
            version: 1,
        })
    };
    let slash = Ipld::Map(BTreeMap::from([("/".into(), Ipld::String("x".into()))]));
    for bad in [
        slash.clone(),
        Ipld::List(vec![slash]),
        Ipld::Float(f64::NAN),
        Ipld::Float(f64::INFINITY),
    ] {
        assert!(ext(bad.clone()).check().is_err(), "{bad:?}");
    }
    assert!(
        ext(Ipld::Map(BTreeMap::from([("a/".into(), Ipld::Bytes(vec![1]))])))
            .check()
            .is_ok()
    );
}

#[test]
fn every_kind_is_made_by_the_generator_and_named_once() {
    let kinds: BTreeSet<_> = Body::KINDS.iter().collect();
    assert_eq!(kinds.len(), Body::KINDS.len());
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut missing: BTreeSet<_> = Body::KINDS.iter().copied().collect();
    // The rarest kinds are one draw in a few hundred: many more draws than that, or one will be missed by chance.
    for _ in 0..20_000 {
        let kind = common::body().new_tree(&mut runner).unwrap().current().kind();
        missing.remove(kind);
        if missing.is_empty() {
            return;
        }
    }
    panic!("never made by the generator: {missing:?}");
}

proptest! {
    #[test]
    fn event_to_line_to_event(event in common::event()) {
        let line = event.to_line().unwrap();
        prop_assert!(!line.contains(&b'\n'));
        prop_assert!(std::str::from_utf8(&line).is_ok());
        prop_assert_eq!(Event::from_canonical_line(&line).unwrap(), event);
    }

    #[test]
    fn the_line_is_what_its_ipld_is_written_as(event in common::event()) {
        let line = event.to_line().unwrap();
        let ipld: Ipld = serde_ipld_dagjson::from_slice(&line).unwrap();
        prop_assert_eq!(serde_ipld_dagjson::to_vec(&ipld).unwrap(), line.clone());
        let Ipld::Map(fields) = ipld else { panic!("a line is a map") };
        prop_assert_eq!(fields.get("kind"), Some(&Ipld::String(event.body.kind().into())));
        let digest: [u8; 32] = Sha256::digest(&line).into();
        prop_assert_eq!(cids::digest(&line_cid(&line)), Some(digest));
        prop_assert_eq!(line_cid(&line).codec(), cids::DAG_JSON);
    }

    #[test]
    fn every_body_survives_dag_cbor(body in common::body()) {
        let bytes = serde_ipld_dagcbor::to_vec(&body).unwrap();
        prop_assert_eq!(serde_ipld_dagcbor::from_slice::<Body>(&bytes).unwrap(), body.clone());
        prop_assert!(body.check().is_ok());
    }

    #[test]
    fn any_bytes_are_an_event_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Event::from_line(&bytes).is_err());
    }

    #[test]
    fn a_changed_byte_never_passes_for_the_same_event(event in common::event(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let line = event.to_line().unwrap();
        let mut changed = line.clone();
        changed[at.index(line.len())] ^= 1 << bit;
        prop_assert_ne!(line_cid(&changed), line_cid(&line));
        if let Ok(other) = Event::from_canonical_line(&changed) {
            prop_assert_ne!(other, event);
        }
    }

    #[test]
    fn times_keep_their_order_as_text(a in common::time(), b in common::time()) {
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        prop_assert_eq!(a.to_string().parse::<Timestamp>().unwrap(), a);
    }
}
