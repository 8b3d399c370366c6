//! What a condition can know without the gateway: who asks, when, and what is stored.

use super::policy::{Key, Values};
use super::{Ask, Object};
use stead_event::Timestamp;

/// The values of one question.
pub(super) struct Known<'a, F> {
    pub(super) ask: &'a Ask<'a>,
    pub(super) now: Timestamp,
    /// Looks up the tags of the object, where they are asked for.
    pub(super) tag: F,
}

/// The ARN of a user of this node.
fn arn(ask: &Ask<'_>) -> String {
    format!("arn:aws:iam:::user/{}", ask.who.principal.0)
}

impl<F: Fn(&str) -> Option<String>> Values for Known<'_, F> {
    fn is_judged(&self, key: &Key) -> bool {
        self.ask.values.is_judged(key)
    }

    fn get(&self, key: &Key) -> Option<Vec<String>> {
        let who = self.ask.who;
        let signed = |value: &dyn Fn() -> String| (!who.is_anonymous()).then(|| vec![value()]);
        match key.name {
            "aws:username" => signed(&|| who.principal.0.clone()),
            "aws:userid" => match who.is_anonymous() {
                true => Some(vec!["anonymous".into()]),
                false => signed(&|| who.canonical_id.clone()),
            },
            "aws:PrincipalArn" => signed(&|| arn(self.ask)),
            "aws:PrincipalType" => Some(vec![match who.is_anonymous() {
                true => "Anonymous".into(),
                false => "User".into(),
            }]),
            "aws:CurrentTime" => Some(vec![self.now.to_string()]),
            "aws:EpochTime" => Some(vec![self.now.as_secs().to_string()]),
            "s3:VersionId" => self.ask.version.map(|version| vec![version.to_owned()]),
            "s3:ExistingObjectTag/" => (self.tag)(key.tag.as_deref()?).map(|value| vec![value]),
            _ => self.ask.values.get(key),
        }
    }
}

impl Object<'_> {
    /// Whether there is one, as far as is known.
    pub(super) fn is_unread(self) -> bool {
        matches!(self, Self::Unread)
    }
}
