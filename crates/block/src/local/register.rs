//! The two small files that say which directory of packs is which: a marker in each, and a register of all.

use crate::BlockError;
use crate::pack::file::sync_dir;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use stead_runtime::Rng;

/// In each further directory.
pub(super) const MARKER: &str = "stead-blocks.json";
/// Beside the store's own packs.
pub(super) const REGISTER: &str = "directories.json";
/// Neither is ever nearly as long.
const FILE_BYTES: u64 = 1 << 20;

/// Whose a directory is, and which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    /// The store's name, 32 hexadecimal digits.
    pub store: String,
    /// The directory's slot, 1 to 255.
    pub slot: u8,
}

/// A directory that was in use once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Registered {
    /// Where it was last.
    pub path: PathBuf,
    /// Its slot, which no other ever gets.
    pub slot: u8,
}

/// All directories that were ever in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Register {
    pub directories: Vec<Registered>,
    /// Slots of those that were emptied and have left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<u8>,
    /// The store's name.
    pub store: String,
}

impl Marker {
    pub fn read(path: &Path) -> Result<Option<Self>, BlockError> {
        read(path)
    }

    pub fn write(&self, path: &Path) -> Result<(), BlockError> {
        write(path, self)
    }
}

impl Register {
    pub fn new(rng: &Rng) -> Self {
        Self {
            directories: Vec::new(),
            left: Vec::new(),
            store: rng
                .bytes::<16>()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        }
    }

    pub fn read(path: &Path) -> Result<Option<Self>, BlockError> {
        read(path)
    }

    pub fn write(&self, path: &Path) -> Result<(), BlockError> {
        write(path, self)
    }

    /// Whether a directory at that path was in use.
    pub fn by_path(&self, path: &Path) -> bool {
        self.directories.iter().any(|known| known.path == path)
    }

    /// Says where the directory of a slot is now. One that was there before is there no more.
    pub fn set(&mut self, slot: u8, path: &Path) {
        match self.directories.iter_mut().find(|known| known.slot == slot) {
            Some(known) => known.path = path.to_owned(),
            None => self.directories.push(Registered {
                path: path.to_owned(),
                slot,
            }),
        }
    }

    /// Notes that a directory was emptied.
    pub fn leave(&mut self, slot: u8) {
        self.directories.retain(|known| known.slot != slot);
        self.left.push(slot);
    }

    /// The first slot that was never given; `None` where all were.
    pub fn next_slot(&self) -> Option<u8> {
        let known = self.directories.iter().map(|known| known.slot);
        let last = known.chain(self.left.iter().copied()).max();
        last.unwrap_or(0).checked_add(1)
    }
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, BlockError> {
    let failed = |e| BlockError::io(format!("reading {}", path.display()), e);
    let file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    let parsed = serde_ipld_dagjson::from_slice(&bytes);
    parsed
        .map(Some)
        .map_err(|e| failed(io::Error::new(io::ErrorKind::InvalidData, e.to_string())))
}

/// Written beside and renamed: it is there whole or as it was.
fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), BlockError> {
    let failed = |e| BlockError::io(format!("writing {}", path.display()), e);
    let bytes = serde_ipld_dagjson::to_vec(value).map_err(|e| failed(io::Error::other(e.to_string())))?;
    let fresh = path.with_extension("json.new");
    let written = File::create(&fresh).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_all()
    });
    written
        .and_then(|()| std::fs::rename(&fresh, path))
        .map_err(failed)?;
    path.parent().map_or(Ok(()), sync_dir)
}
