//! Clients that are slow on purpose, and clients that only hold a connection.

use super::{BUCKET, Bench, Object, STOP, all_good, goes_on};
use crate::content::Random;
use crate::server::Server;
use crate::sign::{Request, Signer, UNSIGNED};
use crate::{Outcome, process};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// No stalled client may hold a connection for longer.
const BOUND: Duration = Duration::from_secs(75);

/// Sends nothing more; answers how long the server put up with it.
fn until_closed(mut stream: TcpStream, mut drip: impl FnMut(&mut TcpStream)) -> Result<Duration, String> {
    let begin = Instant::now();
    stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .map_err(|why| why.to_string())?;
    let mut buffer = [0; 4_096];
    while begin.elapsed() < BOUND {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(begin.elapsed()),
            Ok(_) => {} // an error answer before the end
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                drip(&mut stream)
            }
            Err(_) => return Ok(begin.elapsed()),
        }
    }
    Err(format!("still open after {BOUND:?}"))
}

/// Half a head, a head by single bytes, a body that stalls, a body by single bytes, an answer nobody reads.
pub fn slow(bench: &Bench) -> Outcome {
    let settings = bench.settings("stead", "")?;
    let mut random = Random::new(5);
    let mut server = Server::start(&settings, None)?;
    server.client().create_bucket(BUCKET)?;
    let large = Object {
        key: "large".to_owned(),
        seed: 1,
        length: 32 << 20,
    };
    large.put(&mut server.client())?;
    let host = server.address.to_string();
    let signer = Signer::new(&server.key, &host);
    let put = |key: &str| {
        let path = format!("/{BUCKET}/{key}");
        signer.head(Request {
            method: "PUT",
            path: &path,
            query: "",
            payload: UNSIGNED,
            headers: &[],
            length: 1 << 20,
        })
    };
    let path = format!("/{BUCKET}/large");
    let get = signer.head(Request {
        method: "GET",
        path: &path,
        query: "",
        payload: UNSIGNED,
        headers: &[],
        length: 0,
    });
    let byte = |stream: &mut TcpStream| drop(stream.write_all(b"x"));
    let silent = |_: &mut TcpStream| {};
    type Drip<'a> = &'a (dyn Fn(&mut TcpStream) + Sync);
    let cases: Vec<(&str, Vec<u8>, Drip<'_>, bool)> = vec![
        (
            "half a head",
            b"GET / HTTP/1.1\r\nhost: x\r\nx-a".to_vec(),
            &silent,
            true,
        ),
        (
            "a head by single bytes",
            b"GET / HTTP/1.1\r\nhost: x\r\nx-a: ".to_vec(),
            &byte,
            true,
        ),
        (
            "a body that stalls",
            [put("stalled"), vec![7; 1_000]].concat(),
            &silent,
            true,
        ),
        ("a body that never begins", put("never"), &silent, true),
        ("a body by single bytes", put("drip"), &byte, true),
        ("an answer that nobody reads", get, &silent, false),
    ];
    let ends: Mutex<BTreeMap<String, Vec<f64>>> = Mutex::default();
    let failures: Vec<String> = std::thread::scope(|scope| {
        let ends = &ends;
        let run = |name: &str, first: &[u8], drip: Drip<'_>, reads: bool| -> Result<(), String> {
            let mut stream = TcpStream::connect(&host).map_err(|why| why.to_string())?;
            stream.write_all(first).map_err(|why| why.to_string())?;
            if !reads {
                // Nothing to see from here: the server must only not suffer.
                std::thread::sleep(Duration::from_secs(20));
                return Ok(());
            }
            let after = until_closed(stream, drip).map_err(|why| format!("{name}: {why}"))?;
            let mut ends = ends.lock().map_err(|_| "another client panicked")?;
            ends.entry(name.to_owned()).or_default().push(after.as_secs_f64());
            Ok(())
        };
        let running: Vec<_> = cases
            .iter()
            .flat_map(|case| std::iter::repeat_n(case, 20))
            .map(|(name, first, drip, reads)| scope.spawn(move || run(name, first, *drip, *reads)))
            .collect();
        let mut failures: Vec<String> = Vec::new();
        for _ in 0..10 {
            failures.extend(
                goes_on(&server, &mut random)
                    .err()
                    .map(|why| format!("meanwhile: {why}")),
            );
            std::thread::sleep(Duration::from_millis(500));
        }
        let finish = |thread: std::thread::ScopedJoinHandle<'_, Result<(), String>>| {
            thread.join().unwrap_or(Ok(())).err()
        };
        failures.extend(running.into_iter().filter_map(finish));
        failures
    });
    for (name, mut after) in ends.into_inner().map_err(|_| "a client panicked")? {
        after.sort_by(f64::total_cmp);
        let (least, most) = (after[0], after[after.len() - 1]);
        println!(
            "  {name}, {} times: ended by the server after {least:.1} to {most:.1} s",
            after.len()
        );
    }
    if let Some(first) = failures.first() {
        return Err(format!("{} failures, the first: {first}", failures.len()).into());
    }
    for key in ["stalled", "never", "drip"] {
        if server.client().get(BUCKET, key)?.is_some() {
            return Err(format!("{key} is stored although its body never came").into());
        }
    }
    all_good(&server, &[large])?;
    if !server.alive() {
        return Err("the process ended".into());
    }
    server.stop(STOP).map(drop)
}

