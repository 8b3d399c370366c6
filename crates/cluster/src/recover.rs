//! Going on alone after a quorum is lost for good: a decision that only a person can make.
//!
//! A file in the Raft directory says that it was made. The next start then writes an entry behind all that this
//! node has, which makes it the only member, and lets it lead. What other members had acknowledged and this node
//! never saw is lost; those members are members no longer, and have to be let in anew with empty directories.

use crate::types::{Entry, Payload, log_id, term};
use crate::wal::{Wal, sync_dir};
use crate::{ClusterError, ClusterOptions};
use openraft::Membership;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tokio::sync::oneshot;

/// The file that says that a person has decided.
const FILE: &str = "recover";

fn path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// Notes that the next start goes on alone.
///
/// # Errors
/// Where the Raft directory cannot be written.
pub fn decide_to_recover(dir: &Path) -> Result<(), ClusterError> {
    let path = path(dir);
    let failed = |what: &str| ClusterError::io(format!("cannot {what} {}", path.display()));
    std::fs::write(&path, b"go on alone\n").map_err(failed("write"))?;
    let written = std::fs::File::open(&path).and_then(|file| file.sync_all());
    written.map_err(failed("sync"))?;
    sync_dir(dir).map_err(failed("sync the directory of"))
}

/// Makes this node the only member, if that was decided. Nothing of what it has is lost.
pub(crate) async fn recover(options: &ClusterOptions, wal: &Wal) -> Result<(), ClusterError> {
    let path = path(&options.dir);
    if !path.exists() {
        return Ok(());
    }
    let (purged, last) = wal.bounds();
    let last = last.or(purged);
    let voted = wal.vote().map_or(0, |vote| vote.leader_id.term);
    let next = last.map_or(0, |id| id.index + 1);
    let in_term = voted.max(last.as_ref().map_or(0, term));
    let alone = Membership::new(
        vec![BTreeSet::from([options.number])],
        BTreeMap::from([(options.number, options.member())]),
    );
    let alone = alone.map_err(|error| ClusterError::Raft(error.to_string()))?;
    let entry = Entry {
        log_id: log_id(in_term, next),
        payload: Payload::Membership(alone),
    };
    let (done, written) = oneshot::channel();
    let failed = || ClusterError::io("cannot write that this node goes on alone");
    let append = wal.append(
        [entry],
        Box::new(move |result| {
            // Who waits cannot have gone: it is the lines below.
            let _ = done.send(result);
        }),
    );
    append.map_err(failed())?;
    let written = written.await.map_err(std::io::Error::other);
    written.and_then(|result| result).map_err(failed())?;
    std::fs::remove_file(&path).map_err(ClusterError::io(format!("cannot remove {}", path.display())))?;
    tracing::warn!(
        entry = next,
        "this node goes on alone, as was decided; others have to be let in anew"
    );
    Ok(())
}
