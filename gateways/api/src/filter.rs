//! Which lines of the log are wanted.

use crate::ApiError;
use serde::Deserialize;
use stead_event::Timestamp;

/// What is at the top of a line, and so what filters look at. Fields of the body cannot be mistaken for it.
#[derive(Deserialize)]
pub(crate) struct Top {
    actor: Box<str>,
    at: Timestamp,
    kind: Box<str>,
    stream: Box<str>,
}

impl Top {
    /// Of a line; `None` where it is none.
    pub(crate) fn of(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

/// Which lines are wanted: all, where nothing is set.
#[derive(Clone, Default)]
pub(crate) struct Filter {
    stream: Option<String>,
    /// Any of them; `object.*` is every kind that begins so.
    kinds: Vec<String>,
    actor: Option<String>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

fn moment(text: Option<&str>) -> Result<Option<Timestamp>, ApiError> {
    text.filter(|text| !text.is_empty())
        .map(|text| {
            text.parse()
                .map_err(|_| ApiError::invalid(format!("{text:?} is not a moment in RFC 3339")))
        })
        .transpose()
}

impl Filter {
    /// From a query; what is empty is not set.
    pub(crate) fn new(
        stream: Option<String>,
        kind: Option<&str>,
        actor: Option<String>,
        since: Option<&str>,
        until: Option<&str>,
    ) -> Result<Self, ApiError> {
        let kinds = kind.unwrap_or_default().split(',').map(str::trim);
        Ok(Self {
            stream: stream.filter(|stream| !stream.is_empty()),
            kinds: kinds.filter(|kind| !kind.is_empty()).map(str::to_owned).collect(),
            actor: actor.filter(|actor| !actor.is_empty()),
            since: moment(since)?,
            until: moment(until)?,
        })
    }

    /// Only what is about `stream`.
    pub(crate) fn of_stream(stream: &str) -> Self {
        Self {
            stream: Some(stream.to_owned()),
            ..Self::default()
        }
    }

    /// The only bucket that it lets through, where it is one.
    pub(crate) fn bucket(&self) -> Option<&str> {
        self.stream.as_deref()?.strip_prefix("bucket/")
    }

    /// The moment that everything wanted is later than.
    pub(crate) fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// Whether it lets everything through.
    pub(crate) fn is_all(&self) -> bool {
        self.stream.is_none()
            && self.kinds.is_empty()
            && self.actor.is_none()
            && self.since.is_none()
            && self.until.is_none()
    }

    /// Whether a line with this at its top is wanted.
    pub(crate) fn passes(&self, top: &Top) -> bool {
        let kind = |kind: &String| match kind.strip_suffix('*') {
            Some(beginning) => top.kind.starts_with(beginning),
            None => *top.kind == **kind,
        };
        self.stream.as_deref().is_none_or(|stream| *stream == *top.stream)
            && (self.kinds.is_empty() || self.kinds.iter().any(kind))
            && self.actor.as_deref().is_none_or(|actor| *actor == *top.actor)
            && self.since.is_none_or(|since| top.at >= since)
            && self.until.is_none_or(|until| top.at <= until)
    }

    /// Whether a line is wanted. A line that cannot be read is not.
    pub(crate) fn wants(&self, line: &[u8]) -> bool {
        self.is_all() || Top::of(line).is_some_and(|top| self.passes(&top))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_top_of_a_line_is_looked_at() {
        let line = br#"{"actor":"ana","at":"2026-01-01T00:00:00Z","body":{"metadata":{"actor":"bob","stream":"bucket/b"}},"kind":"object.put","stream":"bucket/a"}"#;
        let filter = |stream: &str, kind: &str, actor: &str| {
            Filter::new(Some(stream.into()), Some(kind), Some(actor.into()), None, None).unwrap()
        };
        assert!(filter("", "", "").wants(line));
        assert!(filter("bucket/a", "object.*", "ana").wants(line));
        assert!(filter("", "key.created, object.put", "").wants(line));
        assert!(!filter("bucket/b", "", "").wants(line));
        assert!(!filter("", "", "bob").wants(line));
        assert!(!filter("", "object", "").wants(line));
        let early = Filter::new(None, None, None, None, Some("2025-01-01T00:00:00Z")).unwrap();
        assert!(!early.wants(line));
        assert!(Filter::new(None, None, None, Some("now"), None).is_err());
    }
}
