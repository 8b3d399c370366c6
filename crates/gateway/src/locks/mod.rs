//! Named locks for programs: acquired, kept alive, released; with fencing tokens.
//!
//! Owns: who may lock what, waiting for a lock, and ([`LeaseKeeper`]) ending leases that have run out.
//! Promises: of two that ask for a lock, one has it, by the log. A holder that is not heard of for as long as its lease
//! lasts loses it, and not before. The token grows with every acquisition (it is the position in the log), so that
//! whoever keeps the highest that it has seen can refuse what comes late from a former holder; a write through Stead that
//! names lock and token ([`Fence`]) is refused in the very append when the lock is not held with it any more.
//! Never: knows whether a holder has stopped. Between its last sign of life and the end of its lease it must, by itself.
//!
//! The idea of fencing tokens: M. Burrows, "The Chubby lock service", OSDI 2006, section 2.4 (sequencers). Leases that a
//! new leader begins anew: the same, section 2.9.

mod deadlines;
mod keeper;

pub use keeper::LeaseKeeper;

use crate::objects::{ObjectError, Objects};
use crate::{Caller, Identity, WriteContext};
use std::time::Duration;
use stead_event::Position;
use stead_event::body::{LockAcquired, LockEnd, LockReleased};
use stead_log::{Precondition, Renewal};
use stead_view::LockRecord;

/// Leases last from one second to a day.
pub const TTL_SECONDS: std::ops::RangeInclusive<u64> = 1..=86_400;
/// How long one request waits at most.
pub const WAIT_MAX: Duration = Duration::from_secs(60);
/// Locks that may be held at once.
pub const LOCKS_MAX: usize = 10_000;
/// A lock's name is at most this many bytes long.
const NAME_MAX: usize = 256;
/// An owner's words, and what a request draws, are at most this many bytes long.
const WORDS_MAX: usize = 256;
/// Between two tries of one that waits, at least; and at most, where nothing is heard.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// A wish for a lock.
#[derive(Clone, Debug)]
pub struct LockRequest {
    /// The lock.
    pub name: String,
    /// The holder in words for people.
    pub owner: String,
    /// Drawn by whoever asks: the same request made again is granted the same.
    pub request: String,
    /// The lease, in seconds.
    pub ttl_s: u64,
    /// How long to wait where somebody else holds it; [`WAIT_MAX`] at most.
    pub wait: Duration,
}

/// A lock with the token that it must still be held with for a write to be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The lock.
    pub name: String,
    /// The token.
    pub token: Position,
}

impl Fence {
    /// From `NAME=TOKEN`; the name may have `=` in it.
    ///
    /// # Errors
    /// Where it is not of that form.
    pub fn parse(text: &str) -> Result<Self, ObjectError> {
        let parsed = text.rsplit_once('=').and_then(|(name, token)| {
            Some(Self {
                name: name.trim().to_owned(),
                token: token.trim().parse().ok()?,
            })
        });
        let fence = parsed.ok_or_else(|| {
            ObjectError::Invalid(format!(
                "{text:?} names no lock and token: it must read NAME=TOKEN"
            ))
        })?;
        check_name(&fence.name)?;
        Ok(fence)
    }

    /// What an append then requires.
    pub(crate) fn precondition(&self) -> Precondition {
        Precondition::LockHeld {
            name: self.name.clone(),
            token: self.token,
        }
    }
}

fn check_name(name: &str) -> Result<(), ObjectError> {
    let plain = !name.chars().any(char::is_control) && name.trim() == name;
    if plain && (1..=NAME_MAX).contains(&name.len()) {
        return Ok(());
    }
    Err(ObjectError::Invalid(format!(
        "a lock's name has 1 to {NAME_MAX} bytes, no control characters, and no space at its ends"
    )))
}

fn check_words(what: &str, words: &str) -> Result<(), ObjectError> {
    if words.len() <= WORDS_MAX && !words.chars().any(char::is_control) {
        return Ok(());
    }
    Err(ObjectError::Invalid(format!(
        "{what} has at most {WORDS_MAX} bytes and no control characters"
    )))
}

