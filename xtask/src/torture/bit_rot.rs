//! A flipped bit in each kind of file: detected, named, never served as good data, and no cascade.

use super::{BUCKET, Bench, Object, STOP, all_good, goes_on, survey};
use crate::content::Random;
use crate::server::{Server, Settings};
use crate::sign::Key;
use crate::{Outcome, process};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A directory with something in it, no server running.
struct Prepared {
    settings: Settings,
    objects: Vec<Object>,
    key: Key,
    random: Random,
}

type Case = fn(&mut Prepared) -> Outcome;

/// All of them; each with whether the server ended well before.
pub fn run(bench: &Bench) -> Outcome {
    let cases: &[(&str, Case, bool)] = &[
        ("pack", pack, true),
        ("sealed-segment", sealed_segment, true),
        ("open-segment", open_segment, true),
        ("state-stopped", state_stopped, true),
        ("state-running", state_running, true),
        ("raft-log-clean", raft_log, true),
        ("raft-log-killed", raft_log_killed, false),
    ];
    let mut failures = Vec::new();
    for (name, case, clean) in cases {
        let begin = Instant::now();
        let done = prepare(bench, name, *clean).and_then(|mut prepared| {
            case(&mut prepared).map_err(|why| {
                let log = process::tail(&prepared.settings.log, 12);
                format!("{why}\n  stead's log ends:\n{log}").into()
            })
        });
        println!(
            "  {name}: {} ({:.1} s)",
            if done.is_ok() { "well" } else { "NOT well" },
            begin.elapsed().as_secs_f64()
        );
        failures.extend(done.err().map(|why| format!("{name}: {why}")));
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n").into())
    }
}

