//! What the overview and the health page tell: facts, warnings, and what upkeep found last.
//!
//! Never: reads anything back; that is `doctor`'s and the scrub's.

use super::doctor;
use super::operations::NodeOperations;
use crate::codes::{self, Code};
use std::sync::{MutexGuard, PoisonError};
use stead_client::wire::{self, Verdict};

/// Who the node is.
pub(super) fn facts(node: &NodeOperations) -> wire::NodeFacts {
    wire::NodeFacts {
        id: node.read.node.to_string(),
        release: env!("CARGO_PKG_VERSION").to_owned(),
        uptime_s: node.uptime().as_secs(),
        started: node.started,
        endpoints: node
            .running
            .as_ref()
            .map(|running| running.endpoints.clone())
            .unwrap_or_default(),
    }
}

fn found(node: &NodeOperations) -> MutexGuard<'_, wire::Upkeep> {
    node.found.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Remembers a scrub.
pub(super) fn scrubbed(node: &NodeOperations, result: &wire::Scrubbed) {
    found(node).scrub = Some(wire::LastScrub {
        at: node.read.now(),
        result: result.clone(),
    });
}

/// Remembers a collection.
pub(super) fn collected(node: &NodeOperations, result: &wire::Collected) {
    if !result.dry_run {
        found(node).gc = Some(wire::LastCollect {
            at: node.read.now(),
            result: result.clone(),
        });
    }
}

/// What upkeep found last.
pub(super) fn upkeep(node: &NodeOperations) -> wire::Upkeep {
    let segments = node.read.views.segments();
    let sealed = |tenant: &_| segments.as_ref().ok()?.sealed(tenant).ok();
    let tenants = node.read.views.tenants();
    wire::Upkeep {
        checkpoint: node.raft_status().map(|raft| wire::LastCheckpoint {
            applied: raft.applied.unwrap_or_default(),
            durable: raft.durable.unwrap_or_default(),
            wal_bytes: raft.wal_bytes,
            position: node.read.views.position(&node.read.tenant),
        }),
        sealed_segments: tenants
            .iter()
            .filter_map(sealed)
            .map(|segments| segments.len() as u64)
            .sum(),
        ..found(node).clone()
    }
}

/// What a person should look at: those of doctor's checks that cost nothing, and what the last scrub found.
pub(super) fn warnings(node: &NodeOperations) -> Vec<wire::Warning> {
    let checks = [
        (codes::SETTINGS, doctor::settings(node)),
        (codes::KEY_FILE, doctor::private_files(node)),
        (codes::DISK_FULL, doctor::space(node)),
        (codes::BLOCK_DAMAGED, doctor::disks(node)),
        (codes::CLOCK_SKEW, doctor::clock(node)),
        (codes::UNAVAILABLE, doctor::raft(node)),
    ];
    let mut warnings: Vec<_> = checks
        .into_iter()
        .filter(|(_, check)| check.verdict != Verdict::Ok)
        .map(|(code, check)| warning(code, check.message, check.next))
        .collect();
    let damaged = found(node)
        .scrub
        .as_ref()
        .map_or(0, |scrub| scrub.result.damaged.len());
    warnings.extend(super::power::warnings(node));
    if damaged > 0 {
        warnings.push(warning(
            codes::BLOCK_DAMAGED,
            format!(
                "the last scrub found {}",
                crate::output::count(damaged as u64, "damaged block")
            ),
            "see Health for which, restore the objects that they belong to, and check the disk".into(),
        ));
    }
    warnings
}

pub(super) fn warning(code: Code, what: String, next: String) -> wire::Warning {
    let code = code.to_string();
    let explain = format!("/api/v1/explain/{code}");
    wire::Warning {
        code,
        what,
        next,
        explain,
    }
}
