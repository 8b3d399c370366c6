//! The load tool: many keep-alive connections on one thread, requests signed before the clock starts, every
//! answer's status, ETag, length and bytes checked.
//!
//! One thread with epoll leaves the second core to the server; the tool's own cost per request is a few
//! microseconds.

use super::content::Content;
use crate::Outcome;
use crate::http::Head;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// What a right answer is.
#[derive(Clone, Debug)]
pub enum Expect {
    /// 200 and this ETag (without quotes), where the server says one.
    Stored(String),
    /// 200 and exactly these bytes.
    Content(Content),
    /// 200 and a listing of so many keys.
    Keys(usize),
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The whole head, signed.
    pub head: Vec<u8>,
    /// What follows it.
    pub body: Option<Content>,
    /// What has to come back.
    pub expect: Expect,
}

/// Against whom, with how many.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The server.
    pub address: SocketAddr,
    /// Connections, each with one request at a time.
    pub clients: usize,
    /// Whether every segment is acknowledged at once, which hides a server's Nagle stall.
    pub quick_ack: bool,
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Requests answered.
    pub operations: u64,
    /// Body bytes, both ways.
    pub bytes: u64,
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Of each request, in microseconds, sorted.
    pub latencies_us: Vec<u32>,
}

impl Measured {
    /// Requests a second.
    pub fn rate(&self) -> f64 {
        self.operations as f64 / self.seconds
    }

    /// MiB a second.
    pub fn mib_s(&self) -> f64 {
        self.bytes as f64 / self.seconds / f64::from(1 << 20)
    }

    /// The latency below which `share` of the requests are, in microseconds.
    pub fn latency_us(&self, share: f64) -> u32 {
        let last = self.latencies_us.len().saturating_sub(1);
        self.latencies_us
            .get((last as f64 * share) as usize)
            .copied()
            .unwrap_or(0)
    }
}

/// What one connection is doing.
struct Slot {
    stream: TcpStream,
    request: Option<Request>,
    begun: Instant,
    /// Head (and a small body) to send, and how much is sent of it.
    out: Vec<u8>,
    out_at: usize,
    /// How much of a large body is sent.
    body_at: u64,
    waits_for_room: bool,
    /// Received so far and not used yet.
    input: Vec<u8>,
    /// The answer's body length, once its head is read, and how much of it came.
    answer: Option<(u64, u64)>,
}

/// Bodies up to this size go out together with their head.
const SMALL: u64 = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs requests until `next` has no more or `window` is over; what is under way then is still waited for.
pub fn run(target: Target, window: Duration, next: &mut dyn FnMut() -> Option<Request>) -> Outcome<Measured> {
    let queue = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    let mut slots = Vec::with_capacity(target.clients);
    for at in 0..target.clients {
        let stream = TcpStream::connect_timeout(&target.address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        epoll::add(&queue, &stream, EventData::new_u64(at as u64), EventFlags::IN)?;
        slots.push(Slot::new(stream));
    }
    let mut measured = Measured::default();
    let mut buffer = vec![0; 256 * 1024];
    let begin = Instant::now();
    let mut busy = 0;
    for (at, slot) in slots.iter_mut().enumerate() {
        busy += usize::from(slot.begin(next(), &queue, at)?);
    }
    let mut events = Vec::with_capacity(target.clients);
    let mut last_progress = Instant::now();
    while busy > 0 {
        let timeout = rustix::event::Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        };
        events.clear();
        match epoll::wait(
            &queue,
            rustix::buffer::spare_capacity(&mut events),
            Some(&timeout),
        ) {
            Err(rustix::io::Errno::INTR) => continue,
            result => result?,
        };
        if events.is_empty() && last_progress.elapsed() > PATIENCE {
            return Err(format!("{busy} requests have no answer after {PATIENCE:?}").into());
        }
        for event in events.drain(..) {
            let (at, flags) = (event.data.u64() as usize, event.flags);
            let slot = &mut slots[at];
            last_progress = Instant::now();
            if flags.contains(EventFlags::OUT) {
                slot.send(&queue, at)?;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR)
                && slot.receive(&mut buffer, target.quick_ack)?
            {
                slot.finish(&mut measured);
                let more = if begin.elapsed() < window { next() } else { None };
                busy -= usize::from(!slot.begin(more, &queue, at)?);
            }
        }
    }
    measured.seconds = begin.elapsed().as_secs_f64();
    measured.latencies_us.sort_unstable();
    Ok(measured)
}

