//! The disk forgets exactly what it should. These need root and FUSE; elsewhere they say so and pass, for
//! `cargo xtask crash --power-cut`, which cannot do without, fails there with the same words.

use super::*;
use crate::paths;
use std::fs;
use std::io::{Seek, SeekFrom, Write};

fn disk(name: &str) -> Option<(PowerCut, PathBuf)> {
    if !rustix::process::geteuid().is_root() || !Path::new("/dev/fuse").exists() {
        eprintln!("not tested: mounting FUSE needs root and /dev/fuse");
        return None;
    }
    let at = paths::target().join("xtask-work").join(name);
    fs::create_dir_all(&at).expect("the target directory is writable");
    Some((PowerCut::mount(&at).expect("FUSE mounts"), at))
}

fn sync_directory(at: &Path) {
    File::open(at)
        .and_then(|directory| directory.sync_all())
        .expect("a directory can be synced");
}

#[test]
fn only_what_was_synced_is_there_after_a_cut() -> Outcome {
    let Some((mut disk, at)) = disk("powercut-test-1") else {
        return Ok(());
    };
    let mut file = File::create(at.join("kept"))?;
    file.write_all(&[1; 10_000])?;
    file.sync_data()?;
    sync_directory(&at);
    file.write_all(&[2; 10_000])?;
    file.seek(SeekFrom::Start(100))?;
    file.write_all(&[3; 10])?;
    fs::write(at.join("unsynced"), b"gone")?;
    assert_eq!(fs::read(at.join("kept"))?.len(), 20_000);
    assert_eq!(fs::read(at.join("unsynced"))?, b"gone");
    drop(file);
    assert!(disk.cut(None)? > 10_000);
    assert_eq!(fs::read(at.join("kept"))?, [1; 10_000]);
    assert!(!at.join("unsynced").exists());
    Ok(())
}

#[test]
fn names_are_kept_by_their_directory_alone() -> Outcome {
    let Some((mut disk, at)) = disk("powercut-test-2") else {
        return Ok(());
    };
    fs::create_dir(at.join("in"))?;
    fs::write(at.join("in/old"), b"old")?;
    File::open(at.join("in/old"))?.sync_all()?;
    sync_directory(&at.join("in"));
    sync_directory(&at);
    fs::write(at.join("in/new"), b"new")?;
    File::open(at.join("in/new"))?.sync_all()?;
    fs::rename(at.join("in/new"), at.join("in/old"))?;
    disk.cut(None)?;
    assert_eq!(fs::read(at.join("in/old"))?, b"old");
    fs::write(at.join("in/new"), b"new")?;
    File::open(at.join("in/new"))?.sync_all()?;
    fs::rename(at.join("in/new"), at.join("in/old"))?;
    sync_directory(&at.join("in"));
    disk.cut(None)?;
    assert_eq!(fs::read(at.join("in/old"))?, b"new");
    fs::remove_file(at.join("in/old"))?;
    disk.cut(None)?;
    assert_eq!(fs::read(at.join("in/old"))?, b"new");
    Ok(())
}

#[test]
fn shorter_files_and_many_names() -> Outcome {
    let Some((mut disk, at)) = disk("powercut-test-3") else {
        return Ok(());
    };
    let file = File::create(at.join("file"))?;
    (&file).write_all(&[9; 9_000])?;
    file.sync_all()?;
    sync_directory(&at);
    file.set_len(5_000)?;
    file.set_len(9_000)?;
    assert_eq!(fs::read(at.join("file"))?[5_000..], [0; 4_000]);
    drop(file);
    disk.cut(None)?;
    assert_eq!(fs::read(at.join("file"))?, [9; 9_000]);
    for number in 0..1_000 {
        fs::write(at.join(format!("a file with a long name, number {number}")), b"")?;
    }
    assert_eq!(fs::read_dir(&at)?.count(), 1_001);
    disk.cut(None)?;
    assert_eq!(fs::read_dir(&at)?.count(), 1);
    let mut random = Random::new(3);
    File::options()
        .write(true)
        .open(at.join("file"))?
        .write_all(&[7; 9_000])?;
    disk.cut(Some(&mut random))?;
    let torn = fs::read(at.join("file"))?;
    assert!(
        torn.iter().all(|byte| *byte == 7 || *byte == 9),
        "only whole old or new pages"
    );
    Ok(())
}
