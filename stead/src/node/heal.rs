//! Sealed segments are in the block store as well, under the CID that `log.sealed` names: a file that is not
//! what was sealed any more, or is gone, is written anew from there.
//!
//! Promises: a file is replaced only by exactly what was sealed, in one step; where the blocks are not whole
//! either, it is left as it is and named.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use stead_block::unixfs::{DagBuilder, LEAF_BYTES, Leaves};
use stead_block::{Block, LocalStore};
use stead_event::Cid;
use stead_event::body::LogSealed;
use stead_gateway::ReadContext;
use stead_log::sealed_file;

type Why = Box<dyn std::error::Error + Send + Sync>;

/// What became of the sealed segments.
#[derive(Debug, Default)]
pub(super) struct Healed {
    /// Segments read.
    pub segments: u64,
    /// Written anew.
    pub restored: Vec<PathBuf>,
    /// Damaged, and why they could not be written anew.
    pub lost: Vec<(PathBuf, String)>,
}

/// Reads every sealed segment and puts those that are damaged in order. Blocks for as long as it takes.
pub(super) fn heal(data: &Path, read: &ReadContext) -> Result<Healed, Why> {
    let mut healed = Healed::default();
    let stop = read.tasks.shutdown_signal();
    for tenant in read.tail.tenants() {
        for sealed in read.views.segments()?.sealed(&tenant)? {
            if stop.is_set() {
                return Ok(healed);
            }
            let path = sealed_file(&data.join("log"), &tenant, sealed.first);
            // Said to be sealed, but the file is not in place yet: sealing comes to it.
            if path.with_extension("").exists() {
                continue;
            }
            healed.segments += 1;
            if is_whole(&path, &sealed.cid)? {
                continue;
            }
            match restore(&read.store, &sealed, &path) {
                Ok(()) => {
                    read.tail.reopen(&tenant);
                    tracing::warn!(file = %path.display(), "restored a damaged segment of the log from its blocks");
                    healed.restored.push(path);
                }
                Err(error) => {
                    tracing::error!(file = %path.display(), %error, "a damaged segment of the log cannot be restored");
                    healed.lost.push((path, error.to_string()));
                }
            }
        }
    }
    Ok(healed)
}

/// Whether the file's bytes have that CID.
fn is_whole(path: &Path, cid: &Cid) -> io::Result<bool> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        other => other?,
    };
    let mut builder = DagBuilder::new();
    let mut leaf = Vec::with_capacity(LEAF_BYTES);
    loop {
        leaf.clear();
        (&file).take(LEAF_BYTES as u64).read_to_end(&mut leaf)?;
        if leaf.is_empty() {
            return Ok(builder.finish().root == *cid);
        }
        let size = leaf.len() as u64;
        let block = Block::raw(std::mem::take(&mut leaf).into());
        builder.push(block.cid, size);
    }
}

fn restore(store: &LocalStore, sealed: &LogSealed, path: &Path) -> Result<(), Why> {
    let part = path.with_extension("zst.tmp");
    let written = write_blocks(store, sealed, &part).and_then(|()| {
        // The blocks' own checks are of their storing; this one is that they are what was sealed.
        if !is_whole(&part, &sealed.cid)? {
            return Err("its blocks are not what was sealed".into());
        }
        fs::rename(&part, path)?;
        if let Some(dir) = path.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(())
    });
    if written.is_err() {
        // Nothing may be left behind; where it cannot be removed, the next attempt writes over it.
        drop(fs::remove_file(&part));
    }
    written
}

fn write_blocks(store: &LocalStore, sealed: &LogSealed, part: &Path) -> Result<(), Why> {
    let mut file = File::create(part)?;
    for leaf in Leaves::new(|cid: &Cid| store.read(cid), sealed.cid, sealed.size, None) {
        file.write_all(&store.read(&leaf?.cid)?)?;
    }
    Ok(file.sync_all()?)
}
