//! Directories that a node must not open: each is refused quickly, with a code and what to do, and left alone.

use super::{BUCKET, Bench, Object, STOP, all_good};
use crate::Outcome;
use crate::server::{Server, Settings};
use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Everybody's and nobody's user.
const NOBODY: u32 = 65_534;

/// `stead up` ends by itself with an error that has a code and these words.
fn refused(settings: &Settings, what: &str, words: &[&str]) -> Outcome {
    let mut command = settings.up();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if crate::process::wait(&mut child, Duration::from_secs(15))?.is_none() {
        child.kill()?;
        child.wait()?;
        return Err(format!("{what}: `stead up` runs").into());
    }
    let output = child.wait_with_output()?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if output.status.success() || said.contains("panicked") {
        return Err(format!("{what}: ended with {}: {said}", output.status).into());
    }
    if !said.contains("STEAD-") {
        return Err(format!("{what}: the error has no code: {said}").into());
    }
    if let Some(word) = words.iter().find(|word| !said.to_lowercase().contains(**word)) {
        return Err(format!("{what}: the error does not say {word:?}: {said}").into());
    }
    println!(
        "  {what}:\n{}",
        said.trim()
            .lines()
            .map(|line| format!("    {line}\n"))
            .collect::<String>()
            .trim_end()
    );
    Ok(())
}

/// Every file with its bytes, to see that nothing was touched; the lock names whoever tried last.
fn contents(dir: &Path) -> Outcome<BTreeMap<String, Vec<u8>>> {
    let mut all = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                dirs.push(entry.path());
            } else if entry.file_type()?.is_file() && entry.file_name() != "lock" {
                all.insert(
                    entry.path().to_string_lossy().into_owned(),
                    std::fs::read(entry.path())?,
                );
            }
        }
    }
    Ok(all)
}

fn unchanged(settings: &Settings, what: &str, words: &[&str]) -> Outcome {
    let before = contents(&settings.data)?;
    refused(settings, what, words)?;
    if contents(&settings.data)? == before {
        Ok(())
    } else {
        Err(format!("{what}: the directory was changed").into())
    }
}

/// All of them.
pub fn run(bench: &Bench) -> Outcome {
    let settings = bench.settings("stead", "")?;
    let server = Server::start(&settings, None)?;
    server.client().create_bucket(BUCKET)?;
    let object = Object {
        key: "one".to_owned(),
        seed: 3,
        length: 100_000,
    };
    object.put(&mut server.client())?;
    refused(
        &settings,
        "a second process on the same directory",
        &["another", "process"],
    )?;
    all_good(&server, std::slice::from_ref(&object))?;
    server.stop(STOP)?;

    newer_format(&settings)?;
    let foreign = bench.settings("foreign", "")?;
    std::fs::create_dir(&foreign.data)?;
    std::fs::write(foreign.data.join("thesis.txt"), "mine")?;
    unchanged(&foreign, "a directory with somebody else's files", &[])?;
    by_somebody_else(bench, &settings)?;
    let server = Server::start(&settings, None)?;
    all_good(&server, &[object])?;
    server.stop(STOP).map(drop)
}

fn newer_format(settings: &Settings) -> Outcome {
    let file = settings.data.join("format");
    let format = std::fs::read_to_string(&file)?;
    std::fs::write(&file, "99\n")?;
    unchanged(settings, "a directory of a newer format", &["newer", "99"])?;
    std::fs::write(&file, format).map_err(Into::into)
}

/// Needs another user: as root, nobody; else only the read-only directory can be tried, on an own one.
fn by_somebody_else(bench: &Bench, settings: &Settings) -> Outcome {
    if !rustix::process::geteuid().is_root() {
        let mut own = settings.clone();
        own.data = bench.work.join("read-only");
        std::fs::create_dir(&own.data)?;
        std::fs::set_permissions(&own.data, std::fs::Permissions::from_mode(0o555))?;
        let done = refused(&own, "a directory that may only be read", &[]);
        std::fs::set_permissions(&own.data, std::fs::Permissions::from_mode(0o755))?;
        println!("  not tried: a directory of another user (needs root)");
        return done;
    }
    crate::suite::need(&["setpriv"])?;
    // Somewhere that nobody may go, with a binary that nobody may run: the tree itself may be closed to others.
    let place = std::env::temp_dir().join(format!("stead-refusals-{}", std::process::id()));
    std::fs::create_dir_all(&place)?;
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755))?;
    let done = as_nobody(settings, &place);
    std::fs::remove_dir_all(&place)?;
    done
}

fn as_nobody(settings: &Settings, place: &Path) -> Outcome {
    let binary = place.join("stead");
    std::fs::copy(&settings.binary, &binary)?;
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755))?;
    let at = |name: &str| {
        let mut theirs = Settings::new(&binary, &place.join(name), &place.join("log"));
        let user = NOBODY.to_string();
        theirs.before = ["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups"]
            .map(str::to_owned)
            .to_vec();
        theirs
    };
    let read_only = at("read-only");
    std::fs::create_dir(&read_only.data)?;
    chown(&read_only.data, Some(NOBODY), Some(NOBODY))?;
    std::fs::set_permissions(&read_only.data, std::fs::Permissions::from_mode(0o555))?;
    refused(&read_only, "a directory that may only be read", &[])?;
    let wrong_owner = at("wrong-owner");
    let copied = Command::new("cp")
        .arg("-a")
        .arg(&settings.data)
        .arg(&wrong_owner.data)
        .status()?;
    if !copied.success() {
        return Err("cp does not copy".into());
    }
    std::fs::set_permissions(&wrong_owner.data, std::fs::Permissions::from_mode(0o777))?;
    refused(&wrong_owner, "another user's directory", &["own"])
}
