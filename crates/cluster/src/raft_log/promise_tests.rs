//! A voter that was restarted keeps what it promised before.

use super::start::{begin, open_wal};
use super::*;
use crate::mesh::{Ask, Reply, Service, VoteAsk};
use crate::service::Answers;
use crate::testing::{Fake, append, options};
use crate::types::Member;
use stead_block::{LocalOptions, LocalStore};
use stead_log::Tail;

/// A log whose newest entry makes node 2 a voter too, as a crash leaves it.
async fn of_two_voters(dir: &std::path::Path, machine: &Fake) {
    let log = start(options(dir), Box::new(machine.clone()))
        .await
        .expect("starts");
    log.append(append(0, 0)).await.expect("is accepted");
    let other = Member {
        name: "02".repeat(32),
        ..Member::default()
    };
    log.raft.add_learner(2, other, false).await.expect("is added");
    // Decided by both, and the other does not exist.
    let voters = log.raft.change_membership([1, 2], false);
    let decided = tokio::time::timeout(Duration::from_millis(300), voters).await;
    assert!(decided.is_err(), "it cannot be decided");
    let _ = log.raft.shutdown().await;
    log.wal.stop().await;
    log.machine.stop().await;
}

fn member(dir: &std::path::Path) -> ClusterOptions {
    let alone = options(dir);
    let local = LocalOptions {
        tasks: alone.tasks.clone(),
        ..LocalOptions::default()
    };
    let (packs, state) = (dir.join("blocks"), dir.join("state"));
    let store = LocalStore::open(&packs, &state, local, alone.space.clone()).expect("opens");
    let together = Together {
        secret: [1; 32],
        listen: "127.0.0.1:0".parse().expect("an address"),
        member: true,
        tail: Tail::open(dir).expect("opens"),
        store,
        label: String::new(),
        facts: crate::Facts::default(),
        level: Default::default(),
        wants: None,
        known: Vec::new(),
        door: None,
    };
    ClusterOptions {
        together: Some(together),
        ..alone
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voter_that_was_restarted_does_not_vote_until_its_promises_have_run_out() {
    let dir = tempfile::tempdir().expect("a directory");
    let machine = Fake::default();
    of_two_voters(dir.path(), &machine).await;
    let options = member(dir.path());
    let wal = open_wal(&options, None).await.expect("opens");
    let thread = MachineThread::start(Box::new(Fake::default()), None, &options.tasks).expect("starts");
    let began = Instant::now();
    let log = begin(&options, &wal, &thread).await.expect("begins");
    let answers = Answers::new(Arc::downgrade(&log));
    let ask = |transfer| {
        Ask::Vote(VoteAsk {
            vote: (100, 2, false),
            last: Some((100, 1_000)),
            transfer,
            pre: false,
        })
    };
    let from = NodeId("02".repeat(32));
    let refused = answers.answer(from.clone(), ask(false)).await;
    assert!(matches!(refused, Reply::Refused(_)), "{refused:?}");
    let known = log.raft.wait(Some(Duration::from_secs(1)));
    known
        .metrics(|metrics| metrics.current_term > 0, "it has a term")
        .await
        .expect("soon");
    let term = log.status().term;
    tokio::time::sleep_until(began + Duration::from_millis(ELECTION_MS.1 - 100)).await;
    assert_eq!(log.status().term, term, "it does not stand for election either");
    tokio::time::sleep_until(began + Duration::from_millis(ELECTION_MS.1 + 100)).await;
    let granted = answers.answer(from, ask(false)).await;
    assert!(
        matches!(&granted, Reply::Vote(vote) if vote.granted),
        "{granted:?}"
    );
    let _ = log.raft.shutdown().await;
    wal.stop().await;
    thread.stop().await;
}
