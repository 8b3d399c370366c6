//! What a server must hold: per key the last acknowledged value, and the one write that may or may not count.

use crate::content::{self, Random};
use md5::{Digest, Md5};

/// S3's least size of a part that is not the last.
pub const PART: usize = 5 << 20;

/// An object's bytes, as numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    seed: u64,
    /// In bytes, of each part; one for an object that was put whole.
    parts: Vec<usize>,
}

impl Value {
    /// An object put whole.
    pub fn whole(random: &mut Random, length: usize) -> Self {
        Self {
            seed: random.next(),
            parts: vec![length],
        }
    }

    /// An object uploaded in two parts.
    pub fn in_parts(random: &mut Random) -> Self {
        // Half of them with a first part that is not whole MiB, so that leaves are of unequal size.
        let odd = random.below(2) as usize * 12_345;
        Self {
            seed: random.next(),
            parts: vec![PART + odd, 1 + random.below(300_000) as usize],
        }
    }

    /// The bytes of every part.
    pub fn part_bytes(&self) -> Vec<Vec<u8>> {
        (0..)
            .zip(&self.parts)
            .map(|(at, length)| content::bytes(self.seed + at, *length))
            .collect()
    }

    /// All bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.part_bytes().concat()
    }

    /// In bytes.
    pub fn length(&self) -> u64 {
        self.parts.iter().sum::<usize>() as u64
    }

    fn etag(&self) -> String {
        let parts = self.part_bytes();
        match parts.as_slice() {
            [whole] => hex::encode(Md5::digest(whole)),
            parts => {
                let sums: Vec<u8> = parts.iter().flat_map(|part| Md5::digest(part).to_vec()).collect();
                format!("{}-{}", hex::encode(Md5::digest(sums)), parts.len())
            }
        }
    }

    /// Whether an answer is exactly this object.
    pub fn is(&self, found: &Found) -> bool {
        found.bytes.len() as u64 == self.length() && found.bytes == self.bytes() && found.etag == self.etag()
    }
}

/// What a server answered.
#[derive(Debug)]
pub struct Found {
    /// The body.
    pub bytes: Vec<u8>,
    /// Without quotes.
    pub etag: String,
}

/// One key, written by one client only, so that the order of its writes is known.
#[derive(Clone, Debug, Default)]
pub struct Key {
    /// The last acknowledged state; `None` for absent.
    pub settled: Option<Value>,
    /// A write without an answer: the state that it would lead to.
    pub pending: Option<Option<Value>>,
}

impl Key {
    /// Takes what is found as the state, if it may be; else says what is wrong.
    pub fn settle(&mut self, found: Option<&Found>) -> Result<(), String> {
        let same = |state: &Option<Value>| match (state, found) {
            (None, None) => true,
            (Some(value), Some(found)) => value.is(found),
            _ => false,
        };
        if same(&self.settled) {
            self.pending = None;
            return Ok(());
        }
        if let Some(pending) = &self.pending
            && same(pending)
        {
            self.settled = self.pending.take().flatten();
            return Ok(());
        }
        let words = |state: &Option<Value>| {
            state
                .as_ref()
                .map_or("nothing".to_owned(), |value| format!("{} bytes", value.length()))
        };
        let there = found.map_or("nothing".to_owned(), |found| {
            format!("{} other bytes, ETag {}", found.bytes.len(), found.etag)
        });
        let pending = self.pending.as_ref().map_or(String::new(), |state| {
            format!(" (or {}, not acknowledged)", words(state))
        });
        Err(format!(
            "acknowledged: {}{pending}; found: {there}",
            words(&self.settled)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_acknowledged_or_the_pending_state_will_do() {
        let mut random = Random::new(1);
        let (old, new) = (Value::whole(&mut random, 10), Value::in_parts(&mut random));
        let found = |value: &Value| Found {
            bytes: value.bytes(),
            etag: value.etag(),
        };
        let key = Key {
            settled: Some(old.clone()),
            pending: Some(Some(new.clone())),
        };
        assert!(key.clone().settle(Some(&found(&old))).is_ok());
        let mut after = key.clone();
        assert!(after.settle(Some(&found(&new))).is_ok());
        assert_eq!((after.settled, after.pending), (Some(new.clone()), None));
        assert!(key.clone().settle(None).is_err());
        let mut half = found(&new);
        half.bytes.truncate(PART);
        assert!(key.clone().settle(Some(&half)).is_err());
        let mut deleting = Key {
            settled: Some(old),
            pending: Some(None),
        };
        assert!(deleting.settle(None).is_ok());
        assert!(deleting.settle(Some(&found(&new))).is_err());
    }
}
