//! What clients saw of one register: operations with the moments between which each took effect.

use std::fmt;

/// What a register holds: the number of a value, or nothing.
pub type State = Option<u64>;

/// One operation, with what was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// This was written.
    Put(u64),
    /// This was there.
    Get(State),
    /// Nothing was left.
    Delete,
    /// The first was there, and the second took its place.
    Swap(State, u64),
    /// That was not there, so nothing was written. Where nothing was expected: something was there.
    Miss(State),
}

impl Op {
    /// The state afterwards, where the operation can have been answered so in this state.
    pub fn apply(self, state: State) -> Option<State> {
        match self {
            Self::Put(value) => Some(Some(value)),
            Self::Delete => Some(None),
            Self::Get(seen) => (seen == state).then_some(state),
            Self::Swap(from, to) => (from == state).then_some(Some(to)),
            Self::Miss(from) => (from != state).then_some(state),
        }
    }

    /// The value that it writes.
    fn writes(self) -> State {
        match self {
            Self::Put(value) | Self::Swap(_, value) => Some(value),
            Self::Get(_) | Self::Delete | Self::Miss(_) => None,
        }
    }

    /// The value that it saw.
    fn saw(self) -> State {
        match self {
            Self::Get(seen) | Self::Swap(seen, _) => seen,
            Self::Put(_) | Self::Delete | Self::Miss(_) => None,
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |state: &State| state.map_or("nothing".to_owned(), |value| format!("{value:x}"));
        match self {
            Self::Put(value) => write!(out, "put {value:x}"),
            Self::Get(seen) => write!(out, "get: {}", shown(seen)),
            Self::Delete => write!(out, "delete"),
            Self::Swap(from, to) => write!(out, "put {to:x} in the place of {}", shown(from)),
            Self::Miss(from) => write!(out, "put in the place of {}: refused", shown(from)),
        }
    }
}

/// An operation of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What was done.
    pub op: Op,
    /// When it was begun, in nanoseconds since the run began.
    pub begin: u64,
    /// When it was answered; `None` where it was not: it may take effect at any time, or never.
    pub end: Option<u64>,
    /// Who did it, where: for people.
    pub client: u32,
    /// The node that was asked.
    pub node: u32,
}

impl fmt::Display for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |at: u64| at as f64 / 1e6;
        let end = self
            .end
            .map_or("       never".to_owned(), |end| format!("{:12.3}", ms(end)));
        write!(
            out,
            "{:12.3} {end} client {} at node {}: {}",
            ms(self.begin),
            self.client,
            self.node,
            self.op
        )
    }
}

/// Makes a history as definite as what was seen allows. Values are written once each, so an unanswered write
/// whose value was seen took effect before whoever saw it was answered; one whose value nobody ever saw is left out
/// (and refusals, which it may explain, say nothing then).
pub fn settle(history: &[Entry]) -> Vec<Entry> {
    let seen_by = |value: u64| {
        let saw = history.iter().filter(|entry| entry.op.saw() == Some(value));
        saw.filter_map(|entry| entry.end).min()
    };
    let mut settled = Vec::with_capacity(history.len());
    let mut forgot = false;
    for entry in history {
        match (entry.end, entry.op.writes()) {
            (None, Some(value)) => match seen_by(value) {
                Some(end) => settled.push(Entry {
                    end: Some(end),
                    ..*entry
                }),
                None => forgot = true,
            },
            // What was not answered and changes nothing is nothing.
            (None, None) if entry.op != Op::Delete => {}
            _ => settled.push(*entry),
        }
    }
    if forgot {
        settled.retain(|entry| !matches!(entry.op, Op::Miss(_)));
    }
    settled.sort_by_key(|entry| entry.begin);
    settled
}
