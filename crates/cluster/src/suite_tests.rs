//! openraft's own storage suite over the write-ahead log and the machine's adapter. Its test of a snapshot's
//! transfer is left out: taking one over is not supported yet, which is tested here instead.

use crate::machine::MachineThread;
use crate::store::LogStore;
use crate::testing::Fake;
use crate::types::TypeConfig;
use crate::wal::{Wal, WalOptions};
use openraft::storage::{RaftSnapshotBuilder, RaftStateMachine};
use openraft::testing::log::{StoreBuilder, Suite};
use stead_runtime::{Clock, Tasks};

struct Builder;

type Store = Suite<TypeConfig, LogStore, MachineThread, Builder, tempfile::TempDir>;

fn build() -> (tempfile::TempDir, LogStore, MachineThread) {
    let dir = tempfile::tempdir().expect("a directory");
    let tasks = Tasks::new();
    let options = WalOptions {
        dir: dir.path().join("raft"),
        segment_bytes: 1024 * 1024,
        recent_bytes: 200, // so that most entries are read from the file
        durable: None,
        tasks: tasks.clone(),
        clock: Clock::system(),
    };
    let wal = Wal::open(options).expect("opens");
    let machine = MachineThread::start(Box::new(Fake::default()), None, &tasks).expect("starts");
    (dir, LogStore(wal), machine)
}

impl StoreBuilder<TypeConfig, LogStore, MachineThread, tempfile::TempDir> for Builder {
    async fn build(
        &self,
    ) -> Result<(tempfile::TempDir, LogStore, MachineThread), openraft::StorageError<TypeConfig>> {
        Ok(build())
    }
}

macro_rules! suite {
    ($($name:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let (_dir, store, machine) = build();
                Store::$name(store, machine).await.expect("the suite's test passes");
            }
        )*
    };
}

suite! {
    last_membership_in_log_initial
    last_membership_in_log
    last_membership_in_log_multi_step
    get_membership_initial
    get_membership_from_log_and_empty_sm
    get_membership_from_empty_log_and_sm
    get_membership_from_log_le_sm_last_applied
    get_membership_from_log_gt_sm_last_applied_1
    get_membership_from_log_gt_sm_last_applied_2
    get_initial_state_without_init
    get_initial_state_membership_from_empty_log_and_sm
    get_initial_state_membership_from_sm_inlog_is_smaller
    get_initial_state_membership_from_log_insm_is_smaller
    get_initial_state_with_state
    get_initial_state_last_log_gt_sm
    get_initial_state_last_log_lt_sm
    get_initial_state_inverted_log_order
    get_initial_state_conflict_at_same_index
    get_initial_state_log_ids
    get_initial_state_re_apply_committed
    save_vote
    get_log_entries
    limited_get_log_entries
    leader_bounded_stream
    entries_stream
    try_get_log_entry
    log_reader_reads_new_entries
    initial_logs
    get_log_state
    get_log_id
    last_id_in_log
    last_applied_state
    purge_logs_upto_0
    purge_logs_upto_5
    purge_logs_upto_20
    delete_logs_after_11
    delete_logs_after_5
    delete_logs_after_0
    delete_logs_after_none
    append_to_log
    snapshot_meta
    snapshot_meta_optional
    apply_single
    apply_multiple
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_nobodys_is_refused_with_a_clear_error() {
    let (_dir, store, mut machine) = build();
    let (_dir_2, _, mut other) = build();
    Store::apply_multiple(store, other.clone())
        .await
        .expect("applies");
    let mut builder = other.try_create_snapshot_builder(true).await.expect("is forced");
    let snapshot = builder.build_snapshot().await.expect("is built");
    let refused = machine
        .install_snapshot(&snapshot.meta, snapshot.snapshot)
        .await
        .expect_err("says of no node that it has the lines");
    assert!(refused.to_string().contains("nobody"), "{refused}");
    assert!(machine.get_current_snapshot().await.expect("reads").is_none());
}
