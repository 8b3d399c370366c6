//! `/ipfs/?uri=ipfs://…`: what a browser opens that was told to send such addresses here.

use crate::answer::{self, Answer, Refusal};
use crate::request::{self, parameter};
use http::StatusCode;
use http::request::Parts;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What a header cannot have in it; all else is as whoever asks wrote it.
const BARE: &AsciiSet = &CONTROLS.add(b' ');

/// The redirect that a request asks for; `None` where it does not.
pub fn router(parts: &Parts) -> Option<Result<Answer, Refusal>> {
    if !matches!(parts.uri.path().trim_end_matches('/'), "/ipfs" | "/ipns") {
        return None;
    }
    let uri = parameter(parts.uri.query()?, "uri")?;
    Some(match content_path(&uri) {
        Some(path) => Ok(answer::redirect(StatusCode::MOVED_PERMANENTLY, &path)),
        None => Err(Refusal::Bad("uri is neither ipfs://CID nor ipns://NAME".into())),
    })
}

fn content_path(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once("://")?;
    if !matches!(scheme, "ipfs" | "ipns") {
        return None;
    }
    let (rest, query) = rest
        .split_once('?')
        .map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (root, below) = rest
        .split_once('/')
        .map_or((rest, None), |(root, below)| (root, Some(below)));
    if root.is_empty() {
        return None;
    }
    let mut path = format!("/{scheme}/{}", request::encode(root));
    if let Some(below) = below {
        // It was encoded once more than it is to be, or not at all: `%` stays.
        path.push('/');
        path.push_str(&utf8_percent_encode(below, BARE).to_string());
    }
    if let Some(query) = query {
        path.push('?');
        path.push_str(&utf8_percent_encode(query, BARE).to_string());
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_paths_of_this_host() {
        let path = |uri| content_path(uri);
        assert_eq!(path("ipfs://bafy").as_deref(), Some("/ipfs/bafy"));
        assert_eq!(
            path("ipns://k51/a/b c?x=1").as_deref(),
            Some("/ipns/k51/a/b%20c?x=1")
        );
        assert_eq!(
            path("ipfs://bafy//evil.example").as_deref(),
            Some("/ipfs/bafy//evil.example")
        );
        for uri in [
            "https://evil.example",
            "ipfs://",
            "ipfs:bafy",
            "//evil.example",
            "",
            "ipfs:///x",
        ] {
            assert_eq!(path(uri), None, "{uri}");
        }
    }
}
