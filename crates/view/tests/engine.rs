//! The engine: batches, preconditions, crashes, damage, rebuilding, pruning.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use bytes::Bytes;
use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;
use stead_event::body::{KeyCreated, KeyRevoked, LogSealed, Scope, Versioning};
use stead_event::{NodeId, Tenant, cids};
use stead_log::{Append, Expect, Machine, Precondition, Rejection};
use stead_view::names::prune_body;
use stead_view::{Engine, UploadQuery, ViewError, Views, rebuild_offline};
use support::*;

fn present(bucket: &str, key: &str, expect: Expect) -> Precondition {
    Precondition::Object {
        bucket: bucket.into(),
        key: key.into(),
        expect,
    }
}

#[test]
fn a_rejected_append_leaves_nothing_and_does_not_touch_its_neighbours() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Node::open(directory.path());
    node.append(create("b"));
    let absent = present("b", "k", Expect::Absent);
    let first = node.compose(vec![absent.clone()], vec![put("b", "k", "first")]);
    let mut second = node.compose(
        vec![absent.clone()],
        vec![put("b", "k", "second"), put("b", "x", "x")],
    );
    second.blocks = vec![(cids::raw(b"second"), Bytes::from_static(b"second"))];
    let empty = Append {
        node: None,
        events: Vec::new(),
        ..second.clone()
    };
    let third = node.compose(
        vec![present("b", "k", Expect::ETag("etag-first".into()))],
        vec![put("b", "y", "y")],
    );
    let outcomes = node.batch(vec![first, second, empty, third]);
    assert_eq!(outcomes[0].as_ref().unwrap().first, 2);
    assert_eq!(outcomes[1], Err(Rejection(absent)));
    assert!(outcomes[2].is_err());
    assert_eq!(outcomes[3].as_ref().unwrap().first, 3);
    let names = node.views.names().unwrap();
    assert_eq!(names.object("b", "k").unwrap().unwrap().etag, "etag-first");
    assert_eq!(names.object("b", "x").unwrap(), None);
    assert_eq!((names.position().unwrap(), node.head()), (3, 3));
    assert!(!String::from_utf8(node.lines()).unwrap().contains("second"));
}

#[test]
fn every_precondition_holds_when_it_should_and_only_then() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Node::open(directory.path());
    let holds = |node: &mut Node, require: Precondition| {
        let head = node.head();
        // An event that changes nothing.
        let outcome = node.try_append(vec![require], vec![configured("no such bucket", "cors", None)]);
        assert_eq!(node.head(), head + u64::from(outcome.is_ok()));
        outcome.is_ok()
    };
    use Precondition as P;
    assert!(holds(&mut node, P::BucketAbsent("b".into())));
    assert!(!holds(&mut node, P::BucketExists("b".into())));
    node.append(create("b"));
    assert!(holds(&mut node, P::BucketExists("b".into())));
    assert!(!holds(&mut node, P::BucketAbsent("b".into())));
    assert!(holds(&mut node, P::BucketEmpty("b".into())));
    let (upload, _) = node.append(start_upload("b", "u"));
    assert!(
        holds(&mut node, P::BucketEmpty("b".into())),
        "an open upload goes with it"
    );
    let open = P::UploadOpen {
        bucket: "b".into(),
        key: "u".into(),
        upload: upload.to_string(),
    };
    assert!(holds(&mut node, open.clone()));
    node.append(part("b", "u", &upload, 2, "two"));
    let parts = |etag: &str| P::UploadParts {
        upload: upload.to_string(),
        parts: vec![(2, etag.into())],
    };
    assert!(holds(&mut node, parts("etag-two")));
    assert!(!holds(&mut node, parts("etag-one")));
    node.append(abort("b", "u", &upload));
    assert!(!holds(&mut node, open));
    assert!(!holds(&mut node, parts("etag-two")));

    assert!(!holds(&mut node, present("b", "k", Expect::Present)));
    let (made, _) = node.append(put("b", "k", "v"));
    assert!(holds(&mut node, present("b", "k", Expect::Present)));
    assert!(holds(&mut node, present("b", "k", Expect::Event(made))));
    assert!(!holds(&mut node, present("b", "k", Expect::Event(upload))));
    assert!(!holds(&mut node, present("b", "k", Expect::ETag("other".into()))));
    let version = |id: &str| P::VersionExists {
        bucket: "b".into(),
        key: "k".into(),
        version: id.into(),
    };
    assert!(holds(&mut node, version("null")));
    assert!(!holds(&mut node, version(&made.to_string())));
    node.append(versioned("b", Versioning::Enabled));
    node.append(delete("b", "k", None));
    assert!(holds(&mut node, present("b", "k", Expect::Absent)));
    assert!(holds(&mut node, version("null")));

    let head = node.head();
    assert!(!holds(&mut node, P::LogAt(head + 1)));
    assert!(holds(&mut node, P::LogAt(head)));
}

