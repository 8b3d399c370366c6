//! A directory that no node runs on is read without anything in it being written, also where nothing can be.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod common;

use common::{Home, files, noise, text};
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::SystemTime;

/// A directory as a kill leaves it, and the bytes of its large object.
fn killed() -> (Home, Vec<u8>) {
    let home = Home::new();
    let node = home.up();
    home.ok(&["bucket", "create", "kept"]);
    let large = noise(3 << 20);
    let file = home.file("a.bin", &large);
    home.ok(&["cp", &file, "kept/a.bin"]);
    assert!(home.with_input(&["cp", "-", "kept/b"], b"small").status.success());
    node.kill();
    (home, large)
}

/// Bytes and times of all files but the lock, which says who looked last.
fn state(data: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let all = files(data).into_iter().filter(|path| !path.ends_with("lock"));
    all.filter(|path| path.metadata().unwrap().is_file())
        .map(|path| {
            let modified = path.metadata().unwrap().modified().unwrap();
            let bytes = std::fs::read(&path).unwrap();
            (path, (bytes, modified))
        })
        .collect()
}

fn reading() -> Vec<Vec<&'static str>> {
    [
        "ls",
        "ls -r kept/",
        "ls --versions kept/",
        "cat kept/b",
        "cat kept/a.bin",
        "log",
        "log verify",
        "history kept/a.bin",
        "why kept/b",
        "status",
        "doctor",
        "key list",
        "scrub",
    ]
    .map(|line| line.split(' ').collect())
    .to_vec()
}

#[test]
fn reading_writes_nothing() {
    let (home, large) = killed();
    let before = state(&home.data());
    for args in reading() {
        home.ok(&args);
    }
    assert!(home.run(&["cat", "kept/a.bin"]).stdout == large);
    let after = state(&home.data());
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (path, was) in before {
        assert!(after[&path] == was, "{} was written", path.display());
    }
    // All of it is derived: reading goes on without it, and does not bring it back.
    for entry in std::fs::read_dir(home.data().join("state")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    assert!(home.run(&["cat", "kept/a.bin"]).stdout == large);
    assert_eq!(std::fs::read_dir(home.data().join("state")).unwrap().count(), 0);
    let _node = home.up();
    assert_eq!(home.ok(&["cat", "kept/b"]), "small");
}

/// Runs a command for which the directory is read-only: for root, whom permissions do not hold up, on a mount of
/// its own; else by permissions.
fn read_only(home: &Home, args: &[&str]) -> Output {
    if !is_root() {
        return home.run(args);
    }
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && exec \"$@\"";
    let inner = home.command(args);
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", script]).arg(home.data());
    command.arg(inner.get_program()).args(inner.get_args());
    command.env_remove("STEAD_DATA").output().unwrap()
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Takes away (or gives back) the right to write, below a directory.
fn writable(data: &Path, may: bool) {
    let mut all = vec![data.to_owned()];
    all.extend(files(data));
    all.extend(["log", "log/main", "log/system", "blocks", "state", "raft"].map(|name| data.join(name)));
    for path in all {
        let mode = path.metadata().unwrap().mode();
        let mode = if may { mode | 0o200 } else { mode & !0o222 };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
}

#[test]
fn a_directory_that_cannot_be_written_can_be_read() {
    let (home, large) = killed();
    let lock = home.data().join("lock");
    for without_lock in [false, true] {
        if without_lock {
            std::fs::remove_file(&lock).unwrap();
        }
        writable(&home.data(), false);
        let results: Vec<_> = reading()
            .into_iter()
            .map(|args| (read_only(&home, &args), args))
            .collect();
        let up = read_only(&home, &["up", "--listen", "127.0.0.1:0"]);
        writable(&home.data(), true);
        for (output, args) in results {
            assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
            match args[..] {
                ["cat", "kept/a.bin"] => assert!(output.stdout == large),
                ["cat", _] => assert_eq!(text(&output.stdout), "small"),
                ["doctor"] => assert!(text(&output.stdout).contains("read-only") || is_root()),
                _ => assert!(!output.stdout.is_empty(), "{args:?}"),
            }
        }
        assert!(text(&up.stderr).contains("STEAD-0003"), "{}", text(&up.stderr));
        assert_eq!(lock.exists(), !without_lock);
    }
    let _node = home.up();
    assert_eq!(home.ok(&["cat", "kept/b"]), "small");
}
