//! Named locks with short leases: acquired, kept alive and released at any node, by clients that store what the lock
//! protects, fenced with its token.
//!
//! Owns: how such clients behave. Some keep a lock alive in time, some say nothing for a while as a program that was
//! paused and then go on, some release it, some walk away; and now and then one writes with a token of long ago, or
//! breaks a lock. What they saw is judged by `lock`.

mod ask;

use super::{Field, Tally};
use crate::chaos::lock::TTL_S;
use crate::chaos::lock::history::{Call, Kind, Outcome};
use crate::content::Random;
use ask::{Asker, Came};
use std::time::{Duration, Instant};

/// The bucket of what is protected.
pub const BUCKET: &str = "locked";
/// How many locks there are. The last one is broken now and then, the others never: a break whose answer is lost may
/// come late, so that nobody can be sure of that lock from then on.
pub const LOCKS: u8 = 3;
/// Their clients, for each node that has data.
pub const CLIENTS: u16 = 2;
/// Old tokens that a client remembers.
const REMEMBERED: usize = 16;
/// After all healed, a lock is to be had within its lease and this.
const PROGRESS: Duration = Duration::from_secs(TTL_S + 10);
/// How long a node may take to answer one of the last reads.
const READ_BACK: Duration = Duration::from_secs(30);

/// What a lock, and the object that it protects, is called.
pub fn name(lock: u8) -> String {
    format!("lock-{lock}")
}

/// One client.
pub struct Locks<'a> {
    field: &'a Field,
    random: Random,
    next: u64,
    old: Vec<(u8, u64)>,
    asker: Asker<'a>,
}

impl<'a> Locks<'a> {
    /// Client `number`.
    pub fn new(field: &'a Field, number: u16) -> Self {
        Self {
            field,
            random: Random::new(field.seed ^ (u64::from(number) + 1).wrapping_mul(15_485_863)),
            next: u64::from(number) << 32,
            old: Vec::new(),
            asker: Asker::new(field, number),
        }
    }

    /// What it did, and what came of it.
    pub fn into_parts(self) -> (Vec<Call>, Tally) {
        (self.asker.calls, self.asker.tally)
    }

    /// Works until the run is over.
    pub fn work(&mut self) {
        while self.field.goes_on() {
            let lock = self.random.below(u64::from(LOCKS)) as u8;
            if lock == LOCKS - 1 && self.random.below(30) == 0 {
                self.ask(lock, Kind::Break, 0);
            }
            if let Some(token) = self.acquire(lock) {
                self.hold(lock, token);
                self.old.push((lock, token));
                if self.old.len() > REMEMBERED {
                    self.old.remove(0);
                }
            }
            if self.random.below(3) == 0 {
                self.write_late();
            }
            let rest_ms = 20 + self.random.below(300);
            self.rest(rest_ms);
        }
    }

    /// Asks any node.
    fn ask(&mut self, lock: u8, kind: Kind, token: u64) -> (Came, u64) {
        let door = self.random.below(self.field.doors.len() as u64) as usize;
        let wait_s = self.random.below(3);
        self.asker.ask(door, lock, kind, token, wait_s)
    }

    /// A number that nothing else has.
    fn draw(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn rest(&self, ms: u64) {
        let until = Instant::now() + Duration::from_millis(ms);
        while let Some(left) = until.checked_duration_since(Instant::now())
            && self.field.goes_on()
        {
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }

    /// One wish: where its answer is lost it is followed up by the same request, or given up.
    fn acquire(&mut self, lock: u8) -> Option<u64> {
        let request = self.draw();
        for _ in 0..4 {
            match self.ask(lock, Kind::Acquire(request), 0) {
                (Came::To(Outcome::Done(_)), token) => return Some(token),
                (Came::Refused, _) => return None,
                _ if self.random.below(4) == 0 => return None,
                _ => {}
            }
        }
        None
    }

    fn hold(&mut self, lock: u8, token: u64) {
        let pauses = self.random.below(5) == 0;
        if pauses {
            // Longer than the lease, as often as not; then it goes on as if nothing had been.
            let pause_ms = 1_500 + self.random.below(4_500);
            self.rest(pause_ms);
            for _ in 0..1 + self.random.below(3) {
                self.write(lock, token);
            }
        } else {
            self.keep(lock, token);
        }
        if self.random.below(10) < 7 {
            // Once more where the answer was lost: a second release does no harm.
            let (came, _) = self.ask(lock, Kind::Release, token);
            if came == Came::To(Outcome::Unknown) {
                self.ask(lock, Kind::Release, token);
            }
        }
    }

    /// Gives signs of life in time for a while, and stores something meanwhile, until it is told that the lock is lost.
    fn keep(&mut self, lock: u8, token: u64) {
        let until = Instant::now() + Duration::from_millis(200 + self.random.below(9_000));
        let every = Duration::from_millis(300 + self.random.below(900));
        let mut alive = Instant::now();
        while Instant::now() < until && self.field.goes_on() {
            let came = if alive.elapsed() > every {
                let sent = Instant::now();
                let (came, _) = self.ask(lock, Kind::Renew, token);
                if matches!(came, Came::To(Outcome::Done(_))) {
                    alive = sent;
                }
                came
            } else {
                match self.random.below(10) {
                    0..6 => self.write(lock, token),
                    6..8 => self.ask(lock, Kind::Read, 0).0,
                    _ => Came::Nothing,
                }
            };
            if came == Came::To(Outcome::Lost) {
                return;
            }
            let rest_ms = 10 + self.random.below(200);
            self.rest(rest_ms);
        }
    }

    fn write(&mut self, lock: u8, token: u64) -> Came {
        let value = self.draw();
        self.ask(lock, Kind::Write(value), token).0
    }

    /// With a token of long ago, or even of another lock.
    fn write_late(&mut self) {
        if self.old.is_empty() {
            return;
        }
        let at = self.random.below(self.old.len() as u64) as usize;
        let (own, token) = self.old[at];
        let lock = match self.random.below(5) {
            0 => (own + 1) % LOCKS,
            _ => own,
        };
        self.write(lock, token);
    }
}

/// Has a client that is new acquire a lock and release it, at any node that answers; answers how long it took to have it.
pub fn acquire_afresh(field: &Field, lock: u8) -> Result<(Vec<Call>, Duration), String> {
    let mut locks = Locks::new(field, 8_000 + u16::from(lock));
    let (request, begin) = (locks.draw(), Instant::now());
    let token = loop {
        if let (Came::To(Outcome::Done(_)), token) = locks.ask(lock, Kind::Acquire(request), 0) {
            break token;
        }
        if begin.elapsed() > PROGRESS {
            let name = name(lock);
            return Err(format!("{name} is not to be had {PROGRESS:?} after all healed"));
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let took = begin.elapsed();
    if took > PROGRESS {
        let name = name(lock);
        return Err(format!("{name} was to be had only {took:?} after all healed"));
    }
    locks.ask(lock, Kind::Release, token);
    Ok((locks.into_parts().0, took))
}

/// Reads what each lock protects, at every node.
pub fn read_back(field: &Field) -> Vec<Call> {
    let mut asker = Asker::new(field, 9_000);
    for door in 0..field.doors.len() {
        for lock in 0..LOCKS {
            let until = Instant::now() + READ_BACK;
            while asker.ask(door, lock, Kind::Read, 0, 0).0 == Came::Nothing {
                if Instant::now() > until {
                    let node = field.doors[door].0;
                    field.finding(format!("{} is not read at node {node}", name(lock)));
                    break;
                }
                std::thread::sleep(Duration::from_millis(500));
            }
        }
    }
    asker.calls
}
