//! The file system that data would be on: large writes, reading them, and small writes that are flushed each.
//!
//! Promises: the file loses its name before the first byte is in it, so that it is gone whenever the command ends, however it
//! ends. Where the room would become scarce, nothing is begun.

use super::Effort;
use crate::codes;
use crate::failure::Failure;
use crate::output;
use rustix::fs::{Advice, fadvise};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use stead_guide::showcase::{Disk, Figure};
use stead_runtime::{Clock, blocking, free_bytes};

const MIB: usize = 1 << 20;

/// What has to stay free beside the file: others write meanwhile.
const MARGIN: u64 = 512 << 20;

/// How much longer than wanted a run of writes may take before it is cut short.
const SLOW: u32 = 4;

pub(super) async fn measure(clock: &Clock, dir: &Path, effort: Effort) -> Result<Disk, Failure> {
    let free = free_bytes(dir).map_err(|why| Failure::io(dir.display(), &why))?;
    if free < effort.bytes + MARGIN {
        let (free, wanted) = (output::size(free), output::size(effort.bytes + MARGIN));
        return Err(Failure::new(
            codes::DISK_FULL,
            format!("{} has {free} free, and {wanted} are wanted", dir.display()),
        )
        .next("make room, name another directory with --dir, or take a smaller file with --quick"));
    }
    let file_system = super::facts::file_system(dir);
    let (clock, owned) = (clock.clone(), dir.to_owned());
    let seen = blocking(move || runs(&clock, &owned, effort)).await;
    let seen = seen.map_err(|why| Failure::io(dir.display(), &why))?;
    let figure = |seen: &[f64]| Figure::of(seen).ok_or_else(super::nothing);
    Ok(Disk {
        file_system,
        bytes: seen.bytes,
        write_mb_per_s: figure(&seen.write)?,
        read_mb_per_s: figure(&seen.read)?,
        read_from_cache: seen.cached,
        appends_per_s: figure(&seen.appends)?,
    })
}

#[derive(Default)]
struct Seen {
    bytes: u64,
    write: Vec<f64>,
    read: Vec<f64>,
    cached: bool,
    appends: Vec<f64>,
}

fn runs(clock: &Clock, dir: &Path, effort: Effort) -> io::Result<Seen> {
    let mut seen = Seen::default();
    let mut block: Vec<u8> = (0..MIB).map(|at| (at * 31 % 251) as u8).collect();
    for run in 0..effort.runs.min(3) {
        let mut file = nameless(dir)?;
        // No two blocks alike, for disks and file systems that notice.
        let began = clock.instant();
        let mut bytes = 0;
        while bytes < effort.bytes {
            block[..8].copy_from_slice(&(bytes + run as u64).to_le_bytes());
            file.write_all(&block)?;
            bytes += MIB as u64;
            if clock.instant().saturating_duration_since(began) > effort.each * SLOW {
                break;
            }
        }
        file.sync_all()?;
        let took = clock.instant().saturating_duration_since(began);
        seen.write.push(bytes as f64 / 1e6 / took.as_secs_f64().max(1e-9));
        seen.bytes = seen.bytes.max(bytes);
        // It is on the disk, so the kernel may forget it; where it will not, reading is from memory.
        seen.cached |= fadvise(&file, 0, None, Advice::DontNeed).is_err();
        file.rewind()?;
        seen.read.push(read(clock, &mut file, &mut block, effort)?);
    }
    for _ in 0..effort.runs {
        seen.appends.push(appends(clock, dir, effort)?);
    }
    Ok(seen)
}

fn read(clock: &Clock, file: &mut File, block: &mut [u8], effort: Effort) -> io::Result<f64> {
    let began = clock.instant();
    let mut bytes = 0;
    loop {
        let count = file.read(block)?;
        bytes += count;
        let took = clock.instant().saturating_duration_since(began);
        if count == 0 || took > effort.each * SLOW {
            return Ok(bytes as f64 / 1e6 / took.as_secs_f64().max(1e-9));
        }
    }
}

fn appends(clock: &Clock, dir: &Path, effort: Effort) -> io::Result<f64> {
    let mut file = nameless(dir)?;
    let page = [7; 4096];
    let began = clock.instant();
    let mut count = 0;
    loop {
        file.write_all(&page)?;
        file.sync_data()?;
        count += 1;
        let took = clock.instant().saturating_duration_since(began);
        if took >= effort.each {
            return Ok(f64::from(count) / took.as_secs_f64());
        }
    }
}

/// A file that no directory has.
fn nameless(dir: &Path) -> io::Result<File> {
    let path = dir.join(format!(".stead-bench-{}", std::process::id()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_behind() {
        let temp = tempfile::tempdir().expect("a directory");
        let effort = Effort {
            bytes: 2 << 20,
            ..Effort::of(true)
        };
        let seen = runs(&Clock::system(), temp.path(), effort).expect("measured");
        assert_eq!(
            (seen.bytes, seen.write.len(), seen.read.len(), seen.appends.len()),
            (2 << 20, 3, 3, 3)
        );
        let all = [&seen.write, &seen.read, &seen.appends];
        assert!(all.into_iter().flatten().all(|rate| *rate > 0.0));
        assert_eq!(std::fs::read_dir(temp.path()).expect("there").count(), 0);
    }

    #[tokio::test]
    async fn where_room_is_scarce_nothing_is_begun() {
        let temp = tempfile::tempdir().expect("a directory");
        let effort = Effort {
            bytes: 1 << 60,
            ..Effort::of(true)
        };
        let refused = measure(&Clock::system(), temp.path(), effort)
            .await
            .expect_err("refused");
        assert!(refused.is(codes::DISK_FULL));
    }
}
