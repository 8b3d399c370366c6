//! Object lock through the object layer, and the collector that must keep what is locked.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Node, frames};
use stead_event::Timestamp;
use stead_event::body::{LockMode, Retention, Versioning};
use stead_gateway::objects::{
    DefaultRetention, DeleteDone, DeleteTarget, Expiry, HoldRequest, Lock, LockConfig, NewBucket,
    ObjectError, Period, PutDone, PutRequest, RetainRequest, Verify,
};

const B: &str = "bucket";
const K: &str = "k";

async fn locking() -> Node {
    let node = Node::new();
    let options = NewBucket {
        locks: true,
        ..NewBucket::default()
    };
    node.objects
        .create_bucket_with(B, options, node.caller())
        .await
        .unwrap();
    node
}

fn in_days(node: &Node, days: i64) -> Timestamp {
    node.objects.context().now().plus_secs(days * 86_400)
}

async fn put(node: &Node, lock: Lock) -> Result<PutDone, ObjectError> {
    let request = PutRequest {
        lock,
        ..node.put_request(B, K)
    };
    // Behind the event, in a pack: something for the collector.
    node.objects
        .put(request, frames(&[7; 100_000], 50_000), Verify::default())
        .await
}

async fn delete(node: &Node, version: Option<&str>, bypass: bool) -> Result<DeleteDone, ObjectError> {
    let target = DeleteTarget {
        key: K.into(),
        version: version.map(str::to_owned),
        expect: None,
        bypass,
    };
    let mut all = node
        .objects
        .delete_many(B, vec![target], node.caller())
        .await
        .unwrap();
    all.pop().unwrap()
}

async fn retain(node: &Node, retention: Option<Retention>, bypass: bool) -> Result<String, ObjectError> {
    let request = RetainRequest {
        bucket: B.into(),
        key: K.into(),
        version: None,
        retention,
        bypass,
        caller: node.caller(),
    };
    node.objects.retain(request).await
}

fn is_locked<T: std::fmt::Debug>(outcome: &Result<T, ObjectError>) -> bool {
    matches!(outcome, Err(ObjectError::Locked { .. }))
}

#[tokio::test]
async fn a_bucket_that_locks_keeps_versions_from_its_first_moment() {
    let node = locking().await;
    let record = node
        .objects
        .context()
        .views
        .names()
        .unwrap()
        .bucket(B)
        .unwrap()
        .unwrap();
    assert_eq!(record.versioning, Versioning::Enabled);
    assert_eq!(node.objects.lock_config(B).unwrap(), Some(LockConfig::default()));
    assert_eq!(node.position(), 3, "one append of three events");
    let suspended = node
        .objects
        .set_versioning(B, Versioning::Suspended, node.caller())
        .await;
    assert!(is_locked(&suspended));
}

#[tokio::test]
async fn a_lock_takes_a_bucket_that_locks() {
    let node = Node::with_bucket(B).await;
    let lock = Lock {
        hold: true,
        retention: None,
    };
    assert!(matches!(put(&node, lock).await, Err(ObjectError::NotLocking(_))));
    let configured = node
        .objects
        .configure_lock(B, LockConfig::default(), node.caller())
        .await;
    assert!(matches!(configured, Err(ObjectError::BucketState(_))));
    node.objects
        .set_versioning(B, Versioning::Enabled, node.caller())
        .await
        .unwrap();
    node.objects
        .configure_lock(B, LockConfig::default(), node.caller())
        .await
        .unwrap();
    put(&node, lock).await.unwrap();
}

#[tokio::test]
async fn the_default_is_for_what_brings_no_retention() {
    let node = locking().await;
    let default = DefaultRetention {
        mode: LockMode::Governance,
        period: Period::Days(2),
    };
    let config = LockConfig {
        default: Some(default),
    };
    node.objects
        .configure_lock(B, config, node.caller())
        .await
        .unwrap();
    let before = in_days(&node, 2);
    put(&node, Lock::default()).await.unwrap();
    let kept = node.objects.head(&node.request(B, K)).unwrap().retention.unwrap();
    assert!(kept.mode == LockMode::Governance && kept.until >= before && kept.until <= in_days(&node, 2));
    let own = Retention {
        mode: LockMode::Compliance,
        until: in_days(&node, 1),
    };
    let lock = Lock {
        retention: Some(own),
        hold: false,
    };
    put(&node, lock).await.unwrap();
    assert_eq!(
        node.objects.head(&node.request(B, K)).unwrap().retention,
        Some(own)
    );
}

