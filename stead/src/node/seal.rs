//! Sealing: a segment of the log that is complete is compressed, kept as blocks, signed, and said to be so in
//! the `system` log.
//!
//! Promises: each step may be repeated after a crash; the segment goes only when its compressed form is in
//! place and checked.

use super::root::append;
use ed25519_dalek::SigningKey;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use stead_block::unixfs::{DagBuilder, LEAF_BYTES};
use stead_block::{Block, LocalStore, Pin};
use stead_event::body::LogSealed;
use stead_event::{ChainHead, Cid, Tenant};
use stead_gateway::WriteContext;
use stead_log::{Checkpoint, LogError, Precondition, SealCandidate};
use stead_runtime::blocking;

/// Any of the many reasons for which a segment stays unsealed until the next round.
type Why = Box<dyn std::error::Error + Send + Sync>;

/// Seals what can be sealed of every tenant's log; answers how many segments.
pub(super) async fn seal_all(data: &Path, write: &WriteContext, key: &SigningKey) -> Result<u64, Why> {
    let dir = data.join("log");
    let mut sealed = 0;
    for tenant in write.tail.tenants() {
        let (listed, whose) = (dir.clone(), tenant.clone());
        let candidates = blocking(move || stead_log::unsealed(&listed, &whose)).await?;
        if candidates.is_empty() {
            continue;
        }
        // What is compressed must be durable as it is: then no crash takes a part of it back.
        write.log().checkpoint().await?;
        for candidate in candidates {
            seal(write, key, &tenant, candidate).await?;
            sealed += 1;
        }
    }
    Ok(sealed)
}

async fn seal(
    write: &WriteContext,
    key: &SigningKey,
    tenant: &Tenant,
    candidate: SealCandidate,
) -> Result<(), Why> {
    let (store, of) = (write.store.clone(), candidate.clone());
    let (compressed, kept) = blocking(move || -> Result<_, Why> {
        let compressed = stead_log::compress(&of)?;
        let kept = keep(&store, &compressed)?;
        store.sync()?;
        Ok((compressed, kept))
    })
    .await?;
    let head = ChainHead {
        seq: candidate.last,
        cid: Some(candidate.head),
    };
    let checkpoint = Checkpoint::sign(key, tenant, head, write.now()).ok_or("an empty segment")?;
    let event = LogSealed {
        cid: kept.root,
        first: candidate.first,
        head: candidate.head,
        last: candidate.last,
        node: checkpoint.node,
        signature: checkpoint.signature,
        signed_at: checkpoint.at,
        size: kept.size,
        tenant: tenant.clone(),
    };
    let unsealed = Precondition::SegmentUnsealed {
        tenant: tenant.clone(),
        first: candidate.first,
    };
    match append(write, Tenant::system(), vec![unsealed], event.into()).await {
        // Said before a crash already: only the file is still to be put in place.
        Ok(()) | Err(LogError::Rejected(_)) => {}
        Err(error) => return Err(error.into()),
    }
    drop(kept);
    let (first, last) = (candidate.first, candidate.last);
    blocking(move || stead_log::install_sealed(&candidate, &compressed)).await?;
    tracing::info!(%tenant, first, last, "sealed a segment of the log");
    Ok(())
}

struct Kept {
    root: Cid,
    size: u64,
    // Held until the event that names the root is in the log.
    _pins: Vec<Pin>,
}

/// Stores a file's bytes as a UnixFS file.
fn keep(store: &LocalStore, path: &Path) -> Result<Kept, Why> {
    let mut file = File::open(path)?;
    let mut builder = DagBuilder::new();
    let mut pins = Vec::new();
    loop {
        let mut leaf = Vec::with_capacity(LEAF_BYTES);
        file.by_ref().take(LEAF_BYTES as u64).read_to_end(&mut leaf)?;
        if leaf.is_empty() {
            break;
        }
        let size = leaf.len() as u64;
        let block = Block::raw(leaf.into());
        let cid = block.cid;
        pins.push(store.append_unsynced(&[(block.cid, block.bytes)])?);
        for node in builder.push(cid, size) {
            pins.push(store.append_unsynced(&[(node.cid, node.bytes)])?);
        }
    }
    let finished = builder.finish();
    for node in &finished.blocks {
        pins.push(store.append_unsynced(&[(node.cid, node.bytes.clone())])?);
    }
    Ok(Kept {
        root: finished.root,
        size: finished.size,
        _pins: pins,
    })
}
