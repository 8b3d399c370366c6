//! How far the copies of this node are from where they should be, for people.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Where a node's copies stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyProgress {
    /// The membership (term and index of its entry) for which every copy that belongs here was here; a later one
    /// is being seen to.
    pub level_at: Option<(u64, u64)>,
    /// Blocks that are known to be missing here, and not fetched yet.
    pub missing: u64,
    /// Blocks that were fetched since the levelling began.
    pub fetched: u64,
    /// Their bytes.
    pub fetched_bytes: u64,
    /// For how long it has been going on, in milliseconds; zero where nothing is missing.
    pub busy_ms: u64,
    /// Blocks that were given up since the start, because others hold them.
    pub given_up: u64,
}

impl CopyProgress {
    /// Seconds until nothing is missing, by how it went so far.
    pub fn remaining_seconds(&self) -> Option<u64> {
        if self.missing == 0 {
            return Some(0);
        }
        let spent = u128::from(self.busy_ms) * u128::from(self.missing);
        let left = spent.checked_div(u128::from(self.fetched))? / 1000;
        u64::try_from(left).ok()
    }
}

/// The same while it changes.
#[derive(Default)]
pub(crate) struct Progress(Mutex<(CopyProgress, Option<Instant>)>);

impl Progress {
    pub fn now(&self) -> CopyProgress {
        let state = self.0.lock();
        let busy = state.1.map_or(0, |since| since.elapsed().as_millis());
        CopyProgress {
            busy_ms: u64::try_from(busy).unwrap_or(u64::MAX),
            ..state.0.clone()
        }
    }

    /// So many more are missing.
    pub fn found(&self, missing: u64) {
        let mut state = self.0.lock();
        if missing > 0 && state.1.is_none() {
            (state.0.fetched, state.0.fetched_bytes) = (0, 0);
            state.1 = Some(Instant::now());
        }
        state.0.missing += missing;
    }

    /// So many blocks were asked for: some of them, with so many bytes, came.
    pub fn asked(&self, asked: u64, came: u64, bytes: u64) {
        let mut state = self.0.lock();
        state.0.missing = state.0.missing.saturating_sub(asked);
        state.0.fetched += came;
        state.0.fetched_bytes += bytes;
    }

    /// Nothing more is looked for now; whether all was had, for which membership.
    pub fn ended(&self, level_at: Option<(u64, u64)>) {
        let mut state = self.0.lock();
        state.0.missing = 0;
        state.1 = None;
        if level_at.is_some() {
            state.0.level_at = level_at;
        }
    }

    pub fn gave_up(&self, blocks: u64) {
        self.0.lock().0.given_up += blocks;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_estimated_by_what_was_done() {
        let progress = Progress::default();
        progress.found(30);
        progress.asked(10, 9, 900);
        let now = CopyProgress {
            busy_ms: 4_500,
            ..progress.now()
        };
        assert_eq!((now.missing, now.fetched, now.fetched_bytes), (20, 9, 900));
        assert_eq!(now.remaining_seconds(), Some(10));
        progress.ended(Some((1, 7)));
        assert_eq!(progress.now().remaining_seconds(), Some(0));
        assert_eq!(progress.now().level_at, Some((1, 7)));
    }
}
