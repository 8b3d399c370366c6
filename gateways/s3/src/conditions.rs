//! Conditional requests: `If-Match` and its three companions, for reading, for copying, and for writing.
//!
//! The order in which they count is that of RFC 9110 §13.2.2, which is also what S3 documents for the two
//! pairs that contradict each other.

use crate::dates;
use http::HeaderMap;
use http::header::{HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};

/// What a condition found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Met,
    /// The client has this state already.
    NotModified,
    /// Not what the client expected.
    Failed,
}

/// The names of the four headers.
#[derive(Debug)]
pub struct Names([HeaderName; 4]);

/// `If-Match` and companions, for GET and HEAD.
pub const READ: Names = Names([IF_MATCH, IF_UNMODIFIED_SINCE, IF_NONE_MATCH, IF_MODIFIED_SINCE]);

/// `x-amz-copy-source-if-match` and companions.
pub const COPY: Names = Names([
    HeaderName::from_static("x-amz-copy-source-if-match"),
    HeaderName::from_static("x-amz-copy-source-if-unmodified-since"),
    HeaderName::from_static("x-amz-copy-source-if-none-match"),
    HeaderName::from_static("x-amz-copy-source-if-modified-since"),
]);

/// Judges the headers against an ETag (without quotes) and a time of change in whole seconds since the
/// epoch. A date that does not parse counts as absent.
pub fn judge(names: &Names, headers: &HeaderMap, etag: &str, changed: i64) -> Verdict {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let Names([matches, unmodified, none_match, modified]) = names;
    if let Some(expected) = text(matches) {
        if !any_tag(expected, etag) {
            return Verdict::Failed;
        }
    } else if text(unmodified)
        .and_then(dates::parse_http)
        .is_some_and(|since| changed > since)
    {
        return Verdict::Failed;
    }
    if let Some(known) = text(none_match) {
        if any_tag(known, etag) {
            return Verdict::NotModified;
        }
    } else if text(modified)
        .and_then(dates::parse_http)
        .is_some_and(|since| changed <= since)
    {
        return Verdict::NotModified;
    }
    Verdict::Met
}

/// Whether a list of tags (`*`, or quoted or bare tags with commas between) names `etag`.
pub fn any_tag(list: &str, etag: &str) -> bool {
    list.split(',').map(bare_tag).any(|tag| tag == "*" || tag == etag)
}

/// A tag without its quotes and its weakness.
pub fn bare_tag(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'))
        .unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGED: i64 = 784_111_777; // Sun, 06 Nov 1994 08:49:37 GMT
    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

    fn verdict(pairs: &[(&'static str, &str)]) -> Verdict {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        judge(&READ, &headers.collect(), "abc", CHANGED)
    }

    #[test]
    fn single_conditions() {
        assert_eq!(verdict(&[]), Verdict::Met);
        assert_eq!(verdict(&[("if-match", "\"abc\"")]), Verdict::Met);
        assert_eq!(verdict(&[("if-match", "abc")]), Verdict::Met);
        assert_eq!(verdict(&[("if-match", "*")]), Verdict::Met);
        assert_eq!(verdict(&[("if-match", "\"x\", \"abc\"")]), Verdict::Met);
        assert_eq!(verdict(&[("if-match", "\"x\"")]), Verdict::Failed);
        assert_eq!(verdict(&[("if-none-match", "\"abc\"")]), Verdict::NotModified);
        assert_eq!(verdict(&[("if-none-match", "\"x\"")]), Verdict::Met);
        assert_eq!(verdict(&[("if-modified-since", THEN)]), Verdict::NotModified);
        assert_eq!(verdict(&[("if-modified-since", BEFORE)]), Verdict::Met);
        assert_eq!(verdict(&[("if-unmodified-since", THEN)]), Verdict::Met);
        assert_eq!(verdict(&[("if-unmodified-since", BEFORE)]), Verdict::Failed);
        assert_eq!(verdict(&[("if-modified-since", "yesterday")]), Verdict::Met);
    }

    #[test]
    fn a_tag_outweighs_a_date() {
        assert_eq!(
            verdict(&[("if-match", "abc"), ("if-unmodified-since", BEFORE)]),
            Verdict::Met
        );
        assert_eq!(
            verdict(&[("if-none-match", "abc"), ("if-modified-since", BEFORE)]),
            Verdict::NotModified
        );
        assert_eq!(
            verdict(&[("if-none-match", "x"), ("if-modified-since", THEN)]),
            Verdict::Met
        );
    }
}
