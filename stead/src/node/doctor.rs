//! `doctor`: looks at everything that can be wrong with a node and its surroundings, and says what to do.
//!
//! Never: repairs anything.

use super::operations::NodeOperations;
use crate::settings::Settings;
use rustix::process::{Resource, getrlimit};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use stead_client::wire::{Check, DiskState, Verdict};
use stead_event::Timestamp;
use stead_runtime::free_bytes;

/// A moment that no clock that is set can be before: this release is younger.
const BORN: Timestamp = Timestamp::from_micros(1_780_000_000_000_000);
/// Files that only their owner may read.
const PRIVATE: [&str; 3] = ["node.key", "secret.key", "root.json"];
/// Open files below which a busy node runs out.
const FILES: u64 = 4096;

fn ok(name: &str, message: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        verdict: Verdict::Ok,
        message: message.into(),
        next: String::new(),
    }
}

fn warn(name: &str, message: impl Into<String>, next: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        verdict: Verdict::Warn,
        message: message.into(),
        next: next.into(),
    }
}

fn fail(name: &str, message: impl Into<String>, next: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        verdict: Verdict::Fail,
        message: message.into(),
        next: next.into(),
    }
}

/// Every check, in the order in which they are best read.
pub(super) async fn examine(node: &NodeOperations) -> Vec<Check> {
    let mut checks = vec![
        directory(node),
        private_files(node),
        settings(node),
        space(node),
        clock(node),
        files(),
    ];
    checks.extend(logs(node).await);
    checks.push(views(node));
    checks.push(blocks(node));
    checks.push(disks(node));
    checks.push(sealed(node));
    checks.push(raft(node));
    checks.extend(webhooks(node));
    checks
}

fn directory(node: &NodeOperations) -> Check {
    let path = node.data.display();
    match std::fs::metadata(&node.data) {
        Ok(meta) if meta.mode() & 0o077 != 0 => warn(
            "directory",
            format!("{path} is open to other users (mode {:o})", meta.mode() & 0o777),
            format!("run `chmod 700 {path}`"),
        ),
        Ok(_) if rustix::fs::access(&node.data, rustix::fs::Access::WRITE_OK).is_err() => warn(
            "directory",
            format!("{path} is read-only: it can be read, and no node can start on it"),
            "make it writable before `stead up`",
        ),
        Ok(_) => ok("directory", format!("{path} is there and private")),
        Err(e) => fail(
            "directory",
            format!("{path} cannot be looked at: {e}"),
            "check that the disk is mounted",
        ),
    }
}

pub(super) fn private_files(node: &NodeOperations) -> Check {
    for name in PRIVATE {
        let path = node.data.join(name);
        match std::fs::metadata(&path) {
            Ok(meta) if meta.mode() & 0o077 != 0 => {
                let message = format!(
                    "{} is readable by other users (mode {:o})",
                    path.display(),
                    meta.mode() & 0o777
                );
                return fail(
                    "keys",
                    message,
                    format!(
                        "run `chmod 600 {}`, and replace what they may have seen",
                        path.display()
                    ),
                );
            }
            Ok(_) => {}
            Err(e) => {
                let message = format!("{} cannot be looked at: {e}", path.display());
                return fail("keys", message, "restore it from a backup");
            }
        }
    }
    ok(
        "keys",
        "node.key, secret.key and root.json are there, readable by their owner alone",
    )
}

pub(super) fn settings(node: &NodeOperations) -> Check {
    match Settings::load(&node.data) {
        Ok(_) => ok("settings", "stead.toml is valid or not there"),
        Err(failure) => fail("settings", failure.message, failure.next),
    }
}

pub(super) fn space(node: &NodeOperations) -> Check {
    let reserve = super::reserve(&node.data, &node.settings);
    let next = "make room on the disk; `stead gc` frees what nothing reaches any more";
    match free_bytes(&node.data) {
        Ok(free) => {
            let message = format!("{} free", crate::output::size(free));
            if free < reserve {
                fail(
                    "disk",
                    format!(
                        "{message}: writes are refused below {}",
                        crate::output::size(reserve)
                    ),
                    next,
                )
            } else if free < reserve.saturating_mul(8) {
                warn("disk", message, next)
            } else {
                ok("disk", message)
            }
        }
        Err(e) => warn(
            "disk",
            format!("the free space cannot be asked for: {e}"),
            "check that the disk is mounted",
        ),
    }
}

pub(super) fn clock(node: &NodeOperations) -> Check {
    let now = node.read.now();
    let next = "set the clock and keep it right (systemd-timesyncd, chrony)";
    if now < BORN {
        return fail(
            "clock",
            format!("the clock says {now}, which is in the past"),
            next,
        );
    }
    let head = node.read.tail.head(&node.read.tenant).seq;
    let last = node.read.tail.read(&node.read.tenant, head.max(1), 1).ok();
    let last = last.and_then(|lines| lines.first()?.event().ok());
    match last {
        Some(event) if event.at > now.plus_secs(60) => {
            let message = format!(
                "the last event is of {}, and the clock says {now}: it was set back",
                event.at
            );
            warn("clock", message, next)
        }
        _ => ok("clock", format!("the clock says {now}, later than every event")),
    }
}

