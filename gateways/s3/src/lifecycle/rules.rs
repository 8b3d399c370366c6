//! Lifecycle rules as they are kept, and what they say of an object.
//!
//! The kept document is JSON in the bucket's `lifecycle` configuration, so that the log says in plain words
//! what was to be deleted when.

use super::due::Day;
use serde::{Deserialize, Serialize};
use stead_event::{TextMap, Timestamp};
use stead_view::ObjectRecord;

/// The configuration document that the rules are kept in.
pub const DOCUMENT: &str = "lifecycle";

/// All rules of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// In the order in which they were put.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Unique in its bucket.
    pub id: String,
    /// Whether it is carried out.
    pub enabled: bool,
    /// What it is about.
    pub filter: Filter,
    /// What becomes of current objects, and of delete markers that nothing is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<Expiration>,
    /// What becomes of versions that are not current any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noncurrent: Option<Noncurrent>,
    /// Days after which an upload that is still open is given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_days: Option<u32>,
}

/// How a filter was written, to answer it in the same form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `Filter` with at most one condition.
    #[default]
    Filter,
    /// `Filter` with `And`.
    And,
    /// `Prefix` without a filter, as it was written before there were filters.
    Prefix,
}

/// Which objects a rule is about: those that meet every condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// How it was written.
    pub form: Form,
    /// Keys begin so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// They have all these tags.
    #[serde(default, skip_serializing_if = "TextMap::is_empty")]
    pub tags: TextMap,
    /// They have more than so many bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub larger_than: Option<u64>,
    /// They have fewer than so many bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smaller_than: Option<u64>,
}

/// When a current object goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiration {
    /// So many days after it was made.
    Days(u32),
    /// At this midnight.
    Date(Timestamp),
    /// Not at all; a delete marker that nothing is behind goes, where `true`.
    Marker(bool),
}

/// When a version that is not current goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noncurrent {
    /// So many days after it ceased to be current.
    pub days: u32,
    /// But so many of the newest are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<u32>,
}

impl Filter {
    /// What keys must begin with.
    pub fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or_default()
    }

    fn covers(&self, key: &str, record: &ObjectRecord) -> bool {
        key.starts_with(self.prefix())
            && self.larger_than.is_none_or(|size| record.size > size)
            && self.smaller_than.is_none_or(|size| record.size < size)
            && self
                .tags
                .iter()
                .all(|(name, value)| record.tags.get(name) == Some(value))
    }
}

impl Rule {
    /// When this rule lets the current object go.
    fn expires(&self, key: &str, record: &ObjectRecord, day: Day) -> Option<Timestamp> {
        let due = match self.expiration.as_ref()? {
            Expiration::Days(days) => day.due(record.at, *days),
            Expiration::Date(date) => *date,
            Expiration::Marker(_) => return None,
        };
        self.filter.covers(key, record).then_some(due)
    }

    /// When this rule lets a delete marker go that nothing is behind. Amazon documents that `Days` does so too,
    /// once the marker is as old.
    fn clears(&self, key: &str, marker: &ObjectRecord, day: Day) -> Option<Timestamp> {
        let due = match self.expiration.as_ref()? {
            Expiration::Marker(true) => marker.at,
            Expiration::Days(days) => day.due(marker.at, *days),
            Expiration::Marker(false) | Expiration::Date(_) => return None,
        };
        self.filter.covers(key, marker).then_some(due)
    }
}

/// What a rule lets happen, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due<'a> {
    /// From this moment on.
    pub at: Timestamp,
    /// By this rule.
    pub rule: &'a str,
}

impl Rules {
    /// From a kept document. One that does not parse, which only a newer release can have put there, has no
    /// rules: nothing is deleted by what is not understood.
    pub fn read(document: &str) -> Self {
        serde_json::from_str(document).unwrap_or_else(|error| {
            tracing::warn!(%error, "a bucket's lifecycle rules are not understood; none is carried out");
            Self::default()
        })
    }

    /// The kept document.
    pub fn write(&self) -> String {
        // Text, numbers and booleans always can be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    fn first<'a>(&'a self, when: impl Fn(&'a Rule) -> Option<Timestamp>) -> Option<Due<'a>> {
        let enabled = self.rules.iter().filter(|rule| rule.enabled);
        enabled
            .filter_map(|rule| {
                Some(Due {
                    at: when(rule)?,
                    rule: &rule.id,
                })
            })
            .min_by_key(|due| due.at)
    }

    /// When the current object goes, by the rule that is first.
    pub fn expiry(&self, key: &str, record: &ObjectRecord, day: Day) -> Option<Due<'_>> {
        self.first(|rule| rule.expires(key, record, day))
    }

    /// When a delete marker goes that nothing is behind.
    pub fn clearance(&self, key: &str, marker: &ObjectRecord, day: Day) -> Option<Due<'_>> {
        self.first(|rule| rule.clears(key, marker, day))
    }

    /// When a version goes that was current until `until` and has `newer` more versions between it and the
    /// current one.
    pub fn end(
        &self,
        key: &str,
        record: &ObjectRecord,
        (until, newer): (Timestamp, u32),
        day: Day,
    ) -> Option<Due<'_>> {
        self.first(|rule| {
            let noncurrent = rule.noncurrent.as_ref()?;
            let surplus = noncurrent.newer.is_none_or(|kept| newer >= kept);
            (surplus && rule.filter.covers(key, record)).then(|| day.due(until, noncurrent.days))
        })
    }

    /// When an upload that is still open is given up.
    pub fn abort(&self, key: &str, started: Timestamp, day: Day) -> Option<Due<'_>> {
        self.first(|rule| {
            let days = rule
                .abort_days
                .filter(|_| key.starts_with(rule.filter.prefix()))?;
            Some(day.due(started, days))
        })
    }

    /// The fewest prefixes below which everything lies that an enabled rule is about.
    pub fn prefixes(&self) -> Vec<&str> {
        let enabled = self.rules.iter().filter(|rule| rule.enabled);
        let mut all: Vec<&str> = enabled.map(|rule| rule.filter.prefix()).collect();
        all.sort_unstable();
        all.dedup_by(|longer, shorter| longer.starts_with(*shorter));
        all
    }
}
