//! Who may come in: one-time links, and the sessions that they open.
//!
//! Owns: both tables, in memory only; a restart ends every session.
//! Promises: a link works once and for [`LINK_SECS`]; a session ends after [`IDLE_SECS`] without a request,
//! after [`ABSOLUTE_SECS`], and at sign-out; both tables are bounded, the oldest goes first. Only hashes are
//! kept, and they are compared in constant time.

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use stead_gateway::ReadContext;
use stead_gateway::context::Parts;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

/// How long a link may be used, in seconds.
pub const LINK_SECS: u64 = 10 * 60;
/// A session without a request for so long is over, in seconds.
pub const IDLE_SECS: u64 = 2 * 60 * 60;
/// A session is over after so long, in seconds.
pub const ABSOLUTE_SECS: u64 = 24 * 60 * 60;
/// Links that wait at most.
const LINKS: usize = 64;
/// Sessions at most.
const SESSIONS: usize = 256;

type Hash = [u8; 32];

/// In whose name a session acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The node's administrator.
    Owner,
    /// The user of this access key, as long as it is not revoked.
    Key(String),
}

/// A way in, to be given to one person.
#[derive(Clone, Debug)]
pub struct Link {
    /// The secret part: 64 hexadecimal digits.
    pub token: String,
    /// Until when, in microseconds since the Unix epoch.
    pub expires_micros: i64,
}

/// A session that has just begun.
pub(crate) struct Entered {
    /// The cookie's value: 64 hexadecimal digits.
    pub(crate) id: String,
}

/// What a request of a session needs to know.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) who: Who,
    /// What whoever changes something has to repeat in a header.
    pub(crate) csrf: String,
    pub(crate) expires_micros: i64,
    /// Closed when the session is over, so that streams end with it.
    pub(crate) alive: watch::Receiver<()>,
}

struct Waiting {
    hash: Hash,
    who: Who,
    expires: i64,
}

struct Open {
    hash: Hash,
    who: Who,
    csrf: String,
    began: i64,
    used: i64,
    alive: watch::Sender<()>,
}

#[derive(Default)]
struct Tables {
    links: Vec<Waiting>,
    sessions: Vec<Open>,
}

/// Links and sessions. Cheap to clone.
#[derive(Clone)]
pub struct SignIn(Arc<Inner>);

struct Inner {
    tables: Mutex<Tables>,
    context: ReadContext,
}

fn micros(secs: u64) -> i64 {
    i64::try_from(secs).unwrap_or(i64::MAX).saturating_mul(1_000_000)
}

fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

fn same(a: &Hash, b: &Hash) -> bool {
    a.ct_eq(b).into()
}

/// Plain decisions over time and secrets that are given.
impl Tables {
    fn sweep(&mut self, now: i64) {
        self.links.retain(|link| link.expires > now);
        self.sessions
            .retain(|open| open.used + micros(IDLE_SECS) > now && open.began + micros(ABSOLUTE_SECS) > now);
    }

    fn add(&mut self, hash: Hash, who: Who, now: i64) -> i64 {
        let expires = now + micros(LINK_SECS);
        if self.links.len() >= LINKS {
            self.links.remove(0);
        }
        self.links.push(Waiting { hash, who, expires });
        expires
    }

    /// Whether there was such a link; the session `opened` is open then.
    fn enter(&mut self, wanted: &Hash, opened: Hash, csrf: String, now: i64) -> bool {
        // All are looked at, so that the time does not tell which.
        let found =
            self.links
                .iter()
                .enumerate()
                .fold(None, |found, (at, link)| match same(&link.hash, wanted) {
                    true => Some(at),
                    false => found,
                });
        let Some(found) = found else { return false };
        let link = self.links.remove(found);
        if self.sessions.len() >= SESSIONS
            && let Some(oldest) = (0..self.sessions.len()).min_by_key(|at| self.sessions[*at].used)
        {
            self.sessions.remove(oldest);
        }
        self.sessions.push(Open {
            hash: opened,
            who: link.who,
            csrf,
            began: now,
            used: now,
            alive: watch::Sender::new(()),
        });
        true
    }

    fn find(&mut self, wanted: &Hash, now: i64) -> Option<Session> {
        let open = self
            .sessions
            .iter_mut()
            .fold(None, |found, open| match same(&open.hash, wanted) {
                true => Some(open),
                false => found,
            })?;
        open.used = now;
        Some(Session {
            who: open.who.clone(),
            csrf: open.csrf.clone(),
            expires_micros: (open.began + micros(ABSOLUTE_SECS)).min(now + micros(IDLE_SECS)),
            alive: open.alive.subscribe(),
        })
    }