pub(super) fn files() -> Check {
    match getrlimit(Resource::Nofile).maximum {
        Some(limit) if limit < FILES => warn(
            "open files",
            format!("this user may have {limit} files open, and each connection is one"),
            "raise the limit: `ulimit -n`, or LimitNOFILE= in a systemd unit",
        ),
        _ => ok("open files", "the limit is high enough"),
    }
}

async fn logs(node: &NodeOperations) -> Vec<Check> {
    let mut checks = Vec::new();
    for tenant in node.read.views.tenants() {
        let name = format!("log of {tenant}");
        checks.push(match node.verify_log(tenant, Arc::new(|_| {})).await {
            Ok(log) => match log.damage {
                None => ok(&name, format!("the chain holds up to position {}", log.position)),
                Some(damage) => fail(
                    &name,
                    damage,
                    "stop the node, copy the directory, and restore the named segment from a backup",
                ),
            },
            Err(error) => fail(&name, error.body.detail, error.body.next),
        });
    }
    checks
}

fn views(node: &NodeOperations) -> Check {
    let folded = node.read.views.position(&node.read.tenant);
    let head = node.read.tail.head(&node.read.tenant).seq;
    let next = "run `stead view rebuild`";
    match node.read.views.names().and_then(|names| names.buckets()) {
        Err(e) => fail("views", e.to_string(), next),
        Ok(_) if folded < head && node.running.is_none() => warn(
            "views",
            format!("the views are at {folded}, the log at {head}"),
            next,
        ),
        Ok(_) => ok("views", format!("the views answer, at position {folded}")),
    }
}

fn blocks(node: &NodeOperations) -> Check {
    let stat = node.read.store.stat();
    let (blocks, bytes) = (
        crate::output::count(stat.blocks, "block"),
        crate::output::size(stat.bytes),
    );
    ok(
        "blocks",
        format!("{blocks}, {bytes}, indexed; `stead scrub` reads them all back"),
    )
}

/// Whether every disk that blocks are kept on is there.
pub(super) fn disks(node: &NodeOperations) -> Check {
    let disks = super::disks::list(&node.read.store);
    let lost = disks
        .iter()
        .filter(|disk| matches!(disk.state, DiskState::Away | DiskState::Failed));
    let lost: Vec<String> = lost
        .map(|disk| format!("{} is {}", disk.path, disk.state.words()))
        .collect();
    if lost.is_empty() {
        let there = crate::output::count(disks.len() as u64, "directory of blocks");
        return ok("disks", format!("{there}, all there"));
    }
    let next = "connect and mount the disk and restart the node; if it is gone for good, take it out of storage.blocks: other nodes' copies are fetched by themselves";
    warn("disks", lost.join(", "), next)
}

fn sealed(node: &NodeOperations) -> Check {
    let mut count = 0;
    for tenant in node.read.views.tenants() {
        let segments = match node
            .read
            .views
            .segments()
            .and_then(|segments| segments.sealed(&tenant))
        {
            Ok(segments) => segments,
            Err(e) => return fail("sealed segments", e.to_string(), "run `stead view rebuild`"),
        };
        for segment in segments {
            count += 1;
            if !node.read.store.contains(&segment.cid) {
                let message = format!(
                    "the copy of {tenant}'s segment {} to {} is not in the block store ({})",
                    segment.first, segment.last, segment.cid
                );
                return warn(
                    "sealed segments",
                    message,
                    "the log itself is checked above; run `stead scrub`",
                );
            }
        }
    }
    ok(
        "sealed segments",
        format!("{count} sealed, each kept as blocks too"),
    )
}

pub(super) fn raft(node: &NodeOperations) -> Check {
    let Some(running) = &node.running else {
        return ok("consensus", "no node runs; the directory was looked at by itself");
    };
    let status = running.raft.status();
    match status.leader {
        Some(leader) => ok(
            "consensus",
            format!(
                "term {}, leader {leader}, {} voters",
                status.term,
                status.voters.len()
            ),
        ),
        None => fail(
            "consensus",
            "there is no leader: nothing can be written",
            "look at the node's log",
        ),
    }
}

/// One line for each webhook that a bucket may notify.
fn webhooks(node: &NodeOperations) -> Vec<Check> {
    let Some(running) = &node.running else {
        return Vec::new();
    };
    let states = running.webhooks.states();
    let line = |(name, state): (String, stead_gateway_s3::notify::State)| {
        let name = format!("webhook {name}");
        match state.failing {
            None => ok(&name, format!("took {} records since the start", state.delivered)),
            Some((times, why)) => warn(
                &name,
                format!("did not take its messages {times} times in a row: {why}"),
                "correct its URL in stead.toml, or what answers there; nothing is lost meanwhile",
            ),
        }
    };
    states.into_iter().map(line).collect()
}
