//! The file `log/applied`: what the last checkpoint made durable, kept beside the log so that `state/` can
//! be deleted and the driver still goes on from where it was.
//!
//! Format: eight bytes that name it, the CRC-32C of the rest (little-endian), and DAG-CBOR of the driver's
//! index, its bytes, and each tenant's log point.

use crate::database::{Points, Progress};
use crate::error::ViewError;
use bytes::Bytes;
use rustix::fs::fsync;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use stead_log::Marker;

const MAGIC: &[u8; 8] = b"steadap1";

#[derive(Serialize, Deserialize)]
struct Stored {
    driver: Bytes,
    index: u64,
    points: Points,
}

/// Reads the file; `None` where it is not there or not whole.
pub(crate) fn read(path: &Path) -> Result<Option<Progress>, ViewError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ViewError::io("read", path)(error)),
    };
    let progress = decode(&bytes);
    if progress.is_none() {
        tracing::warn!(path = %path.display(), "the file is damaged and is passed over");
    }
    Ok(progress)
}

fn decode(bytes: &[u8]) -> Option<Progress> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*crc) != crc32c::crc32c(rest) {
        return None;
    }
    let stored: Stored = serde_ipld_dagcbor::from_slice(rest).ok()?;
    Some(Progress {
        marker: Marker {
            index: stored.index,
            driver: stored.driver,
        },
        points: stored.points,
    })
}

fn encode(progress: &Progress) -> Result<Vec<u8>, ViewError> {
    let stored = Stored {
        driver: progress.marker.driver.clone(),
        index: progress.marker.index,
        points: progress.points.clone(),
    };
    let rest = serde_ipld_dagcbor::to_vec(&stored)
        .map_err(|e| ViewError::Damaged(format!("what was applied does not encode: {e}")))?;
    Ok([MAGIC, &crc32c::crc32c(&rest).to_le_bytes()[..], &rest].concat())
}

/// Replaces the file: whole and durable when it returns, or as it was.
pub(crate) fn write(path: &Path, progress: &Progress) -> Result<(), ViewError> {
    let bytes = encode(progress)?;
    let beside = path.with_extension("tmp");
    let directory = path.parent().unwrap_or(Path::new("."));
    let replace = || {
        let mut file = File::create(&beside)?;
        file.write_all(&bytes)?;
        file.sync_data()?;
        std::fs::rename(&beside, path)?;
        Ok(fsync(File::open(directory)?)?)
    };
    replace().map_err(ViewError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stead_event::{ChainHead, Tenant, cids};
    use stead_log::LogPoint;

    #[test]
    fn it_reads_back_and_any_flipped_bit_is_found() {
        let head = ChainHead {
            seq: 7,
            cid: Some(cids::dag_json(b"{}")),
        };
        let progress = Progress {
            marker: Marker {
                index: 9,
                driver: Bytes::from_static(b"raft"),
            },
            points: [(
                Tenant::main(),
                LogPoint {
                    head,
                    segment: 1,
                    offset: 700,
                },
            )]
            .into(),
        };
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("applied");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, &progress).unwrap();
        assert_eq!(read(&path).unwrap(), Some(progress.clone()));
        let good = std::fs::read(&path).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(decode(&bad), None);
        }
    }
}
