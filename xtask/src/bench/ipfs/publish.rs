//! What it costs that a bucket of very many keys is public: puts with and without, and until they are in a root.

use super::{BUCKET, Node, Scale};
use crate::bench::load::{self, Target};
use crate::bench::page::{Row, Section};
use crate::bench::socket;
use crate::bench::table::{Figure, number};
use crate::bench::work::Object;
use crate::sign::Signer;
use crate::{Outcome, process};
use std::time::{Duration, Instant};

const CLIENTS: usize = 32;
const BAR_MS: f64 = 5.0;
/// Bytes of an object.
const SIZE: u64 = 100;
/// Puts that are made one at a time.
const ALONE: u64 = 8;
/// Between those, so that each is a round of its own.
const APART: Duration = Duration::from_millis(2_200);

/// One round of puts.
#[derive(Default)]
struct Cost {
    /// Until the last answer, and until the last one is in a root.
    seconds: Figure,
    rooted: Figure,
    /// Of one put, as its client sees it.
    p50_us: Figure,
    /// Of the server, with all that follows, for each put.
    cpu_us: Figure,
}

pub fn measure(node: &Node, scale: &Scale, section: &mut Section) -> Outcome {
    let mut next = 0;
    while next < scale.keys {
        let count = (scale.keys - next).min(20_000);
        put(node, &mut next, count, 64)?;
        if next % 200_000 == 0 {
            println!("  {next} keys");
        }
    }
    let (mut without, mut with) = (Cost::default(), Cost::default());
    for _ in 0..scale.rounds {
        round(node, &mut next, scale.puts, &mut without, false)?;
    }
    let before = process::resident(node.server.pid())?;
    let begun = Instant::now();
    super::make_public(node, BUCKET)?;
    let mut highest = 0;
    while entries(node)? != next {
        highest = highest.max(process::resident(node.server.pid())?);
        std::thread::sleep(Duration::from_millis(50));
    }
    let first = begun.elapsed().as_secs_f64();
    highest = highest.max(process::resident(node.server.pid())?);
    for _ in 0..scale.rounds {
        round(node, &mut next, scale.puts, &mut with, true)?;
    }
    let mut lag = Figure::default();
    for _ in 0..ALONE {
        std::thread::sleep(APART);
        put(node, &mut next, 1, 1)?;
        let answered = Instant::now();
        until(node, next)?;
        lag.push(answered.elapsed().as_secs_f64() * 1_000.0);
    }
    let keys = number(scale.keys as f64);
    let each = |figure: &Figure| figure.median() * 1_000.0 / scale.puts as f64;
    let extra = each(&with.rooted) - each(&without.seconds);
    section.row(&Row {
        what: format!(
            "put into a published bucket of {keys} keys: extra until a root has it, for each of {}, ms",
            scale.puts
        ),
        bar: format!("≤ {BAR_MS} ms"),
        figure: format!("**{} ms**", number(extra)),
        met: Some(extra <= BAR_MS),
    });
    let mut say = |what: &str, figure: String| {
        section.row(&Row {
            what: what.to_owned(),
            bar: String::new(),
            figure,
            met: None,
        });
    };
    say(
        "the same: seconds for all of them without; with; with, until a root has the last",
        format!(
            "{}; {}; {}",
            without.seconds.spread(),
            with.seconds.spread(),
            with.rooted.spread()
        ),
    );
    say(
        "the same: server CPU for each put, µs, without; with, its directory included",
        format!("{}; {}", without.cpu_us.spread(), with.cpu_us.spread()),
    );
    say(
        "the same: p50 of a put, µs, without; with",
        format!("{}; {}", without.p50_us.spread(), with.p50_us.spread()),
    );
    say("one put alone: until a root has it, ms", lag.spread());
    let more = highest.saturating_sub(before) as f64 / 1_048_576.0;
    say(
        "the first publication of the bucket: seconds; MiB of resident memory more",
        format!("{}; {}", number(first), number(more)),
    );
    Ok(())
}

fn round(node: &Node, next: &mut u64, puts: u64, cost: &mut Cost, published: bool) -> Outcome {
    let cpu = process::cpu_us(node.server.pid())?;
    let begun = Instant::now();
    let (seconds, p50) = put(node, next, puts, CLIENTS)?;
    if published {
        until(node, *next)?;
        cost.rooted.push(begun.elapsed().as_secs_f64());
    }
    let spent = process::cpu_us(node.server.pid())?.saturating_sub(cpu);
    cost.seconds.push(seconds);
    cost.p50_us.push(p50);
    cost.cpu_us.push(spent as f64 / puts as f64);
    Ok(())
}

/// Puts that many new keys; answers seconds and the p50 of one, in microseconds.
fn put(node: &Node, next: &mut u64, count: u64, clients: usize) -> Outcome<(f64, f64)> {
    let signer = Signer::new(&node.server.key, &node.server.address.to_string());
    let target = Target {
        address: node.server.address,
        clients,
        quick_ack: false,
    };
    let requests: Vec<_> = (*next..*next + count)
        // All in one directory, in no order: the hardest that there is.
        .map(|id| {
            let key = format!("{:08x}-{id:09}", (id as u32).wrapping_mul(0x9E37_79B1));
            Object::new(id, SIZE).put_at(&signer, &format!("/{BUCKET}/{key}"), true)
        })
        .collect();
    *next += count;
    let mut requests = requests.into_iter();
    let measured = load::run(target, Duration::from_secs(600), &mut || requests.next())?;
    Ok((measured.seconds, f64::from(measured.latency_us(0.5))))
}

/// Entries of the public directory: what its root has been said to have.
fn entries(node: &Node) -> Outcome<u64> {
    let now = socket::call(&node.settings.data, "GET", "/api/v1/ipfs", "")?;
    Ok(now["published"][0]["entries"].as_u64().unwrap_or(0))
}

fn until(node: &Node, wanted: u64) -> Outcome {
    let begun = Instant::now();
    while entries(node)? != wanted {
        if begun.elapsed() > Duration::from_secs(120) {
            return Err(format!("no root has all {wanted} keys after two minutes").into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
