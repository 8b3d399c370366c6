//! Work that goes on by itself: sealing, power, lifecycle rules, and where the settings say so scrubbing and collecting.
//!
//! Never: stops the node; what fails is logged and tried again at its next time.

use super::operations::NodeOperations;
use super::{Ambient, ballast, power, seal};
use crate::settings::Settings;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use stead_client::wire;
use stead_cluster::RaftLog;
use stead_gateway::WriteContext;
use stead_gateway::locks::LeaseKeeper;
use stead_gateway::objects::{Objects, Restriping};
use stead_gateway_api::Operations;
use stead_gateway_s3::lifecycle::{Day, Lifecycle};
use stead_log::Leases;
use stead_runtime::TaskKind;

/// How often it is looked whether a segment can be sealed.
const SEAL_EVERY: Duration = Duration::from_secs(20);
/// The first look after a start, when those who wait for the node have been served.
const SEAL_FIRST: Duration = Duration::from_secs(2);

/// How often it is looked whether ballast can be set aside.
const BALLAST_EVERY: Duration = Duration::from_secs(60);

/// Starts it all.
pub(super) fn spawn(ambient: &Ambient, settings: &Settings, operations: Arc<NodeOperations>) {
    power::spawn(ambient, settings, operations.clone());
    let sealing = operations.clone();
    every(ambient, "seal", (SEAL_FIRST, SEAL_EVERY), move || {
        let operations = sealing.clone();
        async move {
            let Some(running) = &operations.running else {
                return;
            };
            if let Err(error) = seal::seal_all(&operations.data, &running.write, &running.key).await {
                tracing::warn!(%error, "a segment of the log stays unsealed for now");
            }
        }
    });
    let setting_aside = operations.clone();
    every(ambient, "ballast", (BALLAST_EVERY, BALLAST_EVERY), move || {
        let operations = setting_aside.clone();
        async move {
            ballast::look_after(&operations.data, &operations.read.space).await;
        }
    });
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    if settings.scrub.every_hours > 0 {
        let rate = settings.scrub.mib_per_second << 20;
        let scrub_every = hours(settings.scrub.every_hours);
        let scrubbing = operations.clone();
        every(ambient, "scrub", (scrub_every, scrub_every), move || {
            let operations = scrubbing.clone();
            async move { scrub(&operations, rate).await }
        });
    }
    if settings.gc.every_hours > 0 {
        let gc_every = hours(settings.gc.every_hours);
        every(ambient, "gc", (gc_every, gc_every), move || {
            let operations = operations.clone();
            async move { collect(&operations).await }
        });
    }
}

/// Puts objects into stripes, and out of them, as their buckets want it.
pub(super) fn restriping(ambient: &Ambient, settings: &Settings, write: &WriteContext) {
    let rate = settings.copies.options().bytes_per_second;
    let restriping = Restriping::new(Objects::new(write.clone()), rate);
    let mut stop = ambient.tasks.shutdown_signal();
    ambient.tasks.spawn(TaskKind::Background, "stripes", async move {
        tokio::select! {
            () = restriping.run() => {}
            () = stop.wait() => {}
        }
    });
}

/// Has leases of locks counted here while this node leads.
pub(super) fn leases(ambient: &Ambient, raft: &RaftLog, leases: Arc<LeaseKeeper>) {
    let weak: std::sync::Weak<dyn Leases> = Arc::downgrade(&leases) as _;
    raft.keep_leases(weak);
    let mut stop = ambient.tasks.shutdown_signal();
    ambient.tasks.spawn(TaskKind::Background, "leases", async move {
        tokio::select! {
            () = leases.run() => {}
            () = stop.wait() => {}
        }
    });
}

/// Carries lifecycle rules out: at once, and at every midnight.
pub(super) fn lifecycle(ambient: &Ambient, settings: &Settings, write: &WriteContext) {
    let day = Day::of_seconds(settings.s3.lifecycle_day_seconds);
    let rules = Lifecycle::new(write.clone(), day);
    let mut stop = ambient.tasks.shutdown_signal();
    ambient
        .tasks
        .spawn(TaskKind::Background, "lifecycle", async move {
            tokio::select! {
                () = rules.run() => {}
                () = stop.wait() => {}
            }
        });
}

/// Runs `work` again and again until shutdown: after the first pause, then with the second one between the
/// end of a run and the next.
fn every<W, F>(ambient: &Ambient, name: &'static str, (first, then): (Duration, Duration), work: W)
where
    W: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let mut stop = ambient.tasks.shutdown_signal();
    ambient.tasks.spawn(TaskKind::Background, name, async move {
        let mut pause = first;
        loop {
            tokio::select! {
                () = tokio::time::sleep(std::mem::replace(&mut pause, then)) => {}
                () = stop.wait() => return,
            }
            tokio::select! {
                () = work() => {}
                () = stop.wait() => return,
            }
        }
    });
}

async fn scrub(operations: &NodeOperations, rate: u64) {
    match operations.scrub(Some(rate), Arc::new(|_| {})).await {
        Ok(report) if report.damaged.is_empty() => {
            tracing::info!(
                blocks = report.blocks,
                bytes = report.bytes,
                "scrub found every block in order"
            );
        }
        Ok(report) => {
            for damage in &report.damaged {
                let cid = damage.cid.as_deref().unwrap_or("unknown");
                tracing::error!(
                    cid,
                    pack = damage.pack,
                    offset = damage.offset,
                    why = damage.why,
                    "damaged block"
                );
            }
        }
        Err(error) => tracing::warn!(%error, "scrub did not end"),
    }
}

async fn collect(operations: &NodeOperations) {
    match operations
        .collect(wire::Collect::default(), Arc::new(|_| {}))
        .await
    {
        Ok(done) => {
            tracing::info!(
                deleted = done.deleted,
                freed_bytes = done.freed_bytes,
                "collected what nothing reaches"
            );
        }
        Err(error) => tracing::warn!(%error, "collection did not end"),
    }
}
