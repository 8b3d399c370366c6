//! Work that goes on by itself: sealing, power, lifecycle rules, and where the settings say so scrubbing and collecting.
//!
//! Never: stops the node; what fails is logged and tried again at its next time.

use super::operations::NodeOperations;
use super::{Ambient, ballast, power, seal};
use crate::config::{Live, follow};
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
    let hours = |hours: u64| (hours > 0).then(|| Duration::from_secs(hours * 3600));
    let follow = follow(Arc::downgrade(&operations.live), operations.read.views.clone());
    ambient.tasks.spawn(TaskKind::Background, "settings", follow);
    let (live, scrubbing) = (operations.live.clone(), operations.clone());
    as_set(
        ambient,
        "scrub",
        live,
        move |now| hours(now.scrub.every_hours),
        move |now| {
            let (operations, rate) = (scrubbing.clone(), now.scrub.mib_per_second << 20);
            async move { scrub(&operations, rate).await }
        },
    );
    let live = operations.live.clone();
    as_set(
        ambient,
        "gc",
        live,
        move |now| hours(now.gc.every_hours),
        move |_| {
            let operations = operations.clone();
            async move { collect(&operations).await }
        },
    );
}

/// Runs `work` again and again until shutdown, with the pause before each run that the settings say at that time; not at
/// all as long as they say none.
fn as_set<P, W, F>(ambient: &Ambient, name: &'static str, live: Arc<Live>, pause: P, work: W)
where
    P: Fn(&Settings) -> Option<Duration> + Send + Sync + 'static,
    W: Fn(&Settings) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let mut stop = ambient.tasks.shutdown_signal();
    ambient.tasks.spawn(TaskKind::Background, name, async move {
        let mut changes = live.changes();
        let mut since = tokio::time::Instant::now();
        loop {
            let due = pause(&live.now()).map(|pause| since + pause);
            let wait = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = wait => {}
                () = changes.next() => continue,
                () = stop.wait() => return,
            }
            tokio::select! {
                () = work(&live.now()) => {}
                () = stop.wait() => return,
            }
            since = tokio::time::Instant::now();
        }
    });
}

/// Puts objects into stripes, and out of them, as their buckets want it.
pub(super) fn restriping(ambient: &Ambient, live: &Live, write: &WriteContext) {
    let level = live.level();
    let restriping = Restriping::new(Objects::new(write.clone()), move || level.get().bytes_per_second);
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
