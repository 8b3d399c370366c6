//! The users of this node: names and canonical ids, both ways.

use std::collections::{HashMap, HashSet};
use stead_view::KeyRecord;

/// The name of the node's administrator.
pub const ADMINISTRATOR: &str = "root";

/// The canonical id of whoever does not sign, as S3 documents it.
pub const ANONYMOUS_ID: &str = "65a011a29cdf8ec533ec3d1ccaae921c";

/// The name of whoever does not sign.
pub const ANONYMOUS: &str = "anonymous";

/// Whoever has, or once had, an access key.
#[derive(Clone, Debug, Default)]
pub struct Users {
    by_id: HashMap<String, String>,
    by_name: HashMap<String, String>,
    /// Canonical ids that have an access key without any restriction.
    whole: HashSet<String>,
}

impl Users {
    /// Of the keys that there are or were. A name belongs to the first key that was made with it.
    pub fn of(mut keys: Vec<KeyRecord>) -> Self {
        keys.sort_by_key(|key| key.created.0);
        let mut users = Self::default();
        for key in keys {
            if !key.scope.read_only && key.scope.buckets.is_empty() {
                users.whole.insert(key.canonical_id.clone());
            }
            users
                .by_name
                .entry(key.name.clone())
                .or_insert_with(|| key.canonical_id.clone());
            users.by_id.entry(key.canonical_id).or_insert(key.name);
        }
        users
    }

    /// Whether a canonical id is somebody's.
    pub fn knows(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// The canonical id of a user, by name or by canonical id.
    pub fn id_of(&self, who: &str) -> Option<&str> {
        match self.by_name.get(who) {
            Some(id) => Some(id),
            None => self.by_id.get_key_value(who).map(|(id, _)| id.as_str()),
        }
    }

    /// The name behind a canonical id.
    pub fn name_of(&self, id: &str) -> Option<&str> {
        match id {
            ANONYMOUS_ID => Some(ANONYMOUS),
            id => self.by_id.get(id).map(String::as_str),
        }
    }

    /// Whether a user has, or had, an access key without any restriction.
    pub fn has_whole_key(&self, id: &str) -> bool {
        self.whole.contains(id)
    }

    /// The administrator's canonical id; empty where no key was ever made for it.
    pub fn administrator(&self) -> &str {
        self.by_name.get(ADMINISTRATOR).map_or("", String::as_str)
    }
}

#[cfg(test)]
impl Users {
    /// Users by name and canonical id.
    pub(crate) fn table(pairs: &[(&str, &str)]) -> Self {
        let pair = |(name, id): &(&str, &str)| ((*name).to_owned(), (*id).to_owned());
        Self {
            by_name: pairs.iter().map(pair).collect(),
            by_id: pairs.iter().map(pair).map(|(name, id)| (id, name)).collect(),
            whole: pairs.iter().map(|(_, id)| (*id).to_owned()).collect(),
        }
    }
}
