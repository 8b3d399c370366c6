//! Why a source could not be read.

use std::fmt;
use std::time::Duration;

/// A source that could not be read, and why.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct PowerError {
    /// The source, as [`crate::Reading::source`] names it.
    pub place: String,
    /// What went wrong.
    pub why: Why,
}

/// What went wrong with a source.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Why {
    /// Nothing could be exchanged: connecting, reading or running failed.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// It did not answer in time.
    #[error("did not answer within {} s", .0.as_secs_f64())]
    Silent(Duration),
    /// It answered more than a meter has to say.
    #[error("answered more than {0} bytes")]
    TooLong(usize),
    /// It asks for a login, or does not take the one that was given.
    #[error("does not let in: {0}")]
    Login(String),
    /// The answer is not what its documentation says.
    #[error("answered what is not understood: {0}")]
    Answer(String),
    /// It answered, and measures nothing.
    #[error("measures no power: {0}")]
    NoMeter(String),
    /// A value that cannot be.
    #[error("says {what} is {value}, which cannot be")]
    Absurd {
        /// Of what.
        what: String,
        /// As it was said.
        value: String,
    },
    /// A program that the reader runs is not installed.
    #[error("needs the program {program}, which is not installed: {hint}")]
    Program {
        /// The program.
        program: String,
        /// What to do.
        hint: String,
    },
    /// What was asked for is no address of such a source.
    #[error("is no address: {0}")]
    Address(String),
}

impl Why {
    /// With the source's name.
    pub fn at(self, place: impl Into<String>) -> PowerError {
        PowerError {
            place: place.into(),
            why: self,
        }
    }

    pub(crate) fn answer(why: impl fmt::Display) -> Self {
        Self::Answer(why.to_string())
    }

    pub(crate) fn absurd(what: impl Into<String>, value: impl fmt::Display) -> Self {
        Self::Absurd {
            what: what.into(),
            value: value.to_string(),
        }
    }
}

impl From<std::io::Error> for Why {
    fn from(error: std::io::Error) -> Self {
        Self::Unreachable(error.to_string())
    }
}

/// Text of a stranger's, short and without control characters, fit for a message.
pub(crate) fn quote(text: &str) -> String {
    const SHOWN: usize = 80;
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        shown.push('…');
    }
    format!("{shown:?}")
}
