//! Storage that takes writes into memory, over a database file that stays as it is: for looking at a
//! directory without changing it.

use crate::CheckedFile;
use parking_lot::RwLock;
use redb::StorageBackend;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::Path;

const PAGE: u64 = 4096;

#[derive(Debug, Default)]
struct Written {
    pages: HashMap<u64, Box<[u8]>>,
    len: u64,
}

/// A database file (or nothing) below, and what was written above it.
#[derive(Debug)]
pub struct Overlay {
    below: Option<CheckedFile>,
    /// Only as much of the file as was never cut off.
    below_len: RwLock<u64>,
    written: RwLock<Written>,
}

impl Overlay {
    /// Over nothing.
    pub fn empty() -> Self {
        Self {
            below: None,
            below_len: RwLock::new(0),
            written: RwLock::default(),
        }
    }

    /// Over a database file, of which nothing is changed, and which need not be writable.
    ///
    /// # Errors
    /// Where it cannot be opened, or is damaged ([`io::ErrorKind::InvalidData`]).
    pub fn over(path: &Path) -> io::Result<Self> {
        let below = CheckedFile::open_read(path)?;
        let len = below.len()?;
        let written = RwLock::new(Written {
            pages: HashMap::new(),
            len,
        });
        Ok(Self {
            below: Some(below),
            below_len: RwLock::new(len),
            written,
        })
    }

    fn read_below(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = self.below_len.read().saturating_sub(offset).min(out.len() as u64) as usize;
        let (there, gone) = out.split_at_mut(there);
        gone.fill(0);
        match &self.below {
            Some(below) if !there.is_empty() => below.read(offset, there),
            _ => Ok(()),
        }
    }
}

/// The parts of a byte range by page: page, where in the page, where in the range.
fn pages(
    offset: u64,
    len: usize,
) -> impl Iterator<Item = (u64, std::ops::Range<usize>, std::ops::Range<usize>)> {
    let end = offset + len as u64;
    (offset / PAGE..end.div_ceil(PAGE)).map(move |page| {
        let [from, to] = [offset.max(page * PAGE), end.min((page + 1) * PAGE)];
        let within = (from - page * PAGE) as usize..(to - page * PAGE) as usize;
        (page, within, (from - offset) as usize..(to - offset) as usize)
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written.read().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written.read();
        if offset + out.len() as u64 > written.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for (page, within, part) in pages(offset, out.len()) {
            match written.pages.get(&page) {
                Some(bytes) => out[part].copy_from_slice(&bytes[within]),
                None => self.read_below(page * PAGE + within.start as u64, &mut out[part])?,
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.written.write();
        if len < written.len {
            written.pages.retain(|page, _| page * PAGE < len);
            if let Some(bytes) = written.pages.get_mut(&(len / PAGE)) {
                bytes[(len % PAGE) as usize..].fill(0);
            }
            let mut below = self.below_len.write();
            *below = len.min(*below);
        }
        written.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written.write();
        for (page, within, part) in pages(offset, data.len()) {
            let bytes = match written.pages.entry(page) {
                Entry::Occupied(there) => there.into_mut(),
                Entry::Vacant(missing) => {
                    let mut bytes = vec![0; PAGE as usize].into_boxed_slice();
                    if within.len() < bytes.len() {
                        self.read_below(page * PAGE, &mut bytes)?;
                    }
                    missing.insert(bytes)
                }
            };
            bytes[within].copy_from_slice(&data[part]);
        }
        written.len = written.len.max(offset + data.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_reads_as_a_file_would(
            steps in prop::collection::vec((0u64..20_000, 0usize..9_000, any::<u8>(), any::<bool>()), 1..20)
        ) {
            let overlay = Overlay::empty();
            let mut model: Vec<u8> = Vec::new();
            for (offset, len, byte, cut) in steps {
                if cut {
                    overlay.set_len(offset).unwrap();
                    model.resize(offset as usize, 0);
                } else {
                    let end = offset as usize + len;
                    overlay.write(offset, &vec![byte; len]).unwrap();
                    model.resize(model.len().max(end), 0);
                    model[offset as usize..end].fill(byte);
                }
                let mut all = vec![1; model.len()];
                overlay.read(0, &mut all).unwrap();
                prop_assert!(all == model);
            }
        }
    }
}
