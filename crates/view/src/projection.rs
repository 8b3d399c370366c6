//! What a projection is, and the list of those that there are.

use crate::error::ViewError;
use crate::tables::{TableId, Tables};
use crate::{config, keys, locks, names, published, segments, times};
use stead_event::{Event, Tenant};

/// Folds events into tables.
///
/// What it writes may depend on nothing but the events of *one* tenant, in their order, and on what it
/// wrote for them: the logs of several tenants are folded in any order in a rebuild. An event that makes
/// no sense in the present state is passed over; it is never an error.
pub trait Projection {
    /// Its name; its tables' names begin with it.
    const NAME: &'static str;
    /// The tables that it alone writes.
    const TABLES: &'static [TableId];

    /// Folds one event.
    fn fold(&mut self, tables: &mut Tables<'_>, tenant: &Tenant, event: &Event) -> Result<(), ViewError>;

    /// Writes what it has kept in memory since the transaction began.
    fn finish(&mut self, tables: &mut Tables<'_>) -> Result<(), ViewError> {
        let _ = tables;
        Ok(())
    }
}

/// All projections, for the length of one write transaction.
#[derive(Default)]
pub(crate) struct Projections {
    names: names::NamesFold,
    keys: keys::KeysFold,
    locks: locks::LocksFold,
    config: config::ConfigFold,
    segments: segments::SegmentsFold,
    times: times::TimesFold,
    published: published::PublishedFold,
}

impl Projections {
    pub(crate) fn fold(
        &mut self,
        tables: &mut Tables<'_>,
        tenant: &Tenant,
        event: &Event,
    ) -> Result<(), ViewError> {
        self.names.fold(tables, tenant, event)?;
        self.keys.fold(tables, tenant, event)?;
        self.locks.fold(tables, tenant, event)?;
        self.config.fold(tables, tenant, event)?;
        self.segments.fold(tables, tenant, event)?;
        self.times.fold(tables, tenant, event)?;
        self.published.fold(tables, tenant, event)
    }

    pub(crate) fn finish(&mut self, tables: &mut Tables<'_>) -> Result<(), ViewError> {
        self.names.finish(tables)?;
        self.keys.finish(tables)?;
        self.locks.finish(tables)?;
        self.config.finish(tables)?;
        self.segments.finish(tables)?;
        self.times.finish(tables)?;
        self.published.finish(tables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_projected_table_has_one_owner_whose_name_it_bears() {
        let mut owned = Vec::new();
        for (name, tables) in [
            (names::NamesFold::NAME, names::NamesFold::TABLES),
            (keys::KeysFold::NAME, keys::KeysFold::TABLES),
            (locks::LocksFold::NAME, locks::LocksFold::TABLES),
            (config::ConfigFold::NAME, config::ConfigFold::TABLES),
            (segments::SegmentsFold::NAME, segments::SegmentsFold::TABLES),
            (times::TimesFold::NAME, times::TimesFold::TABLES),
            (published::PublishedFold::NAME, published::PublishedFold::TABLES),
        ] {
            for table in tables {
                assert!(
                    table.name().starts_with(&format!("{name}.")),
                    "{} is not of {name}",
                    table.name()
                );
                owned.push(*table);
            }
        }
        owned.sort();
        let projected: Vec<TableId> = TableId::ALL
            .iter()
            .copied()
            .filter(|t| t.is_projected())
            .collect();
        assert_eq!(owned, projected);
    }
}
