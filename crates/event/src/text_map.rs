//! Text by name, written so that every name can be a key of a DAG-JSON map.
//!
//! DAG-JSON reserves the map whose only key is `/` (a link or bytes), but `/` is a legal S3 tag name. So a
//! name of nothing but slashes is written with one slash more; every other name is written as it is.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Text by name: metadata, headers, tags.
pub type TextMap = BTreeMap<String, String>;

fn only_slashes(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b == b'/')
}

pub(crate) fn serialize<S: Serializer>(map: &TextMap, serializer: S) -> Result<S::Ok, S::Error> {
    if !map.keys().any(|name| only_slashes(name)) {
        return map.serialize(serializer);
    }
    let escape = |name: &str| {
        if only_slashes(name) {
            format!("{name}/")
        } else {
            name.to_owned()
        }
    };
    let escaped: TextMap = map
        .iter()
        .map(|(name, value)| (escape(name), value.clone()))
        .collect();
    escaped.serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TextMap, D::Error> {
    let map = TextMap::deserialize(deserializer)?;
    if !map.keys().any(|name| only_slashes(name)) {
        return Ok(map);
    }
    let unescape = |name: String| {
        if only_slashes(&name) {
            name[1..].to_owned()
        } else {
            name
        }
    };
    map.into_iter()
        .map(|(name, value)| match unescape(name) {
            name if name.is_empty() => Err(serde::de::Error::custom("\"/\" alone is not a name")),
            name => Ok((name, value)),
        })
        .collect()
}