#[test]
fn access_keys_and_sealed_segments_are_folded() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Node::open(directory.path());
    let created = KeyCreated {
        access_key: "AK".into(),
        canonical_id: "ca".into(),
        name: "ana".into(),
        scope: Scope {
            read_only: true,
            buckets: vec!["b".into()],
        },
        sealed_secret: "c2VjcmV0".into(),
        via: via(),
    };
    let absent = Precondition::KeyAbsent("AK".into());
    node.try_append(vec![absent.clone()], vec![created.clone().into()])
        .unwrap();
    assert_eq!(
        node.try_append(vec![absent.clone()], vec![created.into()]),
        Err(Rejection(absent))
    );
    let active = Precondition::KeyActive("AK".into());
    let revoked = KeyRevoked {
        access_key: "AK".into(),
        via: via(),
    };
    node.try_append(vec![active.clone()], vec![revoked.clone().into()])
        .unwrap();
    assert_eq!(
        node.try_append(vec![active.clone()], vec![revoked.into()]),
        Err(Rejection(active))
    );
    let key = node.views.keys().unwrap().key("AK").unwrap().unwrap();
    assert_eq!((key.created.0, key.revoked.unwrap().0), (1, 2));
    assert!(key.scope.read_only);
    assert_eq!(node.views.keys().unwrap().keys().unwrap(), vec![key]);

    let sealed = LogSealed {
        cid: cids::raw(b"segment"),
        first: 1,
        head: cids::dag_json(b"{}"),
        last: 2,
        node: NodeId("00".repeat(32)),
        signature: String::new(),
        signed_at: moment(0),
        size: 7,
        tenant: Tenant::main(),
    };
    let unsealed = Precondition::SegmentUnsealed {
        tenant: Tenant::main(),
        first: 1,
    };
    let mut append = node.compose(vec![unsealed.clone()], vec![sealed.clone().into()]);
    append.tenant = Tenant::system();
    assert!(node.batch(vec![append.clone()])[0].is_ok());
    assert_eq!(node.batch(vec![append])[0], Err(Rejection(unsealed)));
    assert_eq!(
        node.views.segments().unwrap().sealed(&Tenant::main()).unwrap(),
        vec![sealed.clone()]
    );
    let names = node.views.names().unwrap();
    let roots: Vec<_> = names.reachable(None).unwrap().map(Result::unwrap).collect();
    assert_eq!(roots, vec![sealed.cid]);
}

fn filled(data: &Path) -> Node {
    let mut node = Node::open(data);
    node.append(create("b"));
    for number in 0..300 {
        node.append(put("b", &format!("k{:03}", number % 200), &number.to_string()));
    }
    node
}

#[test]
fn views_that_are_gone_or_damaged_are_folded_anew_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = filled(directory.path());
    node.engine.checkpoint().unwrap();
    let (entries, hash, lines) = (
        node.entries.clone(),
        node.views.dump_hash().unwrap(),
        node.lines(),
    );
    // Behind the checkpoint, so lost with the state, and brought again by the driver.
    node.append(put("b", "late", "late"));
    let after = node.entries.clone();
    let late = node.views.dump_hash().unwrap();
    let spoil = |directory: &Path, how: u32| match how {
        0 => std::fs::remove_dir_all(directory.join("state")).unwrap(),
        1 => std::fs::write(directory.join("state/views.redb"), b"not a database").unwrap(),
        2 => std::fs::remove_file(directory.join("state/views.redb.crc")).unwrap(),
        _ => flip_all(&directory.join("state/views.redb"), 0),
    };
    for how in 0..4 {
        let copy = tempfile::tempdir().unwrap();
        node.copy_as_killed(copy.path());
        spoil(copy.path(), how);
        let again = Node::open(copy.path());
        assert_eq!(again.engine.applied().index, entries.len() as u64, "{how}");
        assert_eq!(again.views.dump_hash().unwrap(), hash, "{how}");
        assert!(again.lines() == lines, "{how}");
        drop(again);
        let again = Node::recover(copy.path(), &after);
        assert_eq!(again.views.dump_hash().unwrap(), late, "{how}");
    }
}

