//! What a request is about: the path of its URL, and its query.
//!
//! Path style, `/bucket` and `/bucket/key`, or `/` and `/key` where the host says the bucket. A path that does not name exactly one key is refused here,
//! before anything is looked up.

use percent_encoding::percent_decode_str;
use s3s::{S3Error, s3_error};
use stead_event::EventId;
use stead_gateway::objects::rules;

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// All buckets.
    Root,
    /// One bucket.
    Bucket(String),
    /// One key.
    Object {
        /// Its bucket.
        bucket: String,
        /// The key, decoded.
        key: String,
    },
}

impl Target {
    /// From the path of a URL, still percent-encoded, and the bucket that the host says, if any.
    ///
    /// # Errors
    /// `InvalidURI`, `InvalidBucketName` or `KeyTooLongError`.
    pub fn parse(host: Option<&str>, path: &str) -> Result<Self, S3Error> {
        let Some(path) = path.strip_prefix('/') else {
            return Err(s3_error!(InvalidURI, "The path must begin with a slash."));
        };
        let decoded = percent_decode_str(path)
            .decode_utf8()
            .map_err(|_| s3_error!(InvalidURI, "The key must be valid UTF-8."))?;
        let (bucket, key) = match host {
            Some(bucket) => (bucket, &*decoded),
            None if path.is_empty() => return Ok(Self::Root),
            None => decoded.split_once('/').unwrap_or((&decoded, "")),
        };
        if !s3s::path::check_bucket_name(bucket) {
            return Err(s3_error!(InvalidBucketName));
        }
        if key.is_empty() {
            return Ok(Self::Bucket(bucket.to_owned()));
        }
        check_key(key)?;
        Ok(Self::Object {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }

    /// The bucket, where there is one.
    pub fn bucket(&self) -> Option<&str> {
        match self {
            Self::Root => None,
            Self::Bucket(bucket) | Self::Object { bucket, .. } => Some(bucket),
        }
    }
}

/// Refuses a key that no object can have.
pub fn check_key(key: &str) -> Result<(), S3Error> {
    rules::key(key).map_err(crate::errors::from_object)
}

/// Refuses what cannot be the id of a version.
pub fn check_version(version: &str) -> Result<(), S3Error> {
    if version.is_empty() {
        return Err(s3_error!(
            InvalidArgument,
            "Version id cannot be the empty string"
        ));
    }
    if version != "null" && version.parse::<EventId>().is_err() {
        return Err(s3_error!(InvalidArgument, "Invalid version id specified"));
    }
    Ok(())
}

/// Refuses to make a key with a segment `..`, even one that stays below the bucket: the same bytes are
/// served as files too. What has such a key already can be read and deleted.
pub fn check_new_key(key: &str) -> Result<(), S3Error> {
    if key.split('/').any(|segment| segment == "..") {
        return Err(s3_error!(InvalidURI, "A key must not have a segment '..'."));
    }
    Ok(())
}

/// The names and values of a query, decoded (`+` is a space), in the order they stand.
pub fn query_pairs(query: &str) -> impl Iterator<Item = (String, String)> + '_ {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode_form(name), decode_form(value))
    })
}

/// The first value of `name` in a query.
pub fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    query_pairs(query?)
        .find(|(found, _)| found == name)
        .map(|(_, value)| value)
}

fn decode_form(text: &str) -> String {
    if !text.contains(['+', '%']) {
        return text.to_owned();
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str) -> Result<Target, S3Error> {
        Target::parse(None, path)
    }

    fn code(path: &str) -> String {
        parse(path).unwrap_err().code().as_str().to_owned()
    }

    #[test]
    fn paths_are_split_and_decoded() {
        assert_eq!(parse("/").unwrap(), Target::Root);
        assert_eq!(parse("/abc").unwrap(), Target::Bucket("abc".into()));
        assert_eq!(parse("/abc/").unwrap(), Target::Bucket("abc".into()));
        let object = parse("/abc/d%20e//f+%C3%A9").unwrap();
        assert_eq!(
            object,
            Target::Object {
                bucket: "abc".into(),
                key: "d e//f+é".into()
            }
        );
        assert_eq!(object.bucket(), Some("abc"));
    }

    #[test]
    fn a_host_that_says_the_bucket_leaves_the_key_to_the_path() {
        let parse = |path| Target::parse(Some("abc"), path);
        assert_eq!(parse("/").unwrap(), Target::Bucket("abc".into()));
        let object = |key: &str| Target::Object {
            bucket: "abc".into(),
            key: key.into(),
        };
        assert_eq!(parse("/d%20e/f").unwrap(), object("d e/f"));
        assert_eq!(parse("//f").unwrap(), object("/f"));
        assert!(Target::parse(Some("A_B"), "/").is_err());
    }

    #[test]
    fn bad_paths_are_refused_by_name() {
        assert_eq!(code("abc"), "InvalidURI");
        assert_eq!(code("/abc/%ff%fe"), "InvalidURI");
        assert_eq!(code("/abc/a/../../b"), "InvalidURI");
        assert_eq!(code("/abc/%2e%2e"), "InvalidURI");
        assert!(check_new_key("a/../b").is_err() && check_new_key("a..b/..c").is_ok());
        assert_eq!(code("/abc/a%00b"), "InvalidURI");
        assert_eq!(code("/ABC/a"), "InvalidBucketName");
        assert_eq!(code("/a/b"), "InvalidBucketName");
        assert!(parse(&format!("/abc/{}", "k".repeat(1024))).is_ok());
        assert_eq!(code(&format!("/abc/{}", "k".repeat(1025))), "KeyTooLongError");
        assert!(parse("/abc/..a/b..").is_ok());
    }

    #[test]
    fn queries_are_decoded() {
        let query = "a=1+2&b&%53ignature=x%2By";
        let pairs: Vec<_> = query_pairs(query).collect();
        assert_eq!(pairs[0], ("a".into(), "1 2".into()));
        assert_eq!(pairs[1], ("b".into(), String::new()));
        assert_eq!(query_value(Some(query), "Signature").as_deref(), Some("x+y"));
        assert_eq!(query_value(None, "a"), None);
    }
}
