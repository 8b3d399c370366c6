//! Which process of a node one speaks to: a copy of its directory, started elsewhere, has its key, and must not vote
//! in its name.
//!
//! Every start of a directory has a number, and every process a lot that it draws. Both are said on every
//! connection before anything else. A process that comes with a higher number takes the place of one that does not
//! answer any more; one that comes while the other answers, or with a number that is not higher, is told so, and
//! stops.

use super::wire::{Ask, Reply};
use super::{Mesh, frame};
use iroh::endpoint::Connection;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;
use stead_event::NodeId;

/// How long a process that was seen before may take to show that it is there.
const PROBE: Duration = Duration::from_secs(1);
/// The file that counts the starts, in the Raft directory.
const FILE: &str = "starts";

/// A process of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Incarnation {
    /// How often its directory was started as a member's.
    pub start: u64,
    /// Drawn by this process.
    pub lot: u64,
}

impl Incarnation {
    /// Of this start of a directory, which is counted.
    ///
    /// # Errors
    /// Where the count cannot be read or kept: without it a copy could not be told from this.
    pub fn of_start(dir: &Path, lot: u64) -> io::Result<Self> {
        let path = dir.join(FILE);
        let before = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(io::Error::other)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        let start = before + 1;
        let new = path.with_extension("new");
        let mut file = fs::File::create(&new)?;
        writeln!(file, "{start}")?;
        file.sync_all()?;
        fs::rename(&new, &path)?;
        crate::wal::sync_dir(dir)?;
        Ok(Self { start, lot })
    }

    /// Of a process that is only let in: its directory has nothing that a copy could have.
    pub fn new(lot: u64) -> Self {
        Self { start: 0, lot }
    }
}

/// Who was met last as each node, and by which connection.
#[derive(Default)]
pub(super) struct Met(Mutex<HashMap<NodeId, (Incarnation, Connection)>>);

impl Mesh {
    /// Whether a process is the one that counts as a node.
    pub(super) fn is_current(&self, node: &NodeId, process: Incarnation) -> bool {
        let met = self.met.0.lock();
        met.get(node).is_none_or(|(known, _)| *known == process)
    }

    /// Takes a process that says to be a node for it; answers why not, where it is not.
    pub(super) async fn meet(
        &self,
        node: &NodeId,
        process: Incarnation,
        connection: &Connection,
    ) -> Result<(), String> {
        let known = self.met.0.lock().get(node).cloned();
        if let Some((known, old)) = known
            && known != process
        {
            if process.start <= known.start {
                return Err(format!(
                    "a process of a later start of its directory was met already ({} against {}): this is an older \
                     copy, and what it had promised since is not in it",
                    known.start, process.start
                ));
            }
            if self.answers(&old, known).await {
                return Err("another process of this node runs, with a copy of its directory".into());
            }
        }
        let mut met = self.met.0.lock();
        met.insert(node.clone(), (process, connection.clone()));
        Ok(())
    }

    /// Whether a process that was met still answers.
    async fn answers(&self, connection: &Connection, process: Incarnation) -> bool {
        let asked = self.hail(connection);
        matches!(tokio::time::timeout(PROBE, asked).await, Ok(Ok(Reply::Hail(now))) if now == process)
    }

    async fn hail(&self, connection: &Connection) -> Result<Reply, String> {
        let (mut send, mut receive) = connection.open_bi().await.map_err(|e| e.to_string())?;
        let hail = Ask::Hail(self.incarnation);
        frame::write(&mut send, &hail).await.map_err(|e| e.to_string())?;
        // The end of the stream may have been met already; then the answer is on its way.
        let _ = send.finish();
        frame::read(&mut receive, frame::STRANGERS_MAX)
            .await
            .map_err(|e| e.to_string())
    }

    /// Greets over a connection that was made just now, before anything else; answers who is there.
    pub(super) async fn greet(&self, node: &NodeId, connection: &Connection) -> Result<Incarnation, String> {
        match self.hail(connection).await? {
            Reply::Hail(process) => {
                self.meet(node, process, connection).await?;
                Ok(process)
            }
            Reply::Superseded(why) => {
                if let Some(service) = self.service.get() {
                    service.superseded(node, &why);
                }
                Err(why)
            }
            other => Err(other.unexpected().to_string()),
        }
    }
}