    fn leave(&mut self, wanted: &Hash) {
        self.sessions.retain(|open| !same(&open.hash, wanted));
    }
}

impl SignIn {
    /// Nobody yet.
    pub fn new(context: ReadContext) -> Self {
        Self(Arc::new(Inner {
            tables: Mutex::default(),
            context,
        }))
    }

    fn parts(&self) -> &Parts {
        &self.0.context
    }

    fn secret(&self) -> String {
        hex::encode(self.parts().rng.bytes::<32>())
    }

    /// The tables as they are now: what has expired is gone.
    fn tables<T>(&self, work: impl FnOnce(&mut Tables, i64) -> T) -> T {
        let now = self.parts().clock.now_micros();
        let mut tables = self.0.tables.lock();
        tables.sweep(now);
        work(&mut tables, now)
    }

    /// A new link for `who`.
    pub fn link(&self, who: Who) -> Link {
        let token = self.secret();
        let expires_micros = self.tables(|tables, now| tables.add(hash(&token), who, now));
        Link {
            token,
            expires_micros,
        }
    }

    /// Uses a link up. `None` where there is none such, any more.
    pub(crate) fn enter(&self, token: &str) -> Option<Entered> {
        let (id, csrf) = (self.secret(), self.secret());
        let entered = self.tables(|tables, now| tables.enter(&hash(token), hash(&id), csrf, now));
        entered.then_some(Entered { id })
    }

    /// The session of a cookie, which is thereby used.
    pub(crate) fn session(&self, id: &str) -> Option<Session> {
        self.tables(|tables, now| tables.find(&hash(id), now))
    }

    /// Ends a session: its cookie is worth nothing from here on, and its streams end.
    pub(crate) fn leave(&self, id: &str) {
        self.tables(|tables, _| tables.leave(&hash(id)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(tables: &mut Tables, token: &str, id: &str, now: i64) -> bool {
        tables.sweep(now);
        tables.enter(&hash(token), hash(id), "csrf".into(), now)
    }

    #[test]
    fn a_link_works_once_and_not_for_ever() {
        let mut tables = Tables::default();
        tables.add(hash("a"), Who::Owner, 0);
        tables.add(hash("b"), Who::Key("K".into()), 0);
        assert!(!opened(&mut tables, "c", "s0", 1), "there is no such link");
        assert!(opened(&mut tables, "b", "s1", 1));
        assert!(!opened(&mut tables, "b", "s2", 1), "it is used up");
        assert_eq!(
            tables.find(&hash("s1"), 1).map(|session| session.who),
            Some(Who::Key("K".into()))
        );
        assert!(
            !opened(&mut tables, "a", "s3", micros(LINK_SECS)),
            "it has expired"
        );
        assert!(tables.find(&hash("s3"), 1).is_none());
    }

    #[test]
    fn a_session_ends_when_idle_when_old_and_at_sign_out_with_its_streams() {
        let mut tables = Tables::default();
        for (token, id) in [("a", "idle"), ("b", "busy"), ("c", "left")] {
            tables.add(hash(token), Who::Owner, 0);
            assert!(opened(&mut tables, token, id, 0));
        }
        let stream = tables.find(&hash("left"), 0).unwrap().alive;
        tables.leave(&hash("left"));
        assert!(stream.has_changed().is_err(), "the stream is told");
        assert!(tables.find(&hash("left"), 0).is_none());
        let mut now = 0;
        while now < micros(ABSOLUTE_SECS) {
            tables.sweep(now);
            assert!(tables.find(&hash("busy"), now).is_some(), "used all the time");
            now += micros(IDLE_SECS) / 2;
        }
        tables.sweep(now);
        assert!(tables.sessions.is_empty(), "one was idle, the other is a day old");
    }

    #[test]
    fn both_tables_are_bounded_and_the_oldest_goes() {
        let mut tables = Tables::default();
        for at in 0..LINKS + 1 {
            tables.add(hash(&format!("t{at}")), Who::Owner, 0);
        }
        assert_eq!(tables.links.len(), LINKS);
        assert!(!opened(&mut tables, "t0", "x", 0));
        for at in 0..SESSIONS as i64 + 1 {
            tables.add(hash("t"), Who::Owner, at);
            assert!(opened(&mut tables, "t", &format!("s{at}"), at));
        }
        assert_eq!(tables.sessions.len(), SESSIONS);
        assert!(tables.find(&hash("s0"), 300).is_none());
        assert!(tables.find(&hash("s1"), 300).is_some());
    }
}
