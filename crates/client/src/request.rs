//! Requests: URLs without escaping mistakes, and bodies.

use crate::{BodyError, Error};
use bytes::Bytes;
use futures::Stream;
use futures::TryStreamExt;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use std::fmt;

/// The body of a request.
pub type Body = BoxBody<Bytes, BodyError>;

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

/// A request.
pub fn request(method: Method, url: &Url, body: Body) -> Result<Request<Body>, Error> {
    Request::builder()
        .method(method)
        .uri(url.to_string())
        .body(body)
        .map_err(|e| Error::Invalid(format!("this does not make a request: {e}")))
}

/// A request whose body is JSON.
pub fn json_request(method: Method, url: &Url, value: &impl Serialize) -> Result<Request<Body>, Error> {
    let text = serde_json::to_vec(value).map_err(|e| Error::Invalid(e.to_string()))?;
    let mut request = request(method, url, body_of(text.into()))?;
    request
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(request)
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
        stream.map_ok(Frame::data).map_err(BodyError::from),
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