/// A key without a scope may lock any name; one for some buckets only names below theirs.
fn check_may(who: &Identity, name: &str) -> Result<(), ObjectError> {
    let first = name.split('/').next().unwrap_or_default();
    if who.is_anonymous() || !who.may_write(first) {
        return Err(ObjectError::Denied {
            who: who.principal.0.clone(),
            what: "hold".into(),
            on: format!("lock {name}"),
        });
    }
    Ok(())
}

/// Whether somebody may know of a lock: as it may lock it, also where it may only read.
pub fn may_see(who: &Identity, name: &str) -> bool {
    !who.is_anonymous() && who.may_read(name.split('/').next().unwrap_or_default())
}

/// Whose a lock has to be that this one may renew or release.
fn of(who: &Identity) -> Option<String> {
    (!who.is_administrator()).then(|| who.canonical_id.clone())
}

/// Locks over a context. Cheap to clone.
#[derive(Clone)]
pub struct LockService {
    objects: Objects,
}

impl LockService {
    /// Over what appends.
    pub fn new(objects: Objects) -> Self {
        Self { objects }
    }

    fn context(&self) -> &WriteContext {
        self.objects.context()
    }

    /// Every lock that is held, by name.
    pub fn held(&self) -> Result<Vec<LockRecord>, ObjectError> {
        Ok(self.context().views.locks()?.held()?)
    }

    /// Whoever holds a lock.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchLock`] where nobody does.
    pub fn lock(&self, name: &str) -> Result<LockRecord, ObjectError> {
        let lock = self.context().views.locks()?.lock(name)?;
        lock.ok_or_else(|| ObjectError::NoSuchLock(name.to_owned()))
    }

    /// Acquires a lock, waiting for it as long as the request says.
    ///
    /// # Errors
    /// [`ObjectError::LockTaken`] where somebody else holds it until then; [`ObjectError::TooManyLocks`]. After
    /// [`ObjectError::Unavailable`] the same request may be made again: it is granted once.
    pub async fn acquire(&self, request: LockRequest, caller: &Caller) -> Result<LockRecord, ObjectError> {
        check_name(&request.name)?;
        check_words("the owner", &request.owner)?;
        check_words("the request", &request.request)?;
        if request.request.is_empty() || !TTL_SECONDS.contains(&request.ttl_s) {
            let (least, most) = (TTL_SECONDS.start(), TTL_SECONDS.end());
            let why =
                format!("a request draws something of its own, and a lease lasts {least} to {most} seconds");
            return Err(ObjectError::Invalid(why));
        }
        check_may(&caller.identity, &request.name)?;
        let until = self.context().clock.instant() + request.wait.min(WAIT_MAX);
        loop {
            let seen = self.context().views.position(&self.context().tenant);
            let owner = match self.try_acquire(&request, caller).await? {
                Ok(lock) => return Ok(lock),
                Err(owner) => owner,
            };
            let left = until.saturating_duration_since(self.context().clock.instant());
            if left.is_zero() {
                let name = request.name;
                return Err(ObjectError::LockTaken { name, owner });
            }
            tokio::time::sleep(RETRY.0.min(left)).await;
            let tail = self.context().tail.clone();
            let news = tail.wait_past(&self.context().tenant, seen);
            // Whatever it was that happened: what matters is looked at again.
            let _ = tokio::time::timeout(RETRY.1.min(left), news).await;
        }
    }

