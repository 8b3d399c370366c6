//! What *safe*, *slower*, *read-only*, *down* and *data lost* mean, and what is said of a state of failures.

use super::failure::by_display;
use super::reasons::Reason;
use crate::interval::Interval;
use serde::Serialize;
use std::fmt;

/// What failures do to data and to service, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Every member and every copy is there.
    Safe,
    /// Everything goes on, with a member or copies away.
    Slower,
    /// Everything can be read, and something not be written.
    ReadOnly,
    /// Something cannot be read until what failed is back.
    Down,
    /// Something is gone for good.
    DataLost,
}

impl Verdict {
    /// All, from good to bad.
    pub const ALL: [Self; 5] = [
        Self::Safe,
        Self::Slower,
        Self::ReadOnly,
        Self::Down,
        Self::DataLost,
    ];

    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Slower => "slower",
            Self::ReadOnly => "read-only",
            Self::Down => "down",
            Self::DataLost => "data lost",
        }
    }

    /// Whether clients go on without noticing much.
    pub fn goes_on(self) -> bool {
        self <= Self::Slower
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.words())
    }
}

impl Serialize for Verdict {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        by_display(self, serializer)
    }
}

/// What happens when batteries are empty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Beyond {
    /// After how long, if it is known what is in them.
    pub minutes: Option<Interval>,
    /// From then on.
    pub verdict: Verdict,
    /// Why.
    pub chain: Vec<Reason>,
}

/// What a state of failures does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// At once, and as long as batteries last.
    pub verdict: Verdict,
    /// Why, from what fails to the verdict.
    pub chain: Vec<Reason>,
    /// Voters that are together, those that there are, and those that it takes.
    pub votes: (usize, usize, usize),
    /// What comes when batteries are empty; none where none is in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beyond: Option<Beyond>,
}

impl Outcome {
    /// The worse one of now and later.
    pub fn worst(&self) -> Verdict {
        let later = self.beyond.as_ref().map(|beyond| beyond.verdict);
        self.verdict.max(later.unwrap_or(self.verdict))
    }
}
