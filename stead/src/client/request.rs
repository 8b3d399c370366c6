//! Requests: URLs without escaping mistakes, and bodies.

use super::BodyFailure;
use bytes::Bytes;
use futures::Stream;
use futures::TryStreamExt;
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::fmt;

/// The body of a request.
pub type Body = BoxBody<Bytes, BodyFailure>;

/// All but what RFC 3986 §2.3 leaves alone.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// The same, for keys: a slash stays one.
const KEY: &AsciiSet = &SEGMENT.remove(b'/');

/// Path and query of a request.
#[derive(Clone)]
pub struct Url {
    path: String,
    query: String,
}

impl Url {
    /// From an endpoint's name, as it is: `/api/v1/status`.
    pub fn new(endpoint: &str) -> Self {
        Self {
            path: endpoint.to_owned(),
            query: String::new(),
        }
    }

    /// Adds a segment.
    pub fn segment(mut self, text: &str) -> Self {
        self.path.push('/');
        self.path.extend(utf8_percent_encode(text, SEGMENT));
        self
    }

    /// Adds a key, whose slashes stay.
    pub fn key(mut self, key: &str) -> Self {
        self.path.push('/');
        self.path.extend(utf8_percent_encode(key, KEY));
        self
    }

    /// Adds a query parameter.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.push_str(name);
        self.query.push('=');
        self.query.extend(utf8_percent_encode(value, SEGMENT));
        self
    }

    /// Adds a query parameter where there is a value.
    pub fn maybe(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.query.is_empty() {
            Ok(())
        } else {
            write!(f, "?{}", self.query)
        }
    }
}

/// No body.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed()
}

/// Bytes that are all there.
pub fn body_of(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(|never| match never {}).boxed()
}

/// Bytes that come.
pub fn streamed<S>(stream: S) -> Body
where
    S: Stream<Item = std::io::Result<Bytes>> + Send + Sync + 'static,
{
    BodyExt::boxed(StreamBody::new(
        stream.map_ok(Frame::data).map_err(BodyFailure::from),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_their_place() {
        let url = Url::new("/api/v1/objects")
            .segment("b")
            .key("a b/ü?#%..")
            .with("at", "1&2")
            .maybe("x", None);
        assert_eq!(
            url.to_string(),
            "/api/v1/objects/b/a%20b/%C3%BC%3F%23%25..?at=1%262"
        );
    }
}
