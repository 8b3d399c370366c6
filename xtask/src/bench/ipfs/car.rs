//! The CAR of one large object against the object itself, one client.

use super::{BUCKET, Node, Scale, share};
use crate::bench::content::Content;
use crate::bench::page::{Row, Section};
use crate::bench::table::{Figure, number};
use crate::bench::work::Object;
use crate::bench::{load, socket};
use crate::sign::{Request, Signer, UNSIGNED};
use crate::{Outcome, process};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const BAR: f64 = 0.7;
const ID: u64 = 900_000;
const MIB: f64 = 1_048_576.0;
/// Read at a time; a section of a CAR fits in twice.
const BUFFER: usize = 4 << 20;

pub fn measure(node: &Node, scale: &Scale, section: &mut Section) -> Outcome {
    let signer = Signer::new(&node.server.key, &node.server.address.to_string());
    let object = Object::new(ID, scale.large);
    let mut put = Some(object.put(&signer, false));
    let target = load::Target {
        address: node.server.address,
        clients: 1,
        quick_ack: false,
    };
    load::run(target, Duration::from_secs(600), &mut || put.take())?;
    let path = format!("/{BUCKET}/{}", crate::bench::work::key(ID));
    let cid = published(node, &path)?;
    let (mut s3, mut car, mut most) = (Figure::default(), Figure::default(), Figure::default());
    for _ in 0..scale.rounds.max(3) {
        let signed = signer.head(Request {
            method: "GET",
            path: &path,
            query: "",
            payload: UNSIGNED,
            headers: &[("connection", "close")],
            length: 0,
        });
        s3.push(stream(
            node.server.address,
            &signed,
            &mut Plain::new(object.content),
        )?);
        let head = format!(
            "GET /ipfs/{cid}?format=car HTTP/1.0\r\nhost: {}\r\n\r\n",
            node.ipfs
        );
        let before = process::resident(node.server.pid())?;
        let (seconds, highest) = watched(node, || {
            stream(node.ipfs, head.as_bytes(), &mut Blocks::new(object.content))
        })?;
        car.push(seconds);
        most.push(highest.saturating_sub(before) as f64 / MIB);
    }
    let mib = scale.large as f64 / MIB;
    let what = format!(
        "CAR of a {} object, MiB/s",
        if scale.large >> 30 == 1 { "1 GiB" } else { "small" }
    );
    section.row(&share(what, BAR, mib / car.median(), mib / s3.median()));
    section.row(&Row {
        what: "the same: seconds of the CAR, of S3; MiB of resident memory more during the CAR".to_owned(),
        bar: String::new(),
        figure: format!("{}; {}; {}", car.spread(), s3.spread(), number(most.median())),
        met: None,
    });
    Ok(())
}

/// The CID of the object, once its block is public.
fn published(node: &Node, path: &str) -> Outcome<String> {
    let key = path
        .trim_start_matches('/')
        .trim_start_matches(BUCKET)
        .trim_start_matches('/');
    let listing = format!("/api/v1/objects/{BUCKET}?prefix={key}");
    let found = socket::call(&node.settings.data, "GET", &listing, "")?;
    let cid = found["items"][0]["cid"]
        .as_str()
        .ok_or("the object has no CID")?
        .to_owned();
    let began = Instant::now();
    loop {
        let head = format!(
            "HEAD /ipfs/{cid}?format=raw HTTP/1.0\r\nhost: {}\r\n\r\n",
            node.ipfs
        );
        let mut stream = TcpStream::connect(node.ipfs)?;
        stream.write_all(head.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200") {
            return Ok(cid);
        }
        if began.elapsed() > Duration::from_secs(30) {
            return Err(format!("{cid} does not become public: {answer}").into());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Runs work while the server's memory is looked at; its highest.
fn watched<T>(node: &Node, work: impl FnOnce() -> Outcome<T>) -> Outcome<(T, u64)> {
    let (pid, over) = (node.server.pid(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut highest = 0;
            while !over.load(Ordering::Relaxed) {
                highest = highest.max(process::resident(pid).unwrap_or(0));
                std::thread::sleep(Duration::from_millis(10));
            }
            highest
        });
        let done = work();
        over.store(true, Ordering::Relaxed);
        let highest = watch.join().map_err(|_| "the watch panicked")?;
        Ok((done?, highest))
    })
}

/// Takes a body as it comes: uses what it can of the bytes, answers how much.
trait Taker {
    fn take(&mut self, bytes: &[u8]) -> Outcome<usize>;
    fn whole(&self) -> bool;
}

/// Seconds until a body is whole.
fn stream(address: SocketAddr, head: &[u8], taker: &mut dyn Taker) -> Outcome<f64> {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(head)?;
    let mut buffer = vec![0; 2 * BUFFER];
    let (mut filled, mut in_body) = (0, false);
    loop {
        let end = (filled + (256 << 10)).min(buffer.len());
        let count = stream.read(&mut buffer[filled..end])?;
        filled += count;
        let mut used = 0;
        if !in_body && let Some(end) = memchr::memmem::find(&buffer[..filled], b"\r\n\r\n") {
            if buffer.get(9..12) != Some(b"200") {
                return Err(String::from_utf8_lossy(&buffer[..filled]).into_owned().into());
            }
            (in_body, used) = (true, end + 4);
        }
        if in_body {
            used += taker.take(&buffer[used..filled])?;
        }
        if taker.whole() {
            return Ok(began.elapsed().as_secs_f64());
        }
        if count == 0 {
            return Err("the answer is cut off".into());
        }
        buffer.copy_within(used..filled, 0);
        filled -= used;
    }
}

/// An object's bytes.
struct Plain {
    content: Content,
    at: u64,
}

impl Plain {
    fn new(content: Content) -> Self {
        Self { content, at: 0 }
    }
}

impl Taker for Plain {
    fn take(&mut self, bytes: &[u8]) -> Outcome<usize> {
        if !self.content.matches(self.at, bytes) {
            return Err(format!("wrong bytes at {}", self.at).into());
        }
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn whole(&self) -> bool {
        self.at == self.content.size
    }
}

/// A CAR whose raw blocks are an object's bytes, in order.
struct Blocks {
    file: Plain,
    header: bool,
}

impl Blocks {
    fn new(content: Content) -> Self {
        Self {
            file: Plain::new(content),
            header: true,
        }
    }
}

impl Taker for Blocks {
    fn take(&mut self, bytes: &[u8]) -> Outcome<usize> {
        let mut used = 0;
        while let Some((length, begin)) = varint(&bytes[used..]) {
            let begin = used + begin;
            let Some(part) = bytes.get(begin..begin + length) else {
                break;
            };
            used = begin + length;
            if std::mem::take(&mut self.header) {
                continue;
            }
            let (cid, block) = part.split_at_checked(36).ok_or("a section without a CID")?;
            if cid[1] == 0x55 {
                self.file.take(block)?;
            }
        }
        Ok(used)
    }

    fn whole(&self) -> bool {
        self.file.whole()
    }
}

/// A number and its length, where it is whole.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}
