//! The hash chain: each line names the CID of the line before, so a change anywhere shows.

use crate::event::line_cid;
use crate::{Cid, Event, EventError, Position};
use serde::{Deserialize, Serialize};

/// The end of a chain: the last position and the CID of its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// Zero before the first event.
    pub seq: Position,
    /// `None` before the first event.
    pub cid: Option<Cid>,
}

/// Where and how a chain is broken.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The line at this place is not an event.
    #[error("position {expected}: {source}")]
    Line {
        /// The position that should stand here.
        expected: Position,
        /// What is wrong.
        source: EventError,
    },
    /// Another position than the next: lines are missing, doubled or reordered.
    #[error("position {expected} is missing: the line there says {found}")]
    Position {
        /// The position that should stand here.
        expected: Position,
        /// The position found.
        found: Position,
    },
    /// The line does not name the line before: one of the two was changed.
    #[error("position {at} does not follow from position {}: one of the two was changed", at - 1)]
    Broken {
        /// The position of the line that names another predecessor.
        at: Position,
    },
}

impl ChainHead {
    /// Checks that `line` is the next one, and moves the head onto it.
    pub fn follow(&mut self, line: &[u8]) -> Result<Event, ChainError> {
        let expected = self.seq + 1;
        let event = Event::from_line(line).map_err(|source| ChainError::Line { expected, source })?;
        if event.seq != expected {
            return Err(ChainError::Position {
                expected,
                found: event.seq,
            });
        }
        if event.prev != self.cid {
            return Err(ChainError::Broken { at: expected });
        }
        *self = Self {
            seq: expected,
            cid: Some(line_cid(line)),
        };
        Ok(event)
    }
}