impl Slot {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            request: None,
            begun: Instant::now(),
            out: Vec::new(),
            out_at: 0,
            body_at: 0,
            waits_for_room: false,
            input: Vec::new(),
            answer: None,
        }
    }

    /// Starts a request; false where there is none.
    fn begin(&mut self, request: Option<Request>, queue: &OwnedFd, at: usize) -> Outcome<bool> {
        let Some(request) = request else { return Ok(false) };
        self.out.clear();
        self.out.extend_from_slice(&request.head);
        (self.out_at, self.body_at) = (0, 0);
        if let Some(body) = request.body
            && body.size <= SMALL
        {
            body.append_to(&mut self.out);
            self.body_at = body.size;
        }
        self.request = Some(request);
        self.answer = None;
        self.begun = Instant::now();
        self.send(queue, at)?;
        Ok(true)
    }

    /// Sends as much as there is room for.
    fn send(&mut self, queue: &OwnedFd, at: usize) -> Outcome {
        let sent = self.send_some();
        let waits = match sent {
            Ok(()) => false,
            Err(why) if why.kind() == ErrorKind::WouldBlock => true,
            Err(why) => return Err(format!("while sending: {why}").into()),
        };
        if waits != self.waits_for_room {
            self.waits_for_room = waits;
            let flags = if waits {
                EventFlags::IN | EventFlags::OUT
            } else {
                EventFlags::IN
            };
            epoll::modify(queue, &self.stream, EventData::new_u64(at as u64), flags)?;
        }
        Ok(())
    }

    fn send_some(&mut self) -> std::io::Result<()> {
        while self.out_at < self.out.len() {
            self.out_at += self.stream.write(&self.out[self.out_at..])?;
        }
        let Some(body) = self.request.as_ref().and_then(|request| request.body) else {
            return Ok(());
        };
        while self.body_at < body.size {
            let mut written = Ok(0);
            body.pieces(self.body_at, body.size, |piece| {
                written = self.stream.write(piece);
                false
            });
            self.body_at += written? as u64;
        }
        Ok(())
    }

    /// Takes what has arrived; true when the answer is whole.
    fn receive(&mut self, buffer: &mut [u8], quick_ack: bool) -> Outcome<bool> {
        loop {
            let count = match self.stream.read(buffer) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(count) => count,
                Err(why) if why.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(why) if why.kind() == ErrorKind::Interrupted => continue,
                Err(why) => return Err(format!("while receiving: {why}").into()),
            };
            if quick_ack {
                rustix::net::sockopt::set_tcp_quickack(&self.stream, true)?;
            }
            if self.take(&buffer[..count])? {
                return Ok(true);
            }
            if count < buffer.len() {
                return Ok(false);
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Outcome<bool> {
        let request = self.request.as_ref().ok_or("an answer to no request")?;
        if self.answer.is_some() {
            return self.take_body(bytes);
        }
        self.input.extend_from_slice(bytes);
        let Some(head) = Head::parse(&self.input)? else {
            return Ok(false);
        };
        let length = check_head(&head, request, &self.input)?;
        self.answer = Some((length, 0));
        let body = self.input.split_off(head.length);
        self.input.clear();
        self.take_body(&body)
    }

    fn take_body(&mut self, bytes: &[u8]) -> Outcome<bool> {
        let request = self.request.as_ref().ok_or("an answer to no request")?;
        let Some((length, have)) = &mut self.answer else {
            return Err("a body without a head".into());
        };
        match &request.expect {
            Expect::Content(content) if !content.matches(*have, bytes) => {
                return Err(format!("wrong bytes of object {} at {have}", content.id).into());
            }
            Expect::Keys(_) => self.input.extend_from_slice(bytes),
            _ => {}
        }
        *have += bytes.len() as u64;
        if *have < *length {
            return Ok(false);
        }
        if let Expect::Keys(keys) = request.expect {
            let found = self.input.windows(10).filter(|ten| ten == b"<Contents>").count();
            self.input.clear();
            if found != keys {
                return Err(format!("a listing of {found} keys, not {keys}").into());
            }
        }
        Ok(true)
    }

    fn finish(&mut self, measured: &mut Measured) {
        measured
            .latencies_us
            .push(self.begun.elapsed().as_micros().min(u128::from(u32::MAX)) as u32);
        measured.operations += 1;
        let sent = self
            .request
            .take()
            .and_then(|request| request.body)
            .map_or(0, |body| body.size);
        measured.bytes += sent + self.answer.take().map_or(0, |(length, _)| length);
    }
}

/// The answer's length, if its head is right.
fn check_head(head: &Head, request: &Request, input: &[u8]) -> Outcome<u64> {
    let length = head.get("content-length").and_then(|value| value.parse().ok());
    if head.status != 200 {
        let text = String::from_utf8_lossy(input).into_owned();
        return Err(format!("status {}: {text}", head.status).into());
    }
    let length: u64 = match length {
        Some(length) => length,
        None if head.get("transfer-encoding").is_none() => 0,
        None => return Err("an answer in chunks".into()),
    };
    match &request.expect {
        Expect::Stored(etag) => match head.get("etag").map(|own| own.trim_matches('"')) {
            Some(own) if own != etag => Err(format!("ETag {own}, not {etag}").into()),
            Some(_) => Ok(length),
            None => Err("no ETag".into()),
        },
        Expect::Content(content) if content.size != length => {
            Err(format!("{length} bytes of object {}, not {}", content.id, content.size).into())
        }
        _ => Ok(length),
    }
}
