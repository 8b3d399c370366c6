//! What a lock forbids is refused where it would be applied, whatever was proposed.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use stead_event::body::{
    BucketConfigured, Grant, Grantee, LockMode, ObjectGranted, ObjectHeld, ObjectRetained,
};
use stead_event::body::{ObjectDeleted, Permission, Retention, Versioning};
use stead_event::{Body, EventId};
use stead_log::{Outcome, Precondition, Rejection};
use stead_view::OBJECT_LOCK;
use support::*;

fn until(secs: i64, mode: LockMode) -> Option<Retention> {
    let until = moment(secs);
    Some(Retention { mode, until })
}

fn retain(version: EventId, retention: Option<Retention>, bypass: bool) -> Body {
    ObjectRetained {
        bucket: "b".into(),
        bypass,
        key: "k".into(),
        retention,
        version: Some(version.to_string()),
        via: via(),
    }
    .into()
}

fn hold(version: EventId, hold: bool) -> Body {
    ObjectHeld {
        bucket: "b".into(),
        hold,
        key: "k".into(),
        version: Some(version.to_string()),
        via: via(),
    }
    .into()
}

fn bypassing(version: EventId) -> Body {
    ObjectDeleted {
        bucket: "b".into(),
        bypass: true,
        key: "k".into(),
        version: Some(version.to_string()),
        via: via(),
    }
    .into()
}

/// A bucket that locks objects, with one version of `k`.
fn locking(node: &mut Node) -> EventId {
    node.append(create("b"));
    node.append(versioned("b", Versioning::Enabled));
    node.append(configured("b", OBJECT_LOCK, Some("{}")));
    node.append(put("b", "k", "one")).0
}

fn refused(outcome: &Outcome) -> bool {
    matches!(outcome, Err(Rejection(Precondition::Unlocked { .. })))
}

#[test]
fn a_retained_version_goes_only_by_a_bypass_of_governance_or_in_time() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Node::open(directory.path());
    let version = locking(&mut node);
    let one = version.to_string();
    node.append(retain(version, until(1000, LockMode::Governance), false));
    assert!(refused(
        &node.try_append(vec![], vec![delete("b", "k", Some(&one))])
    ));
    assert!(refused(
        &node.try_append(vec![], vec![retain(version, None, false)])
    ));
    assert!(refused(&node.try_append(
        vec![],
        vec![retain(version, until(900, LockMode::Governance), false)]
    )));
    node.append(retain(version, until(2000, LockMode::Governance), false));
    // A marker on top hides the version and frees nothing.
    node.append(delete("b", "k", None));
    let names = node.views.names().unwrap();
    assert!(names.version("b", "k", &one).unwrap().is_some());
    drop(names);
    node.append(bypassing(version));

    let second = node.append(put("b", "k", "two")).0;
    node.append(retain(second, until(40, LockMode::Compliance), false));
    assert!(refused(&node.try_append(vec![], vec![bypassing(second)])));
    assert!(refused(&node.try_append(
        vec![],
        vec![retain(second, until(50, LockMode::Governance), true)]
    )));
    // Each append of the test is a second later than the one before.
    while node.draft(create("x")).at < moment(40) {}
    node.append(delete("b", "k", Some(&second.to_string())));
}

#[test]
fn a_hold_stands_against_everything_but_its_lifting() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Node::open(directory.path());
    let version = locking(&mut node);
    node.append(hold(version, true));
    assert!(refused(&node.try_append(vec![], vec![bypassing(version)])));
    assert!(refused(&node.try_append(vec![], vec![drop_bucket("b")])));
    node.append(hold(version, false));
    node.append(delete("b", "k", Some(&version.to_string())));
    node.append(drop_bucket("b"));
}

#[test]
fn a_bucket_that_locks_goes_on_keeping_versions() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Node::open(directory.path());
    locking(&mut node);
    let suspended = versioned("b", Versioning::Suspended);
    assert!(refused(&node.try_append(vec![], vec![suspended])));
    let unlocked = BucketConfigured {
        bucket: "b".into(),
        name: OBJECT_LOCK.into(),
        document: None,
        via: via(),
    };
    assert!(refused(&node.try_append(vec![], vec![unlocked.into()])));
}

#[test]
fn locks_and_grants_are_kept_and_folded_anew() {
    let directory = tempfile::tempdir().unwrap();
    let mut node = Node::open(directory.path());
    let version = locking(&mut node);
    let grant = Grant {
        permission: Permission::Read,
        to: Grantee::Everyone,
    };
    node.append(
        ObjectGranted {
            acl: vec![grant.clone()],
            bucket: "b".into(),
            key: "k".into(),
            version: None,
            via: via(),
        }
        .into(),
    );
    node.append(hold(version, true));
    node.append(retain(version, until(1000, LockMode::Compliance), false));
    let record = node.views.names().unwrap().object("b", "k").unwrap().unwrap();
    assert_eq!(record.acl, vec![grant]);
    assert_eq!(record.retention, until(1000, LockMode::Compliance));
    assert!(record.hold && record.owner.is_none());
    let before = node.views.dump_hash().unwrap();
    let (entries, data) = (node.entries.clone(), node.data.clone());
    drop(node);
    std::fs::remove_dir_all(data.join("state")).unwrap();
    let node = Node::recover(&data, &entries);
    assert_eq!(node.views.dump_hash().unwrap(), before);
}
