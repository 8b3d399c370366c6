//! `cargo xtask bench notifications`: how fast one webhook is told of what happens in a bucket, and in which order.

use super::load::{self, Target};
use super::page::{Row, Section};
use super::table::{Figure, number};
use super::work::Object;
use crate::args::Args;
use crate::server::{Build, Server, Settings, binary};
use crate::sign::Signer;
use crate::{Outcome, paths};
use memchr::memmem;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

const BUCKET: &str = "bench";
const CLIENTS: usize = 32;
const BAR: f64 = 2_000.0;
const PATIENCE: Duration = Duration::from_secs(60);
const CONFIGURATION: &str = "<NotificationConfiguration><TopicConfiguration><Id>all</Id>\
     <Topic>arn:stead:webhook:::bench</Topic><Event>s3:ObjectCreated:*</Event>\
     </TopicConfiguration></NotificationConfiguration>";

/// The positions of one message's records, and when it came.
type Message = (Vec<u64>, Instant);

/// `cargo xtask bench notifications [--rounds N] [--puts N]`
pub fn run(mut args: Args) -> Outcome {
    if cfg!(debug_assertions) {
        return super::in_release();
    }
    let rounds = args.number("--rounds", 3)?;
    let puts = args.number("--puts", 20_000)?;
    args.done()?;
    let dir = paths::scratch("bench-notifications")?;
    let settings = Settings::new(&binary(Build::Release)?, &dir.join("data"), &dir.join("log"));
    let (url, messages) = webhook()?;
    std::fs::create_dir_all(&settings.data)?;
    let text = format!("[[webhook]]\nname = \"bench\"\nurl = \"{url}\"\nallow_private = true\n");
    std::fs::write(settings.data.join("stead.toml"), text)?;
    let server = Server::start(&settings, None)?;
    let mut client = server.client();
    client.create_bucket(BUCKET).map_err(|e| e.to_string())?;
    let set = client.send(
        "PUT",
        &format!("/{BUCKET}"),
        "notification=",
        &[],
        CONFIGURATION.as_bytes(),
    );
    let set = set.map_err(|e| e.to_string())?;
    if set.head.status != 200 {
        return Err(String::from_utf8_lossy(&set.body).into_owned().into());
    }
    let (mut rate, mut written, mut last) = (Figure::default(), Figure::default(), 0);
    for round in 0..rounds {
        let begun = Instant::now();
        written.push(put(&server, round * puts, puts)?);
        let end = collect(&messages, puts, &mut last)?;
        rate.push(puts as f64 / end.saturating_duration_since(begun).as_secs_f64());
    }
    server.stop(Duration::from_secs(30))?;
    std::fs::remove_dir_all(&dir)?;
    let about = format!(
        "`cargo xtask bench notifications`: {rounds} rounds of {puts} puts by {CLIENTS} clients, told to one webhook \
         that answers at once; every record is counted, and its sequencer is compared with the one before."
    );
    let mut section = Section::new("Notifications", &about);
    section.row(&Row {
        what: "records taken by one webhook in order, from the first put to the last record, per second"
            .into(),
        bar: format!("≥ {} /s", number(BAR)),
        figure: format!("**{}**", rate.spread()),
        met: Some(rate.median() >= BAR),
    });
    section.row(&Row {
        what: "puts meanwhile, per second".into(),
        bar: String::new(),
        figure: written.spread(),
        met: None,
    });
    section.write()
}

/// Puts a second.
fn put(server: &Server, first: u64, count: u64) -> Outcome<f64> {
    let signer = Signer::new(&server.key, &server.address.to_string());
    let target = Target {
        address: server.address,
        clients: CLIENTS,
        quick_ack: false,
    };
    let requests: Vec<_> = (first..first + count)
        .map(|id| Object::new(id, 100).put(&signer, true))
        .collect();
    let mut requests = requests.into_iter();
    Ok(load::run(target, PATIENCE, &mut || requests.next())?.rate())
}

/// Takes so many records, each behind the one before; when the last came.
fn collect(messages: &Receiver<Message>, count: u64, last: &mut u64) -> Outcome<Instant> {
    let mut taken = 0;
    loop {
        let (positions, at) = messages
            .recv_timeout(PATIENCE)
            .map_err(|why| format!("{taken} records of {count} came: {why}"))?;
        for position in positions {
            if position <= *last {
                return Err(format!("{position} came after {last}").into());
            }
            (*last, taken) = (position, taken + 1);
        }
        match taken {
            all if all == count => return Ok(at),
            more if more > count => return Err(format!("{more} records for {count} puts").into()),
            _ => {}
        }
    }
}

/// A webhook of our own; its address, and what it is told.
fn webhook() -> Outcome<(String, Receiver<Message>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}/", listener.local_addr()?);
    let (out, messages) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let out = out.clone();
            // A connection that breaks is opened again; what is missing then is noticed by its number.
            std::thread::spawn(move || serve(stream, &out));
        }
    });
    Ok((url, messages))
}

fn serve(stream: TcpStream, out: &Sender<Message>) -> Outcome {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream.try_clone()?);
    let mut answer = stream;
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if input.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body)?;
        answer.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        if out.send((positions(&body)?, Instant::now())).is_err() {
            return Ok(());
        }
    }
}

fn positions(body: &[u8]) -> Outcome<Vec<u64>> {
    const MARK: &[u8] = b"\"sequencer\":\"";
    let digits = memmem::find_iter(body, MARK).map(|at| body.get(at + MARK.len()..at + MARK.len() + 16));
    digits
        .map(|digits| {
            let text = std::str::from_utf8(digits.ok_or("a sequencer is cut off")?)?;
            Ok(u64::from_str_radix(text, 16)?)
        })
        .collect()
}
