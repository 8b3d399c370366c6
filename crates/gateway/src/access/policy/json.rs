//! JSON as a policy may be written: names in order, and none twice (a second one would silently replace the
//! first).

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// As text, because nothing but a condition's value is one.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut map: Vec<(String, Json)> = Vec::new();
        while let Some((name, value)) = entries.next_entry::<String, Json>()? {
            if map.iter().any(|(known, _)| *known == name) {
                return Err(A::Error::custom(format!("{name:?} stands there twice")));
            }
            map.push((name, value));
        }
        Ok(Json::Map(map))
    }
}

impl Json {
    /// A text, or a list of texts (never empty).
    pub(super) fn texts(self) -> Option<Vec<String>> {
        let texts: Vec<_> = match self {
            Self::Text(text) => vec![text],
            Self::List(list) => list
                .into_iter()
                .map(|item| match item {
                    Self::Text(text) => Some(text),
                    _ => None,
                })
                .collect::<Option<_>>()?,
            _ => return None,
        };
        Some(texts).filter(|texts| !texts.is_empty())
    }

    /// As [`Self::texts`], where numbers and booleans stand for themselves too.
    pub(super) fn scalars(self) -> Option<Vec<String>> {
        let scalar = |value| match value {
            Self::Text(text) | Self::Number(text) => Some(text),
            Self::Bool(value) => Some(value.to_string()),
            _ => None,
        };
        let scalars: Vec<_> = match self {
            Self::List(list) => list.into_iter().map(scalar).collect::<Option<_>>()?,
            single => vec![scalar(single)?],
        };
        Some(scalars).filter(|scalars| !scalars.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_there_twice_is_refused() {
        assert!(serde_json::from_str::<Json>(r#"{"a":1,"b":[true,null,-2,1.5,"x"]}"#).is_ok());
        assert!(serde_json::from_str::<Json>(r#"{"a":1,"a":1}"#).is_err());
        assert!(serde_json::from_str::<Json>(r#"{"a":{"b":1,"b":2}}"#).is_err());
        assert!(serde_json::from_str::<Json>(&"[".repeat(10_000)).is_err());
    }
}
