//! A sparse index from time to position: the time of one event in [`STEP`] of each tenant.
//!
//! Times within a log are taken to ascend. They nearly do: an event has the time at which it was proposed,
//! and two that are proposed at once may be accepted in the other order.

use crate::error::ViewError;
use crate::projection::Projection;
use crate::tables::{Read, TableId, Tables};
use stead_event::{Event, Position, Tenant, Timestamp};
use stead_log::Tail;

/// How many events share a row.
const STEP: u64 = 1024;

fn row_key(tenant: &Tenant, seq: Position) -> Vec<u8> {
    let mut key = tenant.as_str().as_bytes().to_vec();
    key.push(0);
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

/// Writes the index.
#[derive(Default)]
pub(crate) struct TimesFold;

impl Projection for TimesFold {
    const NAME: &'static str = "times";
    const TABLES: &'static [TableId] = &[TableId::Times];

    fn fold(&mut self, tables: &mut Tables<'_>, tenant: &Tenant, event: &Event) -> Result<(), ViewError> {
        if event.seq % STEP != 1 {
            return Ok(());
        }
        tables.put(
            TableId::Times,
            &row_key(tenant, event.seq),
            &event.at.as_micros().to_be_bytes(),
        )
    }
}

fn row_time(read: &impl Read, tenant: &Tenant, row: u64) -> Result<Timestamp, ViewError> {
    let key = row_key(tenant, row * STEP + 1);
    let micros = read.get(TableId::Times, &key, |bytes| {
        let bytes = bytes
            .try_into()
            .map_err(|_| ViewError::Damaged("a row of times.sparse".into()))?;
        Ok(i64::from_be_bytes(bytes))
    })?;
    micros
        .map(Timestamp::from_micros)
        .ok_or_else(|| ViewError::Damaged("times.sparse has a gap".into()))
}

/// The first of `low..high` for which `later` holds (`high` where it holds for none).
fn first_later(
    mut low: u64,
    mut high: u64,
    mut later: impl FnMut(u64) -> Result<bool, ViewError>,
) -> Result<u64, ViewError> {
    while low < high {
        let middle = low + (high - low) / 2;
        if later(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// The last position up to `head` whose event is not younger than `time`; zero where all are.
pub(crate) fn position_at(
    read: &impl Read,
    tail: &Tail,
    tenant: &Tenant,
    head: Position,
    time: Timestamp,
) -> Result<Position, ViewError> {
    let rows = head.div_ceil(STEP);
    let row = first_later(0, rows, |row| Ok(row_time(read, tenant, row)? > time))?;
    let Some(row) = row.checked_sub(1) else {
        return Ok(0);
    };
    let first = row * STEP + 1;
    let behind = head.min(first + STEP - 1) + 1;
    let younger = |seq: Position| {
        let lines = tail.read(tenant, seq, 1).map_err(ViewError::log(tenant))?;
        let event = match lines.first() {
            Some(line) => line.event().map_err(|e| ViewError::log(tenant)(e.into()))?,
            None => {
                return Err(ViewError::Diverged(format!(
                    "the log of {tenant} has no position {seq}"
                )));
            }
        };
        Ok(event.at > time)
    };
    Ok(first_later(first, behind, younger)? - 1)
}