#[tokio::test]
async fn what_is_locked_is_neither_deleted_nor_collected() {
    let node = locking().await;
    let governed = Retention {
        mode: LockMode::Governance,
        until: in_days(&node, 1),
    };
    let lock = Lock {
        retention: Some(governed),
        hold: true,
    };
    let done = put(&node, lock).await.unwrap();
    let version = done.version.clone().unwrap();
    assert!(is_locked(&delete(&node, Some(&version), false).await));
    assert!(is_locked(&delete(&node, Some(&version), true).await), "the hold");
    // A marker on top is always allowed, and hides without freeing.
    assert!(delete(&node, None, false).await.unwrap().marker);
    let names = node.objects.context().views.names().unwrap();
    let mut reachable = names.reachable(Some(in_days(&node, 1000))).unwrap();
    assert!(reachable.any(|cid| cid.unwrap() == done.cid));
    let emptied = node.objects.delete_bucket(B, node.caller()).await;
    assert!(matches!(
        emptied,
        Err(ObjectError::BucketNotEmpty(_) | ObjectError::Locked { .. })
    ));
    let hold = HoldRequest {
        bucket: B.into(),
        key: K.into(),
        version: Some(version.clone()),
        hold: false,
        caller: node.caller(),
    };
    node.objects.hold(hold).await.unwrap();
    assert!(
        is_locked(&delete(&node, Some(&version), false).await),
        "governance"
    );
    delete(&node, Some(&version), true).await.unwrap();
}

#[tokio::test]
async fn retention_grows_and_shrinks_only_with_a_bypass() {
    let node = locking().await;
    put(&node, Lock::default()).await.unwrap();
    let until = |mode, days| {
        Some(Retention {
            mode,
            until: in_days(&node, days),
        })
    };
    let (governance, compliance) = (LockMode::Governance, LockMode::Compliance);
    retain(&node, until(governance, 5), false).await.unwrap();
    retain(&node, until(governance, 6), false).await.unwrap();
    assert!(is_locked(&retain(&node, until(governance, 5), false).await));
    assert!(
        is_locked(&retain(&node, until(compliance, 9), false).await),
        "a change of mode"
    );
    retain(&node, until(governance, 4), true).await.unwrap();
    retain(&node, None, true).await.unwrap();
    retain(&node, until(compliance, 3), false).await.unwrap();
    for weaker in [until(compliance, 2), until(governance, 9), None] {
        assert!(is_locked(&retain(&node, weaker, true).await));
    }
    retain(&node, until(compliance, 4), false).await.unwrap();
}

#[tokio::test]
async fn open_uploads_go_with_their_bucket() {
    let node = Node::with_bucket(B).await;
    let request = stead_gateway::objects::StartRequest {
        bucket: B.into(),
        key: K.into(),
        headers: Default::default(),
        metadata: Default::default(),
        tags: Default::default(),
        lock: Lock::default(),
        protect: Default::default(),
        checksum_algorithm: None,
        checksum_composite: None,
        caller: node.caller(),
    };
    let upload = node.objects.start_upload(request).await.unwrap().0;
    node.objects.delete_bucket(B, node.caller()).await.unwrap();
    node.objects.create_bucket(B, node.caller()).await.unwrap();
    let names = node.objects.context().views.names().unwrap();
    assert!(names.upload(B, K, &upload).unwrap().is_none());
}

#[tokio::test]
async fn a_rule_deletes_only_what_is_still_what_it_saw() {
    let node = locking().await;
    let held = Lock {
        hold: true,
        retention: None,
    };
    let first = put(&node, held).await.unwrap();
    let second = put(&node, Lock::default()).await.unwrap();
    let due = |version: Option<&str>, current: stead_event::EventId| Expiry {
        key: K.into(),
        version: version.map(str::to_owned),
        current: Some(current),
        rule: "r".into(),
    };
    let locked = due(first.version.as_deref(), second.event);
    let stale = due(None, first.event);
    let gone = due(Some(&"0".repeat(32)), second.event);
    let good = due(None, second.event);
    let caller = node.caller();
    let refused = vec![locked, stale, gone];
    assert_eq!(node.objects.expire(B, refused.clone(), &caller).await.unwrap(), 0);
    let all = [refused, vec![good]].concat();
    assert_eq!(node.objects.expire(B, all, &caller).await.unwrap(), 1);
    let names = node.objects.context().views.names().unwrap();
    assert!(names.object(B, K).unwrap().unwrap().marker);
    assert!(names.version(B, K, &first.version.unwrap()).unwrap().is_some());
}