#[test]
fn a_log_from_elsewhere_is_folded_and_a_lost_record_is_not_guessed() {
    let [from, to] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let node = filled(from.path());
    copy_tree(&from.path().join("log"), &to.path().join("log"));
    let _ = std::fs::remove_file(to.path().join("log/applied"));
    let again = Node::open(to.path());
    assert_eq!(again.views.dump_hash().unwrap(), node.views.dump_hash().unwrap());
    assert_eq!(again.engine.applied().index, 0);
    drop(again);
    std::fs::remove_file(to.path().join("log/applied")).unwrap();
    std::fs::remove_dir_all(to.path().join("state")).unwrap();
    std::fs::create_dir_all(to.path().join("raft/wal")).unwrap();
    let refused = Engine::open(options(to.path()), store(to.path()))
        .map(|_| ())
        .unwrap_err();
    assert!(matches!(refused, ViewError::Diverged(_)), "{refused}");
}

fn flip_all(path: &Path, from: u64) {
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let length = file.metadata().unwrap().len();
    for at in (from..length).step_by(512) {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 4], at).unwrap();
    }
}

#[test]
fn damage_found_while_running_is_repaired_under_way() {
    let directory = tempfile::tempdir().unwrap();
    // So little memory that pages are read again and again.
    let mut node = Node::open_with(stead_view::EngineOptions {
        cache_bytes: 1,
        ..options(directory.path())
    });
    node.append(create("b"));
    for number in 0..2000 {
        node.append(put("b", &format!("k{number:04}"), &number.to_string()));
    }
    node.engine.checkpoint().unwrap();
    let hash = node.views.dump_hash().unwrap();
    flip_all(&directory.path().join("state/views.redb"), 0);
    let found = node.views.dump_hash().unwrap_err();
    assert!(matches!(found, ViewError::Damaged(_)), "{found}");
    let mut rounds = 0;
    let repaired = loop {
        match node.views.dump_hash() {
            Ok(hash) => break hash,
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
        rounds += 1;
        assert!(rounds < 3000, "the views were not repaired");
    };
    assert_eq!(repaired, hash);

    // And where a write is the first to meet it.
    node.engine.checkpoint().unwrap();
    flip_all(&directory.path().join("state/views.redb"), 0);
    node.append(put("b", "k0001", "anew"));
    assert_eq!(
        node.views
            .names()
            .unwrap()
            .object("b", "k0001")
            .unwrap()
            .unwrap()
            .etag,
        "etag-anew"
    );
    drop(node);
    assert!(rebuild_offline(directory.path(), &mut |_, _| {}).unwrap().equal);
}

#[tokio::test]
async fn a_rebuild_under_way_is_equal_and_takes_in_what_comes_meanwhile() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = filled(directory.path());
    let views = node.views.clone();
    let held = node.views.names().unwrap();
    let rebuild = async { views.rebuild(|_, _| {}).await.unwrap() };
    let write = async {
        for number in 0..50 {
            node.append(put("b", &format!("m{number}"), "meanwhile"));
            tokio::task::yield_now().await;
        }
    };
    let (report, ()) = tokio::join!(rebuild, write);
    assert!(report.equal, "{:?} differ", report.different);
    assert!(report.events >= 301);
    assert_eq!(held.object("b", "k000").unwrap().unwrap().etag, "etag-200");
    let names = node.views.names().unwrap();
    assert_eq!(names.object("b", "m49").unwrap().unwrap().etag, "etag-meanwhile");
    let hash = node.views.dump_hash().unwrap();
    node.append(put("b", "after", "after"));
    let later = node.views.dump_hash().unwrap();
    assert_ne!(hash, later);
    drop((names, held));
    drop(node);
    assert_eq!(Node::open(directory.path()).views.dump_hash().unwrap(), later);
}

#[test]
fn a_directory_without_a_node_is_read_and_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = filled(directory.path());
    node.engine.checkpoint().unwrap();
    node.append(put("b", "late", "late"));
    let killed = tempfile::tempdir().unwrap();
    node.copy_as_killed(killed.path());
    let before = std::fs::read(killed.path().join("state/views.redb")).unwrap();
    for without_state in [false, true] {
        if without_state {
            std::fs::remove_dir_all(killed.path().join("state")).unwrap();
        }
        let (views, _) = Views::offline(killed.path(), 4 << 20).unwrap();
        assert_eq!(views.dump_hash().unwrap(), node.views.dump_hash().unwrap());
        drop(views);
        if !without_state {
            assert!(std::fs::read(killed.path().join("state/views.redb")).unwrap() == before);
        }
    }
}

