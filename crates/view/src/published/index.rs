//! The index of what is public: `state/published.redb`.
//!
//! For each block that is reachable from something public, how often it is named; for each publication, its
//! directories and how far the log is in them; and what was current a moment ago. It is written by one
//! follower and read by everybody; a lookup is one read of one table. Anything wrong with it is answered by
//! making it anew.

use super::references::{Key, References, cid_of, key_of};
use super::tree::Directories;
use crate::database;
use crate::error::ViewError;
use redb::{Database, Durability, ReadableDatabase, ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use stead_block::LocalStore;
use stead_block::unixfs::directory::Directory;
use stead_event::{Cid, Position, cids};

type Bytes = &'static [u8];

const COUNTS: TableDefinition<Bytes, u64> = TableDefinition::new("published.counts");
const RETIRED: TableDefinition<Bytes, i64> = TableDefinition::new("published.retired");
/// Roots that were current, by when they ceased to be.
const OLD_ROOTS: TableDefinition<(i64, Bytes), ()> = TableDefinition::new("published.old_roots");
const DIRECTORIES: TableDefinition<(u64, &'static str), Bytes> =
    TableDefinition::new("published.directories");
/// By publication: how far the log is in it, and its root.
const DONE: TableDefinition<u64, Bytes> = TableDefinition::new("published.done");
/// Pins that are counted, by bucket, key and CID.
const PINS: TableDefinition<&'static str, Bytes> = TableDefinition::new("published.pins");

/// Memory for pages (8 MiB).
const CACHE: usize = 8 << 20;

/// What the index has of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// How far the log is in it.
    pub position: Position,
    /// Its root.
    pub root: Cid,
}

#[derive(Serialize, Deserialize)]
struct StoredApplied(Position, Cid);

#[derive(Serialize, Deserialize)]
struct StoredDirectory(Cid, u64, u64, u64, u64);

/// What is to be written at once.
#[derive(Default)]
pub struct Update {
    /// Publications that moved: their new place, and the directories that changed.
    pub moved: BTreeMap<Position, (Applied, Directories)>,
    /// Publications that are gone.
    pub gone: Vec<Position>,
    /// Pins that became public, by what names them.
    pub pinned: Vec<(String, Cid)>,
    /// Pins that ceased to be.
    pub unpinned: Vec<String>,
    /// Now, in microseconds; directory nodes that cease to be current are answered a little longer.
    pub now: i64,
}

/// The index. Cheap to clone.
#[derive(Clone)]
pub struct Index {
    database: Arc<Database>,
    path: PathBuf,
    /// How long a directory that is not current any more is still answered, in microseconds.
    grace: i64,
    /// How far the log was looked at.
    seen: Arc<AtomicU64>,
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, ViewError> {
    serde_ipld_dagcbor::to_vec(value).map_err(|e| ViewError::Damaged(format!("a row does not encode: {e}")))
}

fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, ViewError> {
    serde_ipld_dagcbor::from_slice(bytes)
        .map_err(|e| ViewError::Damaged(format!("a row does not decode: {e}")))
}

impl Index {
    /// Opens `published.redb` in the directory of states; one that is damaged is thrown away. Directories
    /// that are not current any more are answered for `grace_secs` longer.
    pub fn open(state: &Path, grace_secs: u32) -> Result<Self, ViewError> {
        let path = state.join("published.redb");
        let database = match database::open_file(&path, CACHE).and_then(prepare) {
            Err(error) if error.is_of_database() => {
                tracing::warn!(%error, "the index of what is public is made anew");
                remove(&path)?;
                database::open_file(&path, CACHE).and_then(prepare)?
            }
            other => other?,
        };
        Ok(Self {
            database: Arc::new(database),
            path,
            grace: i64::from(grace_secs) * 1_000_000,
            seen: Arc::default(),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The position that everything public is as of, at least.
    pub fn seen(&self) -> Position {
        self.seen.load(Ordering::Acquire)
    }

    /// Says that everything public is as of a position.
    pub fn saw(&self, position: Position) {
        self.seen.fetch_max(position, Ordering::AcqRel);
    }

    /// Whether a block is reachable from something public at `now` (microseconds).
    pub fn is_public(&self, cid: &Cid, now: i64) -> Result<bool, ViewError> {
        let Some(key) = key_of(cid) else { return Ok(false) };
        let transaction = self.database.begin_read()?;
        if transaction.open_table(COUNTS)?.get(key.as_slice())?.is_some() {
            return Ok(true);
        }
        // Raw blocks are never directories: the look is spared.
        if cid.codec() != cids::DAG_PB {
            return Ok(false);
        }
        let since = transaction.open_table(RETIRED)?.get(key.as_slice())?;
        Ok(since.is_some_and(|since| now.saturating_sub(since.value()) < self.grace))
    }

    /// How far each publication is.
    pub fn applied(&self) -> Result<BTreeMap<Position, Applied>, ViewError> {
        let table = self.database.begin_read()?.open_table(DONE)?;
        let mut all = BTreeMap::new();
        for row in table.range::<u64>(..)? {
            let (id, value) = row?;
            let StoredApplied(position, root) = decode(value.value())?;
            all.insert(id.value(), Applied { position, root });
        }
        Ok(all)
    }

    /// The pins that are counted, as they were named.
    pub fn pins(&self) -> Result<BTreeMap<String, Cid>, ViewError> {
        let table = self.database.begin_read()?.open_table(PINS)?;
        let mut all = BTreeMap::new();
        for row in table.range::<&str>(..)? {
            let (name, value) = row?;
            all.insert(name.value().to_owned(), decode(value.value())?);
        }
        Ok(all)
    }

    /// A directory of a publication, by its key prefix.
    pub fn directory(&self, publication: Position, prefix: &str) -> Result<Option<Directory>, ViewError> {
        let table = self.database.begin_read()?.open_table(DIRECTORIES)?;
        let Some(value) = table.get((publication, prefix))? else {
            return Ok(None);
        };
        let StoredDirectory(cid, total_size, entries, basic_bytes, left_out) = decode(value.value())?;
        Ok(Some(Directory {
            cid,
            total_size,
            entries,
            basic_bytes,
            left_out,
        }))
    }

    /// Roots that ceased to be current within the grace before `now`: the collector keeps them, too.
    pub fn old_roots(&self, now: i64) -> Result<Vec<Cid>, ViewError> {
        let table = self.database.begin_read()?.open_table(OLD_ROOTS)?;
        let from = now.saturating_sub(self.grace);
        let mut roots = Vec::new();
        for row in table.range((from, &[][..])..)? {
            let (key, _) = row?;
            roots.extend(<&Key>::try_from(key.value().1).map(cid_of));
        }
        Ok(roots)
    }

    /// How many blocks are public.
    pub fn blocks(&self) -> Result<u64, ViewError> {
        Ok(self.database.begin_read()?.open_table(COUNTS)?.len()?)
    }

    /// Writes an update, all of it or nothing; durably where asked.
    pub fn write(&self, store: &LocalStore, update: &Update, durably: bool) -> Result<(), ViewError> {
        let before = self.applied()?;
        let pins = self.pins()?;
        let mut transaction = self.database.begin_write()?;
        if durably {
            transaction.set_quick_repair(true);
        } else {
            transaction.set_durability(Durability::None)?;
        }
        {
            let mut counts = transaction.open_table(COUNTS)?;
            let mut retired = transaction.open_table(RETIRED)?;
            let mut old_roots = transaction.open_table(OLD_ROOTS)?;
            let mut references = References {
                counts: &mut counts,
                retired: &mut retired,
                store,
                retire: (update.gone.is_empty() && update.unpinned.is_empty()).then_some(update.now),
                nodes: HashMap::new(),
                queue: VecDeque::new(),
                leaves: HashMap::new(),
            };
            let mut done = transaction.open_table(DONE)?;
            let mut directories = transaction.open_table(DIRECTORIES)?;
            for (id, (applied, changed)) in &update.moved {
                references.add(&applied.root, 1)?;
                done.insert(
                    id,
                    encode(&StoredApplied(applied.position, applied.root))?.as_slice(),
                )?;
                for (prefix, directory) in changed {
                    match directory {
                        Some(d) => {
                            let row =
                                StoredDirectory(d.cid, d.total_size, d.entries, d.basic_bytes, d.left_out);
                            directories.insert((*id, prefix.as_str()), encode(&row)?.as_slice())?;
                        }
                        None => drop(directories.remove((*id, prefix.as_str()))?),
                    }
                }
                if let Some(old) = before.get(id) {
                    references.add(&old.root, -1)?;
                    if old.root != applied.root
                        && let Some(key) = key_of(&old.root)
                    {
                        old_roots.insert((update.now, key.as_slice()), ())?;
                    }
                }
            }
            for id in &update.gone {
                if let Some(old) = before.get(id) {
                    references.add(&old.root, -1)?;
                }
                done.remove(id)?;
                directories.retain_in((*id, "")..(*id + 1, ""), |_, _| false)?;
            }
            let mut counted = transaction.open_table(PINS)?;
            for (name, cid) in &update.pinned {
                if !pins.contains_key(name) {
                    references.add(cid, 1)?;
                    counted.insert(name.as_str(), encode(cid)?.as_slice())?;
                }
            }
            for name in &update.unpinned {
                if let Some(cid) = pins.get(name) {
                    references.add(cid, -1)?;
                    counted.remove(name.as_str())?;
                }
            }
            references.run()?;
            let expired = update.now.saturating_sub(self.grace);
            old_roots.retain_in(..(expired, &[][..]), |_, ()| false)?;
            // What is retired is looked through only when something is gone, or rarely.
            if durably || !update.gone.is_empty() {
                let all = !update.gone.is_empty();
                retired.retain(|_, since| !all && since > expired)?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Forgets everything, so that it is made anew.
    pub fn clear(&self) -> Result<(), ViewError> {
        let transaction = self.database.begin_write()?;
        transaction.delete_table(COUNTS)?;
        transaction.delete_table(RETIRED)?;
        transaction.delete_table(OLD_ROOTS)?;
        transaction.delete_table(DIRECTORIES)?;
        transaction.delete_table(DONE)?;
        transaction.delete_table(PINS)?;
        tables(&transaction)?;
        Ok(transaction.commit()?)
    }
}

fn tables(transaction: &redb::WriteTransaction) -> Result<(), ViewError> {
    transaction.open_table(COUNTS)?;
    transaction.open_table(RETIRED)?;
    transaction.open_table(OLD_ROOTS)?;
    transaction.open_table(DIRECTORIES)?;
    transaction.open_table(DONE)?;
    transaction.open_table(PINS)?;
    Ok(())
}

/// Makes the tables where there are none.
fn prepare(database: Database) -> Result<Database, ViewError> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    tables(&transaction)?;
    transaction.commit()?;
    Ok(database)
}

fn remove(path: &Path) -> Result<(), ViewError> {
    for path in [path.to_owned(), PathBuf::from(format!("{}.crc", path.display()))] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ViewError::io("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}
