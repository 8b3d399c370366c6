//! What a policy says of a request.

use super::principal::Principal;
use super::{Policy, Statement, Values};
use crate::access::Action;

/// What a policy says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It forbids; nothing that permits counts.
    Deny,
    /// It permits.
    Allow,
    /// It does not speak of it.
    Silent,
}

/// Who asks, as far as a policy can tell.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The canonical id; `None` for whoever did not sign.
    pub id: Option<&'a str>,
}

impl Policy {
    /// What it says of `action` on `resource` (`bucket` or `bucket/key`).
    pub fn judge(&self, who: Subject<'_>, action: Action, resource: &str, values: &dyn Values) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in &self.statements {
            if verdict == Verdict::Allow && statement.allows {
                continue;
            }
            if !statement.applies(who, action, resource, values) {
                continue;
            }
            if !statement.allows {
                return Verdict::Deny;
            }
            verdict = Verdict::Allow;
        }
        verdict
    }
}

impl Statement {
    fn applies(&self, who: Subject<'_>, action: Action, resource: &str, values: &dyn Values) -> bool {
        self.names(action)
            && self.principals.includes(|principal| match principal {
                Principal::Everyone => true,
                Principal::User(id) => who.id == Some(id),
            })
            && self
                .resources
                .includes(|pattern| pattern.matches(resource, values, false))
            && self
                .conditions
                .iter()
                .all(|condition| match values.is_judged(&condition.key) {
                    true => self.allows,
                    false => condition.holds(values),
                })
    }
}
