//! Names: buckets, objects, versions, uploads, and what they were before. Folded from the tenant `main`.

mod fold;
mod history;
mod listing;
mod locks;
mod merge;
mod preconditions;
mod read;
mod records;
mod rows;
mod states;
mod stored;
mod uploads;

pub(crate) use fold::NamesFold;
pub use locks::OBJECT_LOCK;
pub(crate) use locks::lock_against;
pub(crate) use preconditions::holds;
pub use read::Names;
pub use records::*;

use crate::error::ViewError;
use crate::tables::{Read, TableId};
use ipld_core::ipld::Ipld;
use stead_event::body::Ext;
use stead_event::{Body, Timestamp};

/// The owner and the only version of this view's own events.
const OWNER: &str = "names";
const PRUNE_VERSION: u32 = 1;
const PRUNE_BEFORE: &str = "prune_before";

/// The row of `names.retention`.
const PRUNED_KEY: &[u8] = b"pruned_before";

/// The body of an event that drops the history (states that S3 no longer sees) superseded before `before`.
/// Folding it takes time in proportion to what it drops; where that is very much, several events with
/// moments in between keep each step short.
pub fn prune_body(before: Timestamp) -> Body {
    let body = Ipld::Map([(PRUNE_BEFORE.to_owned(), Ipld::String(before.to_string()))].into());
    Ext {
        body,
        owner: OWNER.to_owned(),
        version: PRUNE_VERSION,
    }
    .into()
}

/// The moment that a prune event names; `None` for any other event.
fn prune_moment(ext: &Ext) -> Option<Timestamp> {
    match &ext.body {
        Ipld::Map(body) if ext.owner == OWNER && ext.version == PRUNE_VERSION => match body.get(PRUNE_BEFORE)
        {
            Some(Ipld::String(before)) => before.parse().ok(),
            _ => None,
        },
        _ => None,
    }
}

fn pruned_before(read: &impl Read) -> Result<Option<Timestamp>, ViewError> {
    let micros = read.get(TableId::Retention, PRUNED_KEY, |bytes| {
        let bytes = bytes
            .try_into()
            .map_err(|_| ViewError::Damaged("the row of names.retention".into()))?;
        Ok(i64::from_be_bytes(bytes))
    })?;
    Ok(micros.map(Timestamp::from_micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prune_event_is_understood_and_others_are_not() {
        let before = Timestamp::from_micros(1_700_000_000_000_001);
        let Body::Ext(mut ext) = prune_body(before) else {
            panic!("it is an ext event")
        };
        assert_eq!(prune_moment(&ext), Some(before));
        ext.version = 2;
        assert_eq!(prune_moment(&ext), None);
        ext.version = 1;
        ext.owner = "tables".into();
        assert_eq!(prune_moment(&ext), None);
    }
}