#[test]
fn pruning_drops_old_history_only_and_is_itself_an_event() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Node::open(directory.path());
    node.append(create("b"));
    let (_, one) = node.append(put("b", "k", "one"));
    let (_, two) = node.append(put("b", "k", "two"));
    let before = moment(node.head() as i64 + 1);
    let (_, three) = node.append(put("b", "k", "three"));
    node.append(delete("b", "k", None));
    let etags = |node: &Node| -> Vec<String> {
        node.views
            .names()
            .unwrap()
            .versions("b", "k")
            .unwrap()
            .into_iter()
            .map(|r| r.etag)
            .collect()
    };
    assert_eq!(etags(&node), ["", "etag-three", "etag-two", "etag-one"]);
    node.append(prune_body(before));
    assert_eq!(etags(&node), ["", "etag-three", "etag-two"]);
    let names = node.views.names().unwrap();
    assert_eq!(names.pruned_before().unwrap(), Some(before));
    assert_eq!(names.object_at("b", "k", one).unwrap(), None);
    assert_eq!(names.object_at("b", "k", two).unwrap().unwrap().etag, "etag-two");
    assert_eq!(
        names.object_at("b", "k", three).unwrap().unwrap().etag,
        "etag-three"
    );
    let roots = |since| -> BTreeSet<String> {
        names
            .reachable(since)
            .unwrap()
            .map(|cid| cid.unwrap().to_string())
            .collect()
    };
    assert_eq!(roots(None).len(), 2);
    assert_eq!(roots(Some(moment(node.head() as i64 - 1))).len(), 1);
    drop(names);
    node.append(prune_body(moment(1_000)));
    assert!(etags(&node).is_empty());
    drop(node);
    assert!(rebuild_offline(directory.path(), &mut |_, _| {}).unwrap().equal);
}

#[test]
fn times_lead_to_positions() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Node::open(directory.path());
    node.append(create("b"));
    for _ in 0..30 {
        let bodies = (0..100)
            .map(|number| put("b", &number.to_string(), "x"))
            .collect();
        node.try_append(Vec::new(), bodies).unwrap();
    }
    assert_eq!(node.head(), 3001);
    for position in [1, 2, 1023, 1024, 1025, 1026, 2048, 2049, 3000, 3001] {
        let at = moment(position);
        assert_eq!(node.views.position_at(at).unwrap(), position as u64);
        assert_eq!(
            node.views.position_at(at.plus_secs(-1)).unwrap(),
            position as u64 - 1
        );
    }
    assert_eq!(node.views.position_at(moment(9999)).unwrap(), 3001);
}

#[test]
fn uploads_are_listed_completed_and_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Node::open(directory.path());
    node.append(create("b"));
    let mut uploads = Vec::new();
    for key in ["a/1", "a/1", "a/2", "b", "a\0"] {
        uploads.push((key, node.append(start_upload("b", key)).0));
    }
    node.append(part("b", "a/1", &uploads[0].1, 1, "early"));
    node.append(part("b", "a/1", &uploads[0].1, 1, "late"));
    node.append(part("b", "a/1", &uploads[0].1, 7, "seven"));
    node.append(part("b", "other key", &uploads[0].1, 8, "lost"));
    let mut sorted = uploads.clone();
    sorted.sort();
    let names = node.views.names().unwrap();
    for max in 1..7 {
        let mut query = UploadQuery {
            max,
            ..UploadQuery::default()
        };
        let mut found = Vec::new();
        loop {
            let page = names.uploads("b", &query).unwrap();
            found.extend(page.uploads.into_iter().map(|upload| (upload.key, upload.id)));
            match page.next {
                Some((key, id)) => (query.key_marker, query.upload_marker) = (Some(key), id),
                None => break,
            }
        }
        let found: Vec<_> = found.iter().map(|(key, id)| (&key[..], *id)).collect();
        assert_eq!(found, sorted);
    }
    let rolled = UploadQuery {
        delimiter: Some("/".into()),
        max: 9,
        ..UploadQuery::default()
    };
    let page = names.uploads("b", &rolled).unwrap();
    assert_eq!((page.prefixes, page.uploads.len()), (vec!["a/".to_owned()], 2));
    let id = uploads[0].1.to_string();
    let numbers: Vec<_> = names
        .parts(&id, 0, 9)
        .unwrap()
        .into_iter()
        .map(|p| (p.number, p.etag))
        .collect();
    assert_eq!(
        numbers,
        [(1, "etag-late".to_owned()), (7, "etag-seven".to_owned())]
    );
    assert_eq!(names.parts(&id, 1, 9).unwrap().len(), 1);
    let mut put = object("b", "a/1", "whole");
    put.upload = Some(id.clone());
    node.append(put.into());
    let names = node.views.names().unwrap();
    assert!(names.parts(&id, 0, 9).unwrap().is_empty());
    assert_eq!(names.upload("b", "a/1", &id).unwrap(), None);
    assert_eq!(
        names
            .upload("b", "a/1", &uploads[1].1.to_string())
            .unwrap()
            .unwrap()
            .key,
        "a/1"
    );
    assert_eq!(names.config("b", "cors").unwrap(), None);
    node.append(configured("b", "cors", Some("<C/>")));
    assert_eq!(
        node.views.names().unwrap().config("b", "cors").unwrap().unwrap(),
        "<C/>"
    );
}
