//! The part of the index that is on disk: `blocks.redb` over a [`CheckedFile`].

use super::{Changes, LOC_BYTES, Loc, Totals};
use crate::CheckedFile;
use crate::key::{KEY_BYTES, Key};
use parking_lot::RwLock;
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

type BlockKey = &'static [u8; KEY_BYTES];
type BlockLoc = &'static [u8; LOC_BYTES];

const BLOCKS: TableDefinition<'static, BlockKey, BlockLoc> = TableDefinition::new("blocks");
/// Pack number to bytes of the pack and of its dead list that the table covers.
const PACKS: TableDefinition<'static, u32, (u64, u64)> = TableDefinition::new("packs");
const NUMBERS: TableDefinition<'static, &'static str, u64> = TableDefinition::new("numbers");
/// The layout of these tables; another one is rebuilt.
const FORMAT: u64 = 1;

/// Up to where the index covers a pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Covered {
    /// Bytes of the pack.
    pub pack: u64,
    /// Bytes of its dead list.
    pub dead: u64,
}

/// What the index says about itself.
type Described = (Totals, BTreeMap<u32, Covered>);

pub(crate) struct Db {
    database: Database,
    /// The table as of the last commit, so that a lookup need not open a transaction.
    blocks: RwLock<ReadOnlyTable<BlockKey, BlockLoc>>,
}

/// Opens or creates the index, with what it says about itself.
pub(crate) fn open_db(
    path: &Path,
    cache_bytes: usize,
) -> Result<(Db, Totals, BTreeMap<u32, Covered>), redb::Error> {
    open_db_on(CheckedFile::open(path)?, cache_bytes)
}

/// The same on any storage.
pub(crate) fn open_db_on(
    storage: impl StorageBackend,
    cache_bytes: usize,
) -> Result<(Db, Totals, BTreeMap<u32, Covered>), redb::Error> {
    let database = Database::builder()
        .set_cache_size(cache_bytes)
        .create_with_backend(storage)?;
    let (totals, covered) = match describe(&database)? {
        Some(described) => described,
        None => {
            let mut tx = database.begin_write()?;
            tx.set_quick_repair(true);
            tx.open_table(BLOCKS)?;
            tx.open_table(PACKS)?;
            tx.open_table(NUMBERS)?.insert("format", FORMAT)?;
            tx.commit()?;
            Default::default()
        }
    };
    let blocks = RwLock::new(database.begin_read()?.open_table(BLOCKS)?);
    Ok((Db { database, blocks }, totals, covered))
}

/// What the index says about itself; `None` where it was only just made.
fn describe(database: &Database) -> Result<Option<Described>, redb::Error> {
    let tx = database.begin_read()?;
    let numbers = match tx.open_table(NUMBERS) {
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        opened => opened?,
    };
    let number = |name: &str| {
        numbers
            .get(name)
            .map(|found| found.map_or(0, |found| found.value()))
    };
    if number("format")? != FORMAT {
        return Err(redb::Error::Corrupted("the index is of another format".into()));
    }
    let totals = Totals {
        blocks: number("blocks")?,
        bytes: number("bytes")?,
    };
    let mut covered = BTreeMap::new();
    for row in tx.open_table(PACKS)?.iter()? {
        let (pack, bytes) = row?;
        let (pack_bytes, dead_bytes) = bytes.value();
        covered.insert(
            pack.value(),
            Covered {
                pack: pack_bytes,
                dead: dead_bytes,
            },
        );
    }
    Ok(Some((totals, covered)))
}

impl Db {
    pub fn get(&self, key: &Key) -> Result<Option<Loc>, redb::Error> {
        Ok(self
            .blocks
            .read()
            .get(&key.0)?
            .map(|loc| Loc::decode(loc.value())))
    }

    /// Applies changes and replaces what is said about coverage, in one durable commit.
    pub fn write(
        &self,
        changes: &Changes,
        totals: Totals,
        covered: &BTreeMap<u32, Covered>,
    ) -> Result<(), redb::Error> {
        // In key order, neighbours share the pages that are rewritten.
        let mut sorted: Vec<(&Key, &Option<Loc>)> = changes.iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| **key);
        let mut tx = self.database.begin_write()?;
        tx.set_quick_repair(true);
        {
            let mut blocks = tx.open_table(BLOCKS)?;
            for (key, change) in sorted {
                match change {
                    Some(loc) => blocks.insert(&key.0, &loc.encode())?,
                    None => blocks.remove(&key.0)?,
                };
            }
            let mut packs = tx.open_table(PACKS)?;
            packs.retain(|pack, _| covered.contains_key(&pack))?;
            for (pack, covered) in covered {
                packs.insert(pack, (covered.pack, covered.dead))?;
            }
            let mut numbers = tx.open_table(NUMBERS)?;
            numbers.insert("blocks", totals.blocks)?;
            numbers.insert("bytes", totals.bytes)?;
        }
        tx.commit()?;
        let fresh = self.database.begin_read()?.open_table(BLOCKS)?;
        *self.blocks.write() = fresh;
        Ok(())
    }

    /// Visits entries in key order, those behind `after`, until `each` answers `false`.
    pub fn walk(
        &self,
        after: Option<Key>,
        each: &mut dyn FnMut(Key, Loc) -> bool,
    ) -> Result<(), redb::Error> {
        let table = self.database.begin_read()?.open_table(BLOCKS)?;
        let from = after
            .as_ref()
            .map_or(Bound::Unbounded, |key| Bound::Excluded(&key.0));
        for row in table.range::<&[u8; KEY_BYTES]>((from, Bound::Unbounded))? {
            let (key, loc) = row?;
            if !each(Key(*key.value()), Loc::decode(loc.value())) {
                break;
            }
        }
        Ok(())
    }
}
