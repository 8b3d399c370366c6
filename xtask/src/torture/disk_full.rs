//! A small file system fills up under load, to the last byte, and is freed again.

use super::{BUCKET, Bench, Object, STOP, all_good, goes_on};
use crate::client::CallError;
use crate::content::Random;
use crate::server::Server;
use crate::{Outcome, process};
use rustix::mount::{MountFlags, UnmountFlags};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Of the file system, in MiB.
const SIZE_MIB: u64 = 160;

/// A small file system, unmounted when dropped.
struct Small(PathBuf);

impl Small {
    /// ext4 on a loop device where that is permitted, else tmpfs.
    fn mount(work: &Path) -> Outcome<Self> {
        let (image, at) = (work.join("small.img"), work.join("small"));
        std::fs::create_dir_all(&at)?;
        let ext4 = || -> Outcome {
            crate::suite::need(&["mkfs.ext4"])?;
            std::fs::File::create(&image)?.set_len(SIZE_MIB << 20)?;
            let path = std::env::var("PATH").unwrap_or_default();
            let with_sbin = format!("{path}:/usr/sbin:/sbin");
            process::output(
                Command::new("mkfs.ext4")
                    .args(["-q", "-m", "0"])
                    .arg(&image)
                    .env("PATH", with_sbin),
            )?;
            process::output(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&at)).map(drop)
        };
        match ext4() {
            Ok(()) => println!("  on ext4 of {SIZE_MIB} MiB, on a loop device"),
            Err(why) => {
                let options = std::ffi::CString::new(format!("size={SIZE_MIB}m"))?;
                rustix::mount::mount("none", &at, "tmpfs", MountFlags::empty(), options.as_c_str()).map_err(
                    |tmpfs| {
                        format!(
                            "no small file system can be mounted (needs root): ext4: {why}; tmpfs: {tmpfs}"
                        )
                    },
                )?;
                println!("  on tmpfs of {SIZE_MIB} MiB (no loop device: {why})");
            }
        }
        Ok(Self(at))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // The server may have ended only a moment ago.
        for _ in 0..100 {
            if rustix::mount::unmount(&self.0, UnmountFlags::empty()).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = rustix::mount::unmount(&self.0, UnmountFlags::DETACH);
    }
}

/// Writes small and large objects until each client was refused several times. Answers what was acknowledged,
/// and how the refusals read.
fn fill(server: &Server, random: &mut Random, round: usize) -> Outcome<(Vec<Object>, Vec<String>)> {
    let kept = Mutex::new((Vec::new(), Vec::new()));
    let seeds: Vec<u64> = (0..4).map(|_| random.next()).collect();
    let each = |number: usize, seed: u64| -> Result<(), String> {
        let (mut random, mut client, mut refused) = (Random::new(seed), server.client(), 0);
        for count in 0..100_000 {
            let length = if number.is_multiple_of(2) {
                random.below(60_000) as usize
            } else {
                500_000 + random.below(3_000_000) as usize
            };
            let object = Object::new(
                &mut random,
                round * 10_000_000 + number * 1_000_000 + count,
                length,
            );
            let result = object.put(&mut client);
            let mut kept = kept.lock().map_err(|_| "a client panicked")?;
            match result {
                Ok(()) => kept.0.push(object),
                Err(CallError::Refused(status @ (503 | 507), body)) if body.contains("<Code>") => {
                    let code = crate::client::element(&body, "Code")
                        .unwrap_or_default()
                        .to_owned();
                    kept.1.push(format!("{status} {code}"));
                    refused += 1;
                    if refused == 5 {
                        return Ok(());
                    }
                }
                // A large body may be refused before it is read, which ends the connection.
                Err(CallError::Broken(_)) => {
                    refused += 1;
                    kept.1.push("connection ended".to_owned());
                    if refused == 5 {
                        return Ok(());
                    }
                }
                Err(other) => return Err(format!("not a clear answer to a full disk: {other}")),
            }
        }
        Err("the disk does not fill up".to_owned())
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..)
            .zip(seeds)
            .map(|(number, seed)| scope.spawn(move || each(number, seed)))
            .collect();
        running
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err("panicked".to_owned())))
    })?;
    kept.into_inner().map_err(|_| "a client panicked".into())
}