    /// One try: the lock, or who holds it, or did a moment ago.
    async fn try_acquire(
        &self,
        request: &LockRequest,
        caller: &Caller,
    ) -> Result<Result<LockRecord, String>, ObjectError> {
        let user = &caller.identity.canonical_id;
        if let Some(lock) = self.context().views.locks()?.lock(&request.name)? {
            let same = lock.request == request.request && lock.user == *user;
            if !same {
                return Ok(Err(lock.owner));
            }
            // Made before, and its lease has been counted since: whoever asks counts from now on. Where it was lost
            // meanwhile, the wish is still one.
            return match self.renew(&request.name, lock.token, caller).await {
                Ok(lock) => Ok(Ok(lock)),
                Err(ObjectError::LockLost { .. }) => Ok(Err(lock.owner)),
                Err(error) => Err(error),
            };
        }
        if self.context().views.locks()?.count(LOCKS_MAX)? >= LOCKS_MAX {
            return Err(ObjectError::TooManyLocks(LOCKS_MAX));
        }
        let acquired = LockAcquired {
            name: request.name.clone(),
            owner: request.owner.clone(),
            user: user.clone(),
            request: request.request.clone(),
            ttl_s: request.ttl_s,
            via: caller.via.clone(),
        };
        let require = vec![Precondition::LockFree(request.name.clone())];
        match self.objects.append_one(&caller.identity, require, acquired).await {
            Ok(appended) => {
                // A process that was stopped just here may find its lease over, and the lock another's.
                let lock = self.context().views.locks()?.lock(&request.name)?;
                let own = lock.filter(|lock| lock.token == appended.first);
                Ok(own.ok_or_else(|| request.owner.clone()))
            }
            Err(ObjectError::LockTaken { owner, .. }) => Ok(Err(owner)),
            Err(error) => Err(error),
        }
    }

    /// Begins a lease anew; answers the lock.
    ///
    /// # Errors
    /// [`ObjectError::LockLost`] where it is not held with that token, or not by the caller.
    pub async fn renew(
        &self,
        name: &str,
        token: Position,
        caller: &Caller,
    ) -> Result<LockRecord, ObjectError> {
        let name = name.to_owned();
        let lost = ObjectError::LockLost {
            name: name.clone(),
            token,
        };
        let renewal = Renewal {
            name: name.clone(),
            token,
            of: of(&caller.identity),
        };
        if !self.context().log().renew(renewal).await? {
            return Err(lost);
        }
        // Held a moment ago by whoever leads; here it may be over already.
        let lock = self.context().views.locks()?.lock(&name)?;
        lock.filter(|lock| lock.token == token).ok_or(lost)
    }

    /// Gives a lock up.
    ///
    /// # Errors
    /// [`ObjectError::LockLost`] where it is not held with that token, or not by the caller.
    pub async fn release(&self, name: &str, token: Position, caller: &Caller) -> Result<(), ObjectError> {
        let held = self.context().views.locks()?.lock(name)?;
        let of = of(&caller.identity);
        let held = held.filter(|lock| lock.token == token && of.is_none_or(|user| user == lock.user));
        let Some(held) = held else {
            let name = name.to_owned();
            return Err(ObjectError::LockLost { name, token });
        };
        self.end(held, LockEnd::Released, caller).await
    }

    /// Takes a lock away from whoever holds it; for the administrator.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchLock`] where nobody does.
    pub async fn break_lock(&self, name: &str, caller: &Caller) -> Result<LockRecord, ObjectError> {
        caller.identity.check_administrator()?;
        let held = self.lock(name)?;
        self.end(held.clone(), LockEnd::Broken, caller).await?;
        Ok(held)
    }

    async fn end(&self, held: LockRecord, why: LockEnd, caller: &Caller) -> Result<(), ObjectError> {
        let LockRecord { name, token, .. } = held;
        let require = vec![Precondition::LockHeld {
            name: name.clone(),
            token,
        }];
        let released = LockReleased {
            name,
            token,
            why,
            via: caller.via.clone(),
        };
        self.objects
            .append_one(&caller.identity, require, released)
            .await
            .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_a_name_and_a_token() {
        let fence = Fence::parse("a=b/c=12").expect("a fence");
        assert_eq!((fence.name.as_str(), fence.token), ("a=b/c", 12));
        for wrong in ["", "x", "x=", "=3", "x=-1", "x=1.5", "x =y"] {
            assert!(Fence::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn names_are_bounded() {
        assert!(check_name("backup/nightly ü").is_ok());
        for wrong in ["", " x", "x\n", &"x".repeat(257)] {
            assert!(check_name(wrong).is_err(), "{wrong:?}");
        }
    }
}
