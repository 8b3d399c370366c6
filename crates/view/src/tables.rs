//! The tables of the view database, and the two ways to reach them: within a write transaction
//! ([`Tables`]) and within a read transaction ([`Snapshot`]).
//!
//! Every table maps bytes to bytes; what they mean is their projection's matter.

use crate::error::ViewError;
use crate::shared::Shared;
use redb::{
    AccessGuard, Database, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable, Table,
    TableDefinition, WriteTransaction,
};
use std::ops::Bound;
use std::sync::{Arc, OnceLock};
use stead_event::Migrate;

type Bytes = &'static [u8];

macro_rules! tables {
    ($($variant:ident = $name:literal,)*) => {
        /// A table of the view database.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum TableId {
            $(#[doc = concat!("`", $name, "`")] $variant,)*
        }

        impl TableId {
            /// Every table.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in the database.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

tables! {
    Meta = "engine.meta",
    Points = "engine.points",
    Times = "times.sparse",
    Buckets = "names.buckets",
    GoneBuckets = "names.gone_buckets",
    Configs = "names.configs",
    Counts = "names.counts",
    Current = "names.current",
    Versions = "names.versions",
    VersionIds = "names.version_ids",
    History = "names.history",
    Superseded = "names.superseded",
    Uploads = "names.uploads",
    Parts = "names.parts",
    Retention = "names.retention",
    Keys = "keys.keys",
    Locks = "locks.held",
    ConfigRevisions = "config.revisions",
    Sealed = "segments.sealed",
    Published = "published.prefixes",
    IpnsNames = "published.names",
    Pins = "published.pins",
}

const COUNT: usize = TableId::ALL.len();

impl TableId {
    fn definition(self) -> TableDefinition<'static, Bytes, Bytes> {
        TableDefinition::new(self.name())
    }

    /// Whether its rows follow from the log alone. The others say how far the log was folded.
    pub(crate) fn is_projected(self) -> bool {
        !matches!(self, Self::Meta | Self::Points)
    }
}

/// Reading, in either kind of transaction.
pub(crate) trait Read {
    /// Looks a row up and decodes its value.
    fn get<V>(
        &self,
        table: TableId,
        key: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<V, ViewError>,
    ) -> Result<Option<V>, ViewError>;

    /// Rows from `from` (included) to `to` (excluded; to the end where `None`).
    fn rows(&self, table: TableId, from: &[u8], to: Option<&[u8]>) -> Result<Rows<'_>, ViewError>;

    /// A stored value.
    fn value<V: Migrate>(&self, table: TableId, key: &[u8]) -> Result<Option<V>, ViewError> {
        self.get(table, key, |bytes| Ok(V::from_stored(bytes)?))
    }

    /// Rows whose key begins with `prefix`.
    fn prefixed(&self, table: TableId, prefix: &[u8]) -> Result<Rows<'_>, ViewError> {
        self.rows(table, prefix, successor(prefix).as_deref())
    }
}

/// The least byte string above every one that begins with `prefix`; `None` where there is none.
pub(crate) fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let keep = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut next = prefix[..=keep].to_vec();
    next[keep] += 1;
    Some(next)
}

/// A row.
pub(crate) struct Row<'a> {
    key: AccessGuard<'a, Bytes>,
    value: AccessGuard<'a, Bytes>,
}

impl Row<'_> {
    pub(crate) fn key(&self) -> &[u8] {
        self.key.value()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.value.value()
    }

    pub(crate) fn value<V: Migrate>(&self) -> Result<V, ViewError> {
        Ok(V::from_stored(self.bytes())?)
    }
}

/// Rows in order of their keys.
pub(crate) struct Rows<'a> {
    range: redb::Range<'a, Bytes, Bytes>,
    shared: Option<Arc<Shared>>,
}

impl<'a> Iterator for Rows<'a> {
    type Item = Result<Row<'a>, ViewError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.range.next()? {
            Ok((key, value)) => Ok(Row { key, value }),
            Err(error) => Err(note(self.shared.as_ref(), error)),
        })
    }
}

fn note(shared: Option<&Arc<Shared>>, error: impl Into<redb::Error>) -> ViewError {
    let error = ViewError::from(error.into());
    match shared {
        Some(shared) => shared.note(error),
        None => error,
    }
}

fn bounds<'a>(from: &'a [u8], to: Option<&'a [u8]>) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    // redb refuses a range whose end lies before its start; such a range is empty.
    let end = match to {
        Some(to) if to < from => Bound::Excluded(from),
        Some(to) => Bound::Excluded(to),
        None => Bound::Unbounded,
    };
    (Bound::Included(from), end)
}

/// Every table within one write transaction.
pub struct Tables<'t> {
    open: Vec<Table<'t, Bytes, Bytes>>,
}

