//! How many copies there are of a block, and how many have to be written before the writer is answered.
//!
//! Promises: a [`Policy`]'s text is what a person types (`3`, `2 strict`, `4+2`), and reads back the same.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How bytes survive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Redundancy {
    /// So many whole copies, 1 to 5.
    Replicas(u8),
    /// Data and parity pieces, `k+m`: any `k` of them are enough.
    Erasure {
        /// Data pieces.
        k: u8,
        /// Parity pieces.
        m: u8,
    },
}

/// Whole copies at most.
pub const MAX_REPLICAS: u8 = 5;
/// Pieces of an erasure code at most.
pub const MAX_PIECES: u8 = 32;

/// When a writer is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Writes {
    /// When every copy is written.
    Strict,
    /// When most copies are written; with pieces, when half of the parity is, rounded up.
    #[default]
    Majority,
    /// When as much is written as a reader needs.
    Fewest,
}

/// What a bucket or volume asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Policy {
    redundancy: Redundancy,
    writes: Writes,
}

/// A policy that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no redundancy: give a number of copies from 1 to {MAX_REPLICAS} (`3`), or data and parity pieces \
     (`4+2`, {MAX_PIECES} together at most), and then, if wanted, `strict`, `majority` or `fewest`"
)]
pub struct PolicyError(pub String);

impl Policy {
    /// So many copies, with writes by majority.
    pub fn replicas(count: u8) -> Result<Self, PolicyError> {
        Self::new(Redundancy::Replicas(count), Writes::Majority)
    }

    /// `k` data pieces and `m` parity pieces, with writes by majority.
    pub fn erasure(k: u8, m: u8) -> Result<Self, PolicyError> {
        Self::new(Redundancy::Erasure { k, m }, Writes::Majority)
    }

    /// Of this redundancy, where it is one.
    pub fn new(redundancy: Redundancy, writes: Writes) -> Result<Self, PolicyError> {
        let policy = Self { redundancy, writes };
        let fits = match redundancy {
            Redundancy::Replicas(count) => (1..=MAX_REPLICAS).contains(&count),
            Redundancy::Erasure { k, m } => k > 0 && m > 0 && k.saturating_add(m) <= MAX_PIECES,
        };
        fits.then_some(policy)
            .ok_or_else(|| PolicyError(policy.to_string()))
    }

    /// How bytes survive.
    pub fn redundancy(&self) -> Redundancy {
        self.redundancy
    }

    /// When a writer is answered.
    pub fn writes(&self) -> Writes {
        self.writes
    }

    /// Copies or pieces that are stored.
    pub fn stored(&self) -> usize {
        match self.redundancy {
            Redundancy::Replicas(count) => count.into(),
            Redundancy::Erasure { k, m } => usize::from(k) + usize::from(m),
        }
    }

    /// Copies or pieces that a reader needs.
    pub fn to_read(&self) -> usize {
        match self.redundancy {
            Redundancy::Replicas(_) => 1,
            Redundancy::Erasure { k, .. } => k.into(),
        }
    }

    /// Copies or pieces that a writer needs.
    pub fn to_write(&self) -> usize {
        match (self.writes, self.redundancy) {
            (Writes::Strict, _) => self.stored(),
            (Writes::Majority, Redundancy::Replicas(count)) => most_of(count.into()),
            (Writes::Majority, Redundancy::Erasure { k, m }) => usize::from(k) + usize::from(m).div_ceil(2),
            (Writes::Fewest, _) => self.to_read(),
        }
    }

    /// Copies or pieces that a writer needs where placement found room for so many only.
    pub fn to_write_of(&self, placed: usize) -> usize {
        match (self.writes, self.redundancy) {
            (Writes::Majority, Redundancy::Replicas(count)) => most_of(placed.min(count.into())),
            _ => self.to_write(),
        }
    }

    /// Stored bytes for one byte of data.
    pub fn overhead(&self) -> f64 {
        self.stored() as f64 / self.to_read() as f64
    }
}

/// How many copies, of so many, have to be there before the writer is answered, where most of them are asked for. Of
/// two, one may be away: there is no third to ask, and its copy is made when it is back.
pub fn most_of(copies: usize) -> usize {
    if copies <= 2 { 1 } else { copies / 2 + 1 }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.redundancy {
            Redundancy::Replicas(count) => write!(f, "{count}")?,
            Redundancy::Erasure { k, m } => write!(f, "{k}+{m}")?,
        }
        match self.writes {
            Writes::Strict => f.write_str(" strict"),
            Writes::Majority => Ok(()),
            Writes::Fewest => f.write_str(" fewest"),
        }
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let wrong = || PolicyError(text.to_owned());
        let (amount, writes) = match text.trim().split_once(char::is_whitespace) {
            None => (text.trim(), Writes::Majority),
            Some((amount, word)) => match word.trim() {
                "strict" => (amount, Writes::Strict),
                "majority" => (amount, Writes::Majority),
                "fewest" => (amount, Writes::Fewest),
                _ => return Err(wrong()),
            },
        };
        let number = |text: &str| text.trim().parse::<u8>().map_err(|_| wrong());
        let redundancy = match amount.split_once('+') {
            None => Redundancy::Replicas(number(amount)?),
            Some((k, m)) => Redundancy::Erasure {
                k: number(k)?,
                m: number(m)?,
            },
        };
        Self::new(redundancy, writes).map_err(|_| wrong())
    }
}

impl Serialize for Policy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Policy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_reads_back() {
        for (text, stored, read, write) in [
            ("1", 1, 1, 1),
            ("2", 2, 1, 1),
            ("2 strict", 2, 1, 2),
            ("3", 3, 1, 2),
            ("3 fewest", 3, 1, 1),
            ("4+2", 6, 4, 5),
            ("4+2 strict", 6, 4, 6),
            ("2+1 fewest", 3, 2, 2),
        ] {
            let policy: Policy = text.parse().expect(text);
            assert_eq!(policy.to_string(), text);
            assert_eq!(
                (policy.stored(), policy.to_read(), policy.to_write()),
                (stored, read, write),
                "{text}"
            );
        }
        for text in [
            "", "0", "6", "0+1", "3+0", "30+3", "-1", "3 often", "2+1+1", "300+1",
        ] {
            assert!(text.parse::<Policy>().is_err(), "{text}");
        }
    }
}
