//! Requests: the content path, the query, and what else decides the answer.

use crate::answer::Refusal;
use crate::format::Format;
use http::request::Parts;
use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// What a path keeps encoded in headers and links: all that could end it or mean something else.
pub const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'\'')
    .add(b'&')
    .add(b'\\');

/// Immutable or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// `/ipfs/`: a CID, which always means the same.
    Ipfs,
    /// `/ipns/`: a name, which means something else tomorrow.
    Ipns,
}

impl Namespace {
    /// As in paths.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ipfs => "ipfs",
            Self::Ipns => "ipns",
        }
    }
}

/// What is asked for.
#[derive(Clone)]
pub struct Request {
    /// GET or HEAD.
    pub head: bool,
    /// Where the root is looked up.
    pub namespace: Namespace,
    /// The CID or name, as it was written.
    pub root: String,
    /// Decoded, without empty ones.
    pub path: Vec<String>,
    /// Whether the path ends with a slash.
    pub slash: bool,
    /// The path as it was sent: what a redirect adds a slash to.
    pub sent: String,
    /// Whether the root came by the host's name, so that it is not in the path.
    pub by_host: bool,
    /// The query, as it was sent.
    pub query: Option<String>,
    /// The headers.
    pub headers: HeaderMap,
}

impl Request {
    /// Takes `/ipfs/…` and `/ipns/…` apart; `None` for any other path.
    pub fn of(parts: &Parts) -> Result<Option<Self>, Refusal> {
        let sent = parts.uri.path();
        let (namespace, rest) = match (sent.strip_prefix("/ipfs/"), sent.strip_prefix("/ipns/")) {
            (Some(rest), _) => (Namespace::Ipfs, rest),
            (_, Some(rest)) => (Namespace::Ipns, rest),
            _ => return Ok(None),
        };
        let (root, below) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Some(Self {
            head: parts.method == Method::HEAD,
            namespace,
            root: decode(root)?,
            path: segments(below)?,
            slash: sent.ends_with('/'),
            sent: sent.to_owned(),
            by_host: false,
            query: parts.uri.query().map(str::to_owned),
            headers: parts.headers.clone(),
        }))
    }

    /// The path as the client sent it to its host.
    pub fn below_host(&self) -> String {
        let prefix = format!("/{}/", self.namespace.name());
        let rest = self.sent.strip_prefix(&prefix).unwrap_or(&self.sent);
        match rest.split_once('/') {
            Some((_, below)) if self.by_host => format!("/{below}"),
            _ => self.sent.clone(),
        }
    }

    /// The same request for another path below its root. A directory is meant as with a slash.
    pub fn with_path(&self, path: Vec<String>) -> Self {
        Self {
            path,
            slash: true,
            ..self.clone()
        }
    }

    /// A parameter of the query, decoded.
    pub fn parameter(&self, name: &str) -> Option<String> {
        parameter(self.query.as_deref()?, name)
    }

    /// The content path, as `X-Ipfs-Path` has it.
    pub fn content_path(&self) -> String {
        let mut path = format!("/{}/{}", self.namespace.name(), encode(&self.root));
        for segment in &self.path {
            path.push('/');
            path.push_str(&encode(segment));
        }
        if self.slash {
            path.push('/');
        }
        path
    }

    /// Whether a service worker would get the whole of a root without its slash, and so other roots.
    pub fn is_too_wide_a_worker(&self) -> bool {
        let script = self
            .headers
            .get("service-worker")
            .is_some_and(|kind| kind == "script");
        script && !self.by_host && self.path.is_empty() && !self.slash
    }

    /// Whether only what is here already is wanted.
    pub fn only_if_cached(&self) -> bool {
        let asked = self.header(&http::header::CACHE_CONTROL).unwrap_or_default();
        asked
            .split(',')
            .any(|directive| directive.trim() == "only-if-cached")
    }

    /// The address of just this form, where a header chose it, so that caches can tell it from others.
    pub fn content_location(&self, format: Format) -> Option<String> {
        if self.parameter("format").is_some() {
            return None;
        }
        let query = self
            .query
            .as_ref()
            .map(|query| format!("{query}&"))
            .unwrap_or_default();
        Some(format!("{}?{query}format={}", self.below_host(), format.name()?))
    }

    /// The first value of a header, where it is text.
    pub fn header(&self, name: &http::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A parameter of a query, decoded.
pub fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| {
            percent_decode_str(&text.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned()
        };
        (decoded(key) == name).then(|| decoded(value))
    })
}

/// A segment as it stands in a path.
pub fn encode(segment: &str) -> Cow<'_, str> {
    utf8_percent_encode(segment, PATH).into()
}

fn decode(text: &str) -> Result<String, Refusal> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| Refusal::Bad("the path is not UTF-8".into()))?;
    if decoded.contains('\0') {
        return Err(Refusal::Bad("the path has a NUL in it".into()));
    }
    Ok(decoded.into_owned())
}

/// A path's segments, decoded.
pub fn segments(path: &str) -> Result<Vec<String>, Refusal> {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .map(decode)
        .collect()
}