impl<'t> Tables<'t> {
    pub(crate) fn open(transaction: &'t WriteTransaction) -> Result<Self, ViewError> {
        let open = TableId::ALL
            .iter()
            .map(|id| transaction.open_table(id.definition()));
        Ok(Self {
            open: open.collect::<Result<_, _>>()?,
        })
    }

    /// Writes a row.
    pub(crate) fn put(&mut self, table: TableId, key: &[u8], value: &[u8]) -> Result<(), ViewError> {
        self.open[table as usize].insert(key, value)?;
        Ok(())
    }

    /// Writes a value.
    pub(crate) fn set<V: Migrate>(&mut self, table: TableId, key: &[u8], value: &V) -> Result<(), ViewError> {
        self.put(table, key, &value.to_stored()?)
    }

    /// Removes a row; answers whether it was there.
    pub(crate) fn remove(&mut self, table: TableId, key: &[u8]) -> Result<bool, ViewError> {
        Ok(self.open[table as usize].remove(key)?.is_some())
    }

    /// Keys that begin with `prefix`, at most `max`.
    pub(crate) fn keys(&self, table: TableId, prefix: &[u8], max: usize) -> Result<Vec<Vec<u8>>, ViewError> {
        self.prefixed(table, prefix)?
            .take(max)
            .map(|row| Ok(row?.key().to_vec()))
            .collect()
    }
}

impl Read for Tables<'_> {
    fn get<V>(
        &self,
        table: TableId,
        key: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<V, ViewError>,
    ) -> Result<Option<V>, ViewError> {
        match self.open[table as usize].get(key)? {
            Some(value) => decode(value.value()).map(Some),
            None => Ok(None),
        }
    }

    fn rows(&self, table: TableId, from: &[u8], to: Option<&[u8]>) -> Result<Rows<'_>, ViewError> {
        let range = self.open[table as usize].range::<&[u8]>(bounds(from, to))?;
        Ok(Rows { range, shared: None })
    }
}

/// Every table at one moment. Tables are opened when they are first asked.
pub(crate) struct Snapshot {
    open: [OnceLock<ReadOnlyTable<Bytes, Bytes>>; COUNT],
    transaction: ReadTransaction,
    shared: Option<Arc<Shared>>,
    /// Behind the transaction, so that it outlives it: a database that is closed answers nobody.
    _database: Arc<Database>,
}

impl Snapshot {
    /// Begins a read transaction; errors that it meets are told to `shared`.
    pub(crate) fn begin(database: Arc<Database>, shared: Option<Arc<Shared>>) -> Result<Self, ViewError> {
        let transaction = database
            .begin_read()
            .map_err(|error| note(shared.as_ref(), error))?;
        Ok(Self {
            open: [const { OnceLock::new() }; COUNT],
            transaction,
            shared,
            _database: database,
        })
    }

    fn table(&self, table: TableId) -> Result<&ReadOnlyTable<Bytes, Bytes>, ViewError> {
        let slot = &self.open[table as usize];
        if let Some(open) = slot.get() {
            return Ok(open);
        }
        let open = self.transaction.open_table(table.definition());
        let open = open.map_err(|error| note(self.shared.as_ref(), error))?;
        Ok(slot.get_or_init(|| open))
    }

    /// As [`Read::rows`], not bound to a borrow of the snapshot. The caller keeps the snapshot.
    pub(crate) fn owned_rows(&self, table: TableId) -> Result<Rows<'static>, ViewError> {
        let range = self.table(table)?.range::<&[u8]>(..);
        let range = range.map_err(|error| note(self.shared.as_ref(), error))?;
        Ok(Rows {
            range,
            shared: self.shared.clone(),
        })
    }
}

impl Read for Snapshot {
    fn get<V>(
        &self,
        table: TableId,
        key: &[u8],
        decode: impl FnOnce(&[u8]) -> Result<V, ViewError>,
    ) -> Result<Option<V>, ViewError> {
        match self
            .table(table)?
            .get(key)
            .map_err(|error| note(self.shared.as_ref(), error))?
        {
            Some(value) => decode(value.value()).map(Some),
            None => Ok(None),
        }
    }

    fn rows(&self, table: TableId, from: &[u8], to: Option<&[u8]>) -> Result<Rows<'_>, ViewError> {
        let range = self.table(table)?.range::<&[u8]>(bounds(from, to));
        let range = range.map_err(|error| note(self.shared.as_ref(), error))?;
        Ok(Rows {
            range,
            shared: self.shared.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_successor_is_the_least_string_above_the_prefix() {
        assert_eq!(successor(b"a"), Some(b"b".to_vec()));
        assert_eq!(successor(&[1, 0xff, 0xff]), Some(vec![2]));
        assert_eq!(successor(&[0xff]), None);
        assert_eq!(successor(&[]), None);
    }
}
