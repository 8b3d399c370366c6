//! The policy language of AWS as far as S3 documents it for buckets: parsed whole or refused, then judged.
//!
//! Owns: the document's grammar ([`Policy::parse`]), its meaning ([`Policy::judge`]), and whether it lets
//! everybody in ([`Policy::is_public`]). Promises: a field, an action, a principal, a condition operator or a
//! condition key that is not known is an error, never passed over.
//! Never: looks anything up; what it needs to know of the request comes through [`Values`].

mod condition;
mod date;
mod document;
mod evaluate;
mod json;
mod keys;
mod net;
mod operator;
mod pattern;
mod principal;
mod public;
#[cfg(test)]
mod tests;

pub use evaluate::{Subject, Verdict};
pub use keys::Key;

use crate::access::Action;
use condition::Condition;
use pattern::Pattern;
use principal::Principal;

/// The largest policy, in bytes (20 KiB).
pub const POLICY_MAX: usize = 20 << 10;

/// What a condition asks of a request.
pub trait Values {
    /// The values of a key; `None` where the request has none.
    fn get(&self, key: &Key) -> Option<Vec<String>>;

    /// Whether what is asked was judged with an earlier request, of which this one is a part: it neither
    /// forbids nor keeps from being permitted any more.
    fn is_judged(&self, _key: &Key) -> bool {
        false
    }
}

/// Why a document is not a policy. S3 calls all of it `MalformedPolicy`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(pub String);

fn fault(what: impl Into<String>) -> PolicyError {
    PolicyError(what.into())
}

/// A bucket's policy.
#[derive(Clone, Debug)]
pub struct Policy {
    statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
struct Statement {
    allows: bool,
    principals: Either<Principal>,
    actions: Either<Pattern>,
    resources: Either<Pattern>,
    conditions: Vec<Condition>,
}

/// What is named, or everything but that (`NotAction` and its like).
#[derive(Clone, Debug)]
struct Either<T> {
    not: bool,
    list: Vec<T>,
}

impl<T> Either<T> {
    /// Whether it includes what `is` finds.
    fn includes(&self, is: impl Fn(&T) -> bool) -> bool {
        self.list.iter().any(is) != self.not
    }
}

impl Statement {
    fn names(&self, action: Action) -> bool {
        self.actions
            .includes(|pattern| pattern.matches(action.name(), &Nothing, true))
    }
}

/// A request that has no values.
struct Nothing;

impl Values for Nothing {
    fn get(&self, _: &Key) -> Option<Vec<String>> {
        None
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::{Key, Values};
    use std::collections::HashMap;

    /// Values in a table.
    #[derive(Default)]
    pub(crate) struct Table(HashMap<String, Vec<String>>);

    impl Table {
        pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
            let mut table = Self::default();
            for (key, value) in pairs {
                table
                    .0
                    .entry((*key).to_owned())
                    .or_default()
                    .push((*value).to_owned());
            }
            table
        }
    }

    impl Values for Table {
        fn get(&self, key: &Key) -> Option<Vec<String>> {
            let name = format!("{}{}", key.name, key.tag.as_deref().unwrap_or_default());
            self.0.get(&name).cloned()
        }
    }
}
