//! A drill: for a while a node is to the others as if its cable were pulled.
//!
//! Promises: it ends by itself, at the node that is cut off; being told to end it, too, is answered while it lasts.

use super::Mesh;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use stead_runtime::TaskKind;

/// Which drill is on, by its number; none is 0.
#[derive(Default)]
pub(super) struct CutOff {
    on: AtomicU64,
    last: AtomicU64,
}

impl CutOff {
    /// Whether this node is cut off.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Acquire) != 0
    }
}

impl Mesh {
    /// Neither asks nor answers anybody for so long. One that is on already ends when this one does.
    pub fn cut_off(self: &Arc<Self>, time: Duration) {
        let number = self.drill.last.fetch_add(1, Ordering::AcqRel) + 1;
        self.drill.on.store(number, Ordering::Release);
        tracing::warn!(?time, "a drill: this node is cut off from the others");
        let mesh = self.clone();
        let mut stop = self.tasks.shutdown_signal();
        self.tasks.spawn(TaskKind::Background, "drill", async move {
            tokio::select! {
                () = tokio::time::sleep(time) => {}
                () = stop.wait() => {}
            }
            let ended = mesh
                .drill
                .on
                .compare_exchange(number, 0, Ordering::AcqRel, Ordering::Acquire);
            if ended.is_ok() {
                tracing::info!("the drill is over");
            }
        });
    }

    /// Ends it before its time.
    pub fn plug_in(&self) {
        if self.drill.on.swap(0, Ordering::AcqRel) != 0 {
            tracing::info!("the drill was ended");
        }
    }
}