/// As many idle connections as the issue names.
const IDLE: usize = 10_000;

/// 10,000 connections that say nothing after a first request: service goes on beside them, memory stays
/// bounded. Where they are many, the server may end the oldest early; how many it kept is printed.
pub fn idle(bench: &Bench) -> Outcome {
    raise_limit()?;
    let settings = bench.settings("stead", "")?;
    let mut random = Random::new(6);
    let mut server = Server::start(&settings, None)?;
    server.client().create_bucket(BUCKET)?;
    goes_on(&server, &mut random)?;
    let path = format!("/{BUCKET}/none");
    let head = Request {
        method: "HEAD",
        path: &path,
        query: "",
        payload: UNSIGNED,
        headers: &[],
        length: 0,
    };
    let request = Signer::new(&server.key, &server.address.to_string()).head(head);
    let before = process::resident(server.pid())?;
    let mut connections = Vec::with_capacity(IDLE);
    let begin = Instant::now();
    for at in 0..IDLE {
        if at > 0 && at % 2_500 == 0 {
            println!("  {at} after {:.1} s", begin.elapsed().as_secs_f64());
        }
        let connection = TcpStream::connect_timeout(&server.address, Duration::from_secs(10));
        let mut connection = connection.map_err(|why| format!("connection {at}: {why}"))?;
        // One small request each: what never sends one is not idle but late, and is closed soon.
        connection.write_all(&request)?;
        connections.push(connection);
    }
    std::thread::sleep(Duration::from_millis(500));
    let connected = begin.elapsed();
    let begin = Instant::now();
    for _ in 0..20 {
        goes_on(&server, &mut random).map_err(|why| format!("with {IDLE} idle connections: {why}"))?;
    }
    let each = begin.elapsed() / 20;
    let with = process::resident(server.pid())?;
    let open = connections
        .iter_mut()
        .map(still_open)
        .filter(|open| *open)
        .count();
    println!(
        "  {IDLE} connections in {:.1} s, {open} kept; put and get of 100 kB in {:.1} ms beside them; resident {} -> {} MiB",
        connected.as_secs_f64(),
        each.as_secs_f64() * 1_000.0,
        before >> 20,
        with >> 20
    );
    drop(connections);
    std::thread::sleep(Duration::from_millis(500));
    goes_on(&server, &mut random).map_err(|why| format!("after they went: {why}"))?;
    if with.saturating_sub(before) > 256 << 20 {
        return Err(format!("{IDLE} idle connections cost {} MiB", (with - before) >> 20).into());
    }
    if !server.alive() {
        return Err("the process ended".into());
    }
    server.stop(STOP).map(drop)
}

/// Takes the one answer, and sees whether the end has come.
fn still_open(stream: &mut TcpStream) -> bool {
    let mut buffer = [0; 4_096];
    if stream.set_nonblocking(true).is_err() {
        return false;
    }
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(why) => return why.kind() == ErrorKind::WouldBlock,
        }
    }
}

/// Raises this process's limit of open files (and so the server's, which inherits it).
fn raise_limit() -> Outcome {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = IDLE as u64 + 2_000;
    if limit.maximum.is_some_and(|most| most < wanted) {
        return Err(format!(
            "at most {:?} open files are permitted here (ulimit -Hn), {wanted} are needed",
            limit.maximum
        )
        .into());
    }
    if limit.current.is_some_and(|now| now < wanted) {
        setrlimit(
            Resource::Nofile,
            Rlimit {
                current: limit.maximum,
                maximum: limit.maximum,
            },
        )?;
    }
    Ok(())
}
