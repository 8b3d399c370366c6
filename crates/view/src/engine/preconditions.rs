//! Whether what an append requires holds, in the very transaction that it would be folded in.

use crate::error::ViewError;
use crate::tables::Read;
use crate::{config, keys, locks, names, segments};
use stead_event::{Position, Tenant};
use stead_log::{Append, Precondition};

/// The first precondition that does not hold: of those that the append lists, and of those that every
/// append is held to.
pub(super) fn first_failing(
    read: &impl Read,
    (head, term): (Position, u64),
    append: &Append,
) -> Result<Option<Precondition>, ViewError> {
    for precondition in &append.require {
        if !holds(read, (head, term), precondition)? {
            return Ok(Some(precondition.clone()));
        }
    }
    if append.tenant == Tenant::main() {
        for draft in &append.events {
            if let Some(locked) = names::lock_against(read, draft)? {
                return Ok(Some(locked));
            }
        }
    }
    Ok(None)
}

fn holds(
    read: &impl Read,
    (head, term): (Position, u64),
    precondition: &Precondition,
) -> Result<bool, ViewError> {
    Ok(match precondition {
        Precondition::KeyAbsent(key) => keys::find(read, key)?.is_none(),
        Precondition::KeyActive(key) => keys::find(read, key)?.is_some_and(|key| key.revoked.is_none()),
        Precondition::LockFree(name) => locks::find(read, name)?.is_none(),
        Precondition::LockHeld { name, token } => locks::holds(read, name, *token)?,
        Precondition::ConfigAt(revision) => config::newest(read)? == *revision,
        Precondition::Term(wanted) => term == *wanted,
        Precondition::LogAt(position) => head == *position,
        Precondition::SegmentUnsealed { tenant, first } => !segments::is_sealed(read, tenant, *first)?,
        Precondition::BucketExists(_)
        | Precondition::BucketAbsent(_)
        | Precondition::BucketEmpty(_)
        | Precondition::Object { .. }
        | Precondition::VersionExists { .. }
        | Precondition::UploadOpen { .. }
        | Precondition::Unlocked { .. }
        | Precondition::UploadParts { .. } => names::holds(read, precondition)?,
    })
}
