//! The whole path: start, append, share syncs, restart, fail.

use crate::testing::{Failure, Fake, append, event_id, options, rejected};
use crate::{ClusterError, RaftLog, start};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use stead_log::{Log, LogError};
use stead_runtime::Space;

async fn open(dir: &Path, machine: &Fake) -> Arc<RaftLog> {
    start(options(dir), Box::new(machine.clone()))
        .await
        .expect("starts")
}

async fn append_all(log: &Arc<RaftLog>, numbers: std::ops::Range<u64>) {
    let tasks = stead_runtime::Tasks::new();
    let waiting: Vec<_> = numbers
        .map(|n| {
            let log = log.clone();
            tasks.spawn(stead_runtime::TaskKind::Connection, "append", async move {
                log.append(append(n, 4096)).await
            })
        })
        .collect();
    for waiting in waiting {
        waiting.await.expect("does not panic").expect("is accepted");
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("lists") {
        let entry = entry.expect("an entry");
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copies");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn appends_are_answered_in_order_and_survive_a_stop() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Fake::default();
    let log = open(dir.path(), &machine).await;
    for n in 0..10 {
        let appended = log.append(append(n, 100)).await.expect("is accepted");
        assert_eq!((appended.first, appended.last), (n + 1, n + 1));
    }
    assert!(matches!(
        log.append(rejected(99)).await,
        Err(LogError::Rejected(_))
    ));
    let status = log.status();
    assert_eq!((status.leader, status.voters.as_slice()), (Some(1), &[1][..]));
    log.stop().await.expect("stops");
    assert!(matches!(
        log.append(append(99, 0)).await,
        Err(LogError::Unavailable(_))
    ));
    assert_eq!(
        machine.durable().index,
        status.applied.expect("something was") + 1
    );

    let restarted = machine.crashed();
    let log = open(dir.path(), &restarted).await;
    assert_eq!(restarted.ids(), (0..10).map(event_id).collect::<Vec<_>>());
    assert!(log.status().term > status.term);
    assert_eq!(log.append(append(10, 0)).await.expect("is accepted").first, 11);
    log.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loses_nothing_that_was_answered() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Fake::default();
    let log = open(dir.path(), &machine).await;
    append_all(&log, 0..100).await;
    log.checkpoint().await.expect("makes a checkpoint");
    append_all(&log, 100..300).await;
    assert_eq!(machine.crashed().ids().len(), 100);
    let after = tempfile::tempdir().expect("a directory");
    copy(&dir.path().join("raft"), &after.path().join("raft"));
    let restarted = machine.crashed();
    let second = open(after.path(), &restarted).await;
    let mut ids = restarted.ids();
    assert_eq!(ids, machine.ids(), "the replay gives the same order");
    assert!(
        restarted.calls().iter().any(|entries| *entries > 1),
        "a replay passes several entries at once"
    );
    ids.sort_unstable();
    assert_eq!(ids, (0..300).map(event_id).collect::<Vec<_>>());
    append_all(&second, 300..310).await;
    second.stop().await.expect("stops");
    log.stop().await.expect("stops");
}

#[tokio::test] // one thread: all the appends are waiting before the first entry is made
async fn concurrent_appends_share_entries_and_syncs() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Fake::default();
    let log = open(dir.path(), &machine).await;
    let before = log.status();
    append_all(&log, 0..256).await;
    let after = log.status();
    let (syncs, entries) = (
        after.wal_syncs - before.wal_syncs,
        after.wal_entries - before.wal_entries,
    );
    assert!(syncs <= entries, "{syncs} syncs for {entries} entries");
    assert!(entries <= 64, "{entries} entries for 256 appends");
    log.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_an_append_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    let log = open(dir.path(), &Fake::default()).await;
    let mut empty = append(0, 0);
    empty.events.clear();
    assert!(matches!(log.append(empty).await, Err(LogError::Invalid(_))));
    assert!(matches!(
        log.append(append(0, 65_537)).await,
        Err(LogError::Invalid(_))
    ));
    log.append(append(0, 65_536)).await.expect("just fits");
    log.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_at_once_and_a_full_machine_is_asked_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut full = options(dir.path());
    full.space = Space::new(dir.path(), u64::MAX);
    let machine = Fake::default();
    let log = start(full, Box::new(machine.clone())).await.expect("starts");
    assert!(matches!(log.append(append(0, 10)).await, Err(LogError::Full)));
    log.stop().await.expect("stops");

    let log = open(dir.path(), &machine).await;
    machine.fail_apply([Failure::Full, Failure::Full]);
    log.append(append(0, 10))
        .await
        .expect("is applied when there is room");
    machine.fail_checkpoint([Failure::Full]);
    assert!(matches!(log.checkpoint().await, Err(LogError::Full)));
    log.checkpoint().await.expect("there is room now");
    assert_eq!(
        machine.durable().index,
        log.status().applied.expect("applied") + 1
    );
    log.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_without_room_to_apply_says_so_instead_of_waiting() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Fake::default();
    let log = open(dir.path(), &machine).await;
    append_all(&log, 0..5).await;
    log.stop().await.expect("stops");
    let empty = Fake::default();
    empty.fail_apply(vec![Failure::Full; 1000]);
    let begun = start(options(dir.path()), Box::new(empty));
    let refused = tokio::time::timeout(Duration::from_secs(20), begun)
        .await
        .expect("it does not wait for room");
    assert!(matches!(refused, Err(crate::ClusterError::Full)));
    let roomy = Fake::default();
    let log = open(dir.path(), &roomy).await;
    assert_eq!(roomy.ids(), machine.ids(), "nothing is lost by it");
    log.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_appends_hear_that_the_disk_is_full() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Fake::default();
    let log = open(dir.path(), &machine).await;
    machine.fail_apply(vec![Failure::Full; 10]);
    let tasks = stead_runtime::Tasks::new();
    let mut waiting = Vec::new();
    for n in 0..6 {
        let log = log.clone();
        let run = async move { log.append(append(n, 10)).await };
        waiting.push(tasks.spawn(stead_runtime::TaskKind::Connection, "append", run));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut full = 0;
    for waiting in waiting {
        match waiting.await.expect("does not panic") {
            Ok(_) => {}
            Err(LogError::Full) => full += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(full > 0, "those behind the ones on their way are refused");
    assert_eq!(machine.ids().len(), 6 - full);
    log.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_machine_makes_the_log_unavailable_and_a_restart_applies_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Fake::default();
    let log = open(dir.path(), &machine).await;
    log.append(append(0, 10)).await.expect("is accepted");
    machine.fail_apply([Failure::Broken]);
    assert!(matches!(
        log.append(append(1, 10)).await,
        Err(LogError::Unavailable(_))
    ));
    assert!(matches!(
        log.append(append(2, 10)).await,
        Err(LogError::Unavailable(_))
    ));
    assert!(log.stop().await.is_err() || log.status().durable <= log.status().applied);
    let restarted = machine.crashed();
    let log = open(dir.path(), &restarted).await;
    assert_eq!(restarted.ids()[..2], [event_id(0), event_id(1)]);
    log.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_lost_its_files_is_replayed() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Fake::default();
    let log = open(dir.path(), &machine).await;
    append_all(&log, 0..20).await;
    log.stop().await.expect("stops");
    // The files still hold every entry, whatever was checkpointed: nothing is lost.
    let empty = Fake::default();
    let log = open(dir.path(), &empty).await;
    assert_eq!(empty.ids(), machine.ids());
    log.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_ahead_log_that_was_lost_is_begun_behind_what_is_durable() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Fake::default();
    let log = open(dir.path(), &machine).await;
    append_all(&log, 0..20).await;
    let applied = log.status().applied;
    log.stop().await.expect("stops");
    std::fs::remove_dir_all(dir.path().join("raft")).expect("removes");
    let restarted = machine.crashed();
    for n in 0..2 {
        let log = open(dir.path(), &restarted).await;
        assert!(log.status().applied > applied);
        assert_eq!(
            log.append(append(100 + n, 0)).await.expect("is accepted").first,
            21 + n
        );
        log.stop().await.expect("stops");
    }
    assert_eq!(restarted.ids().len(), 22);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_purged_below_what_is_durable_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Fake::default();
    let mut seldom = options(dir.path());
    seldom.checkpoint_every = Duration::from_secs(3600);
    seldom.checkpoint_bytes = u64::MAX;
    let log = start(seldom, Box::new(machine.clone())).await.expect("starts");
    let files = || std::fs::read_dir(dir.path().join("raft")).expect("lists").count();
    for round in 0..40 {
        let tasks = stead_runtime::Tasks::new();
        let waiting: Vec<_> = (0..32)
            .map(|n| {
                let log = log.clone();
                let run = async move { log.append(append(round * 32 + n, 65_536)).await };
                tasks.spawn(stead_runtime::TaskKind::Connection, "append", run)
            })
            .collect();
        for waiting in waiting {
            waiting.await.expect("does not panic").expect("is accepted");
        }
    }
    let many = files();
    assert!(many >= 6, "80 MiB are in several files: {many}");
    assert_eq!(log.status().purged, None);
    log.checkpoint().await.expect("makes a checkpoint");
    for _ in 0..100 {
        if log.status().purged == log.status().durable {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(log.status().purged, log.status().durable);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(files() <= 4, "{} files are left", files());
    log.stop().await.expect("stops");
    // An older machine does not fit the purged log.
    let refused = start(options(dir.path()), Box::new(Fake::default())).await;
    assert!(matches!(refused, Err(ClusterError::Diverged(_))));
    let restarted = machine.crashed();
    let log = open(dir.path(), &restarted).await;
    assert_eq!(restarted.ids().len(), 40 * 32);
    log.stop().await.expect("stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn checkpoints_are_made_after_time_and_after_bytes() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Fake::default();
    let mut often = options(dir.path());
    often.checkpoint_every = Duration::from_millis(50);
    let log = start(often, Box::new(machine.clone())).await.expect("starts");
    log.append(append(0, 10)).await.expect("is accepted");
    let until = log.status().applied.expect("applied") + 1;
    for _ in 0..100 {
        if machine.durable().index == until {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(machine.durable().index, until);
    log.stop().await.expect("stops");
}