/// 1,500 small objects (more than a segment of log at 1 MiB), some of several blocks, ended well or killed.
fn prepare(bench: &Bench, name: &str, clean: bool) -> Outcome<Prepared> {
    let settings = bench.settings(name, "[storage]\nsegment_mib = 1\n")?;
    let mut random = Random::new(4_711);
    let server = Server::start(&settings, None)?;
    server.client().create_bucket(BUCKET)?;
    let length = |number: usize, random: &mut Random| match number % 50 {
        0 => 3_000_000,
        1 => 200_000,
        _ => 100 + random.below(3_000) as usize,
    };
    let count = if name == "sealed-segment" { 3_000 } else { 600 };
    let objects: Vec<Object> = (0..count)
        .map(|number| {
            let length = length(number, &mut random);
            Object::new(&mut random, number, length)
        })
        .collect();
    std::thread::scope(|scope| {
        let put = |part: &[Object]| {
            let mut client = server.client();
            part.iter()
                .try_for_each(|object| object.put(&mut client))
                .map_err(|why| why.to_string())
        };
        let running: Vec<_> = objects
            .chunks(objects.len() / 8 + 1)
            .map(|part| scope.spawn(move || put(part)))
            .collect();
        running
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("panicked".to_owned())))
    })?;
    let key = server.key.clone();
    if name == "sealed-segment" {
        // A segment is sealed in the background, some time after it is rotated.
        let until = Instant::now() + Duration::from_secs(90);
        while find(&settings.data.join("log/main"), ".zst")?.is_empty() {
            if Instant::now() > until {
                return Err("no segment was sealed within 90 s after it was rotated".into());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    if clean {
        server.stop(STOP)?;
    } else {
        server.kill()?;
    }
    Ok(Prepared {
        settings,
        objects,
        key,
        random,
    })
}

/// Files in a directory whose names end so, sorted.
fn find(dir: &Path, end: &str) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).map_err(|why| format!("{}: {why}", dir.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Flips one bit in place, as a disk would: the file stays the same file.
fn flip(file: &Path, offset: u64) -> Outcome {
    println!("    flipping a bit of {} at {offset}", file.display());
    flip_quietly(file, offset)
}

fn flip_quietly(file: &Path, offset: u64) -> Outcome {
    use std::os::unix::fs::FileExt;
    let open = std::fs::File::options().read(true).write(true).open(file)?;
    let mut byte = [0];
    open.read_exact_at(&mut byte, offset)?;
    byte[0] ^= 0x10;
    open.write_all_at(&byte, offset)?;
    open.sync_all()?;
    Ok(())
}

fn start(prepared: &Prepared) -> Outcome<Server> {
    Server::start(&prepared.settings, Some(&prepared.key))
}

/// Runs a command that must fail and say so.
fn must_name(prepared: &Prepared, arguments: &[&str], words: &[&str]) -> Outcome {
    let output = prepared.settings.stead(arguments).output()?;
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    if output.status.success() {
        return Err(format!("`stead {}` finds nothing wrong: {said}", arguments.join(" ")).into());
    }
    match words.iter().find(|word| !said.contains(**word)) {
        Some(word) => Err(format!("`stead {}` does not name {word:?}: {said}", arguments.join(" ")).into()),
        None => Ok(()),
    }
}

/// Runs a command that must end well; answers what it said.
fn stead(prepared: &Prepared, arguments: &[&str]) -> Outcome<String> {
    let output = prepared.settings.stead(arguments).output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(said);
    }
    let why = String::from_utf8_lossy(&output.stderr);
    Err(format!("`stead {}` failed: {said}{why}", arguments.join(" ")).into())
}

fn pack(prepared: &mut Prepared) -> Outcome {
    let packs = find(&prepared.settings.data.join("blocks"), ".pack")?;
    // One small object and one of several blocks.
    let victims = [prepared.objects[7].clone(), prepared.objects[50].clone()];
    for victim in &victims {
        let bytes = victim.bytes();
        let needle = &bytes[..64.min(bytes.len())];
        let place = packs.iter().find_map(|pack| {
            let content = std::fs::read(pack).ok()?;
            content
                .windows(needle.len())
                .position(|window| window == needle)
                .map(|at| (pack.clone(), at as u64))
        });
        let (pack, at) = place.ok_or_else(|| format!("{} is in no pack", victim.key))?;
        flip(&pack, at + bytes.len().min(1_000) as u64 / 2)?;
    }
    let server = start(prepared)?;
    let found = survey(&server, &prepared.objects);
    if !found.wrong.is_empty() {
        return Err(format!("served as good: {:?}", found.wrong).into());
    }
    if found.refused.len() != victims.len() || found.good != prepared.objects.len() - victims.len() {
        return Err(format!("refused, but only two are damaged: {:?}", found.refused).into());
    }
    must_name(prepared, &["scrub"], &[".pack"])?;
    goes_on(&server, &mut prepared.random)?;
    // Writing the object again heals it: the new block is not taken for the damaged one.
    for victim in &victims {
        victim.put(&mut server.client())?;
    }
    all_good(&server, &prepared.objects)?;
    server.stop(STOP)?;
    let server = start(prepared)?;
    all_good(&server, &prepared.objects)
}

fn segment(prepared: &mut Prepared, file: &Path, offset: u64) -> Outcome {
    flip(file, offset)?;
    let name = file
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let stem = name.split('.').next().unwrap_or_default().to_owned();
    // Without a server, and with one.
    must_name(prepared, &["log", "verify"], &[&stem])?;
    let server = start(prepared)?;
    all_good(&server, &prepared.objects)?;
    goes_on(&server, &mut prepared.random)?;
    must_name(prepared, &["log", "verify"], &[&stem])?;
    server.stop(STOP)?;
    let server = start(prepared)?;
    all_good(&server, &prepared.objects)
}

fn sealed_segment(prepared: &mut Prepared) -> Outcome {
    let files = find(&prepared.settings.data.join("log/main"), ".zst")?;
    let file = files.first().ok_or("no sealed segment")?.clone();
    let length = std::fs::metadata(&file)?.len();
    let good = std::fs::read(&file)?;
    // In a frame, and in the index of frames, without which no line is found.
    for offset in [length / 2, length - 20] {
        segment(prepared, &file, offset)?;
        let server = start(prepared)?;
        let scrubbed = stead(prepared, &["scrub"])?;
        if !scrubbed.contains("written anew") || std::fs::read(&file)? != good {
            return Err(format!("not restored from its blocks: {scrubbed}").into());
        }
        stead(prepared, &["log", "verify"])?;
        server.stop(STOP)?;
    }
    Ok(())
}

fn open_segment(prepared: &mut Prepared) -> Outcome {
    let files = find(&prepared.settings.data.join("log/main"), ".jsonl")?;
    let file = files.last().ok_or("no open segment")?.clone();
    let length = std::fs::metadata(&file)?.len();
    segment(prepared, &file, length / 2)
}

/// Bits in many pages, so that some page in use is hit.
fn damage_state(prepared: &mut Prepared) -> Outcome {
    for file in find(&prepared.settings.data.join("state"), ".redb")? {
        let length = std::fs::metadata(&file)?.len();
        for _ in 0..8 {
            flip_quietly(&file, prepared.random.below(length))?;
        }
        println!("    flipped 8 bits of {}", file.display());
    }
    Ok(())
}

fn state_stopped(prepared: &mut Prepared) -> Outcome {
    for _ in 0..3 {
        damage_state(prepared)?;
        let server = start(prepared)?;
        all_good(&server, &prepared.objects)?;
        goes_on(&server, &mut prepared.random)?;
        server.stop(STOP)?;
    }
    Ok(())
}

fn state_running(prepared: &mut Prepared) -> Outcome {
    let mut server = start(prepared)?;
    damage_state(prepared)?;
    let begin = Instant::now();
    loop {
        let found = survey(&server, &prepared.objects);
        if !found.wrong.is_empty() {
            return Err(format!("served as good: {:?}", found.wrong).into());
        }
        if !server.alive() {
            return Err("the process ended".into());
        }
        if found.refused.is_empty() && goes_on(&server, &mut prepared.random).is_ok() {
            break;
        }
        if begin.elapsed() > Duration::from_secs(60) {
            return Err(format!("not healed after a minute: {:?}", found.refused.first()).into());
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    server.stop(STOP)?;
    let server = start(prepared)?;
    all_good(&server, &prepared.objects)
}

/// The write-ahead log's file with the most in it, and how much that is: files are made long beforehand.
fn raft_file(prepared: &Prepared) -> Outcome<(PathBuf, u64)> {
    let used = |file: PathBuf| {
        let data = std::fs::read(&file).ok()?;
        Some((data.iter().rposition(|byte| *byte != 0)? as u64, file))
    };
    let files = find(&prepared.settings.data.join("raft"), ".wal")?;
    let fullest = files.into_iter().filter_map(used).max();
    fullest
        .map(|(used, file)| (file, used))
        .ok_or_else(|| "no write-ahead log in raft/".into())
}

/// Everything in it is durable elsewhere: nothing is lost, whatever it says.
fn raft_log(prepared: &mut Prepared) -> Outcome {
    let (file, used) = raft_file(prepared)?;
    flip(&file, used / 2)?;
    let server = start(prepared)?;
    all_good(&server, &prepared.objects)?;
    goes_on(&server, &mut prepared.random)?;
    server.stop(STOP)?;
    let server = start(prepared)?;
    all_good(&server, &prepared.objects)
}

/// It is the only copy of some of what was acknowledged: all of it is there, or the start is refused by name.
fn raft_log_killed(prepared: &mut Prepared) -> Outcome {
    let (file, used) = raft_file(prepared)?;
    flip(&file, used / 2)?;
    match start(prepared) {
        Ok(server) => {
            all_good(&server, &prepared.objects)?;
            goes_on(&server, &mut prepared.random)
        }
        Err(why) => {
            let (why, name) = (
                why.to_string(),
                file.file_name()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .into_owned(),
            );
            println!(
                "    the start is refused: {}",
                why.lines().last().unwrap_or_default()
            );
            if why.contains(&name) {
                Ok(())
            } else {
                Err(format!("refused, but {name} is not named: {why}").into())
            }
        }
    }
}