/// Takes whatever is free on the file system.
fn take_the_rest(file: &Path) -> Outcome {
    use std::io::Write;
    let mut open = std::fs::File::options().create(true).append(true).open(file)?;
    for size in [1 << 20, 4_096, 512, 1] {
        while open.write_all(&vec![0xAA; size]).is_ok() && open.sync_data().is_ok() {}
    }
    Ok(())
}

/// Service comes back by itself, soon after space does.
fn comes_back(server: &Server, random: &mut Random) -> Outcome<Duration> {
    let begin = Instant::now();
    loop {
        match goes_on(server, random) {
            Ok(()) => return Ok(begin.elapsed()),
            Err(why) if begin.elapsed() > Duration::from_secs(30) => {
                return Err(format!("no writes 30 s after space came back: {why}").into());
            }
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// A write on the full disk is refused in words.
fn refused(server: &Server, random: &mut Random) -> Outcome {
    let object = Object::new(random, 99_999_999, 50_000);
    match object.put(&mut server.client()) {
        Err(CallError::Refused(503 | 507, _)) => Ok(()),
        Err(other) => Err(format!("not a clear answer to a full disk: {other}").into()),
        Ok(()) => Err("a write was taken on a disk without a free byte".into()),
    }
}

/// The whole test.
pub fn run(bench: &Bench) -> Outcome {
    let small = Small::mount(&bench.work)?;
    let mut settings = bench.settings("stead", "")?;
    settings.data = small.0.join("data");
    std::fs::create_dir(&settings.data)?;
    std::fs::write(
        settings.data.join("stead.toml"),
        "[storage]\nreserve_mib = 24\nsegment_mib = 1\n",
    )?;
    let filler = small.0.join("filler");
    let mut random = Random::new(99);
    let mut server = Server::start(&settings, None)?;
    server.client().create_bucket(BUCKET)?;
    let (mut objects, mut said) = fill(&server, &mut random, 0)?;
    said.sort();
    said.dedup();
    println!(
        "  full after {} objects; refusals: {}",
        objects.len(),
        said.join(", ")
    );
    if !said.iter().any(|refusal| refusal.starts_with("50")) {
        return Err("no client was told in words that the disk is full".into());
    }
    all_good(&server, &objects)?;

    // Somebody else takes even the reserve: reads go on, writes are refused, nothing is lost.
    take_the_rest(&filler)?;
    let (more, _) = fill(&server, &mut random, 1)?;
    objects.extend(more);
    if !server.alive() {
        return Err("the process ended on a disk without a free byte".into());
    }
    all_good(&server, &objects)?;
    std::fs::remove_file(&filler)?;
    let after =
        comes_back(&server, &mut random).map_err(|why| format!("after somebody else's file went: {why}"));
    // The reserve alone is free again, so client writes may still be refused; deletes must not be.
    let gone: Vec<Object> = objects.drain(..objects.len() / 8).collect();
    let mut client = server.client();
    for object in &gone {
        client
            .delete(BUCKET, &object.key)
            .map_err(|why| format!("a delete on a full disk: {why}"))?;
    }
    println!(
        "  after the reserve is free again: {}",
        after.map_or_else(|why| why.to_string(), |after| format!("writes after {after:?}"))
    );
    all_good(&server, &objects)?;

    // Killed while full; started when there is room.
    take_the_rest(&filler)?;
    server.kill()?;
    let started = Server::start(&settings, None)?;
    println!("  starts without a free byte, after {:?}", started.ready_after);
    all_good(&started, &objects)?;
    let again = small.0.join("filler-again");
    take_the_rest(&again)?;
    refused(&started, &mut random)?;
    all_good(&started, &objects)?;
    started.kill()?;
    std::fs::remove_file(&again)?;
    std::fs::remove_file(&filler)?;
    let server = Server::start(&settings, None)?;
    all_good(&server, &objects)?;
    server.stop(STOP)?;
    grown(bench, &settings, &objects, small, &mut random)
}

/// The same directory on a larger disk: everything is there and writes go on.
fn grown(
    bench: &Bench,
    settings: &crate::server::Settings,
    objects: &[Object],
    small: Small,
    random: &mut Random,
) -> Outcome {
    let moved = bench.work.join("moved");
    process::output(Command::new("cp").arg("-a").arg(&settings.data).arg(&moved))?;
    drop(small);
    let mut settings = settings.clone();
    settings.data = moved;
    let server = Server::start(&settings, None)?;
    all_good(&server, objects)?;
    goes_on(&server, random)?;
    server.stop(STOP).map(drop)
}
