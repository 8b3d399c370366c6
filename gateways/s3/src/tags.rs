//! Tags of objects and buckets: the rules of S3, the header form and the XML form.

use crate::target::query_pairs;
use s3s::dto::{Tag, TagSet};
use s3s::{S3Result, s3_error};
use stead_event::TextMap;

/// How many tags an object may have.
pub const OBJECT_MAX: usize = 10;
/// How many tags a bucket may have.
pub const BUCKET_MAX: usize = 50;

/// From `x-amz-tagging`: a URL query.
pub fn from_header(value: &str) -> S3Result<TextMap> {
    checked(query_pairs(value), OBJECT_MAX).map_err(|error| match error.message() {
        Some("Cannot provide multiple Tags with the same key") => s3_error!(
            InvalidArgument,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without \
             tag name duplicates."
        ),
        _ => error,
    })
}

/// From a `Tagging` document.
pub fn from_set(set: TagSet, max: usize) -> S3Result<TextMap> {
    checked(
        set.into_iter()
            .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())),
        max,
    )
}

/// As a `Tagging` document.
pub fn to_set(tags: &TextMap) -> TagSet {
    tags.iter()
        .map(|(key, value)| Tag {
            key: Some(key.clone()),
            value: Some(value.clone()),
        })
        .collect()
}

/// As a URL query: how a bucket's tags are kept.
pub fn to_query(tags: &TextMap) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let pairs: Vec<_> = tags
        .iter()
        .map(|(key, value)| format!("{}={}", encode(key), encode(value)))
        .collect();
    pairs.join("&")
}

/// From [`to_query`].
pub fn from_query(query: &str) -> TextMap {
    query_pairs(query).collect()
}

/// The rules for one tag.
pub fn check(key: &str, value: &str) -> S3Result<()> {
    if key.is_empty() || key.chars().count() > 128 || !legal(key) {
        return Err(s3_error!(InvalidTag, "The TagKey you have provided is invalid"));
    }
    if value.chars().count() > 256 || !legal(value) {
        return Err(s3_error!(InvalidTag, "The TagValue you have provided is invalid"));
    }
    Ok(())
}

fn checked(pairs: impl Iterator<Item = (String, String)>, max: usize) -> S3Result<TextMap> {
    let mut tags = TextMap::new();
    for (key, value) in pairs {
        check(&key, &value)?;
        if key.starts_with("aws:") {
            return Err(s3_error!(
                InvalidTag,
                "System tags cannot be added/updated by requester"
            ));
        }
        if tags.insert(key, value).is_some() {
            return Err(s3_error!(
                InvalidTag,
                "Cannot provide multiple Tags with the same key"
            ));
        }
    }
    if tags.len() > max {
        let message = if max == OBJECT_MAX {
            "Object tags cannot be greater than 10"
        } else {
            "Bucket tag count cannot be greater than 50"
        };
        return Err(s3_error!(InvalidTag, "{message}"));
    }
    Ok(tags)
}

/// Letters, numbers and spaces of any script, and `+ - = . _ : / @`.
fn legal(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_alphanumeric() || c.is_whitespace() || "+-=._:/@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_those_of_s3() {
        let code = |header: &str| from_header(header).unwrap_err().code().as_str().to_owned();
        assert_eq!(from_header("a=1&b=%C3%A9+x").unwrap().get("b").unwrap(), "é x");
        assert_eq!(code("a=1&a=2"), "InvalidArgument");
        assert_eq!(code("=1"), "InvalidTag");
        assert_eq!(code("aws:a=1"), "InvalidTag");
        assert_eq!(code("a=%7B"), "InvalidTag");
        assert_eq!(code(&format!("{}=1", "k".repeat(129))), "InvalidTag");
        assert_eq!(code(&format!("k={}", "v".repeat(257))), "InvalidTag");
        let many = |n: usize| (0..n).map(|i| format!("k{i}=v")).collect::<Vec<_>>().join("&");
        assert!(from_header(&many(10)).is_ok());
        assert_eq!(code(&many(11)), "InvalidTag");
    }

    #[test]
    fn the_kept_form_round_trips() {
        let tags = from_header("a+b=%26%3D").err();
        assert!(tags.is_some(), "& is not a legal character of a tag");
        let tags = from_header("a+b=x%3Dy&c=").unwrap();
        assert_eq!(from_query(&to_query(&tags)), tags);
    }
}
