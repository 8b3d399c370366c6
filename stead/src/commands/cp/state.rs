//! What an interrupted upload needs to go on: its id, in a file of the user's state directory.
//!
//! Promises: a file that has changed since is never joined with what was sent of it before.

use super::super::path::Place;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use stead_event::cids;

/// What an upload was begun with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Begun {
    node: String,
    bucket: String,
    key: String,
    file: PathBuf,
    size: u64,
    modified_ns: i128,
    inode: u64,
    pub(super) part_bytes: u64,
}

impl Begun {
    pub(super) fn new(node: &str, place: &Place, path: &Path, meta: &fs::Metadata, part_bytes: u64) -> Self {
        Self {
            node: node.to_owned(),
            bucket: place.bucket.clone(),
            key: place.key.clone(),
            file: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            size: meta.len(),
            modified_ns: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
            inode: meta.ino(),
            part_bytes,
        }
    }

    /// A name that only the same copy has: from where to where.
    fn name(&self) -> String {
        let what = format!(
            "{}\0{}\0{}\0{}",
            self.node,
            self.bucket,
            self.key,
            self.file.display()
        );
        let digest = cids::digest(&cids::raw(what.as_bytes())).unwrap_or_default();
        format!("{}.json", hex::encode(&digest[..16]))
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    begun: Begun,
    upload: String,
}

/// The state file of one upload.
pub(super) struct State {
    path: PathBuf,
    begun: Begun,
}

impl State {
    pub(super) fn of(begun: Begun) -> Self {
        Self {
            path: dir().join(begun.name()),
            begun,
        }
    }

    /// The upload that was begun with exactly this file, and one that was begun with an earlier state of it.
    pub(super) fn find(&self) -> (Option<String>, Option<String>) {
        let stored = fs::read(&self.path)
            .ok()
            .and_then(|text| serde_json::from_slice::<Stored>(&text).ok());
        match stored {
            Some(stored) if stored.begun == self.begun => (Some(stored.upload), None),
            Some(stale) => (None, Some(stale.upload)),
            None => (None, None),
        }
    }

    /// Remembers the upload.
    pub(super) fn keep(&self, upload: &str) -> Result<(), Failure> {
        let stored = Stored {
            begun: self.begun.clone(),
            upload: upload.to_owned(),
        };
        let text = serde_json::to_vec_pretty(&stored).unwrap_or_default();
        let half = self.path.with_extension("tmp");
        let write = || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir())?;
            fs::write(&half, text)?;
            fs::rename(&half, &self.path)
        };
        write().map_err(|e| Failure::io(format_args!("cannot write {}", self.path.display()), &e))
    }

    /// Forgets it.
    pub(super) fn forget(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// `$XDG_STATE_HOME/stead/uploads`.
fn dir() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    std::env::var_os("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(home)
        .unwrap_or_else(std::env::temp_dir)
        .join("stead/uploads")
}
