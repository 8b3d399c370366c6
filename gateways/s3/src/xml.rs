//! What XML 1.0 cannot hold, or does not give back as it was written.
//!
//! Owns: the replacement of characters that have no place in a document, and carriage returns. `s3s` writes
//! both as they are: a reader refuses the whole document for the former, and takes the latter for line feeds.
//! Never: touches the bytes of an object.

use http::Response;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use s3s::Body;

/// Whether XML 1.0 has no way to write a character, not even as a reference (section 2.2, `Char`).
pub fn is_forbidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// Text with the replacement character for what a document cannot hold.
pub fn printable(text: &str) -> String {
    text.replace(is_forbidden, "\u{fffd}")
}

/// Writes the carriage returns in an answer's document as references: raw ones are read as line feeds (XML
/// 1.0, section 2.11). Anything but a document in memory is left as it is. An answer that carries an
/// object's bytes must not come here: it may look just the same.
pub fn keep_returns(mut answer: Response<Body>) -> Response<Body> {
    let is_xml = answer
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/xml"));
    if !is_xml {
        return answer;
    }
    let Some(document) = answer.body().bytes().filter(|bytes| bytes.contains(&b'\r')) else {
        return answer;
    };
    let mut written = Vec::with_capacity(document.len() + 64);
    for &byte in &document {
        match byte {
            b'\r' => written.extend_from_slice(b"&#13;"),
            _ => written.push(byte),
        }
    }
    answer.headers_mut().remove(CONTENT_LENGTH); // of the document as it was
    *answer.body_mut() = Body::from(written);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn only_what_xml_cannot_hold_is_replaced() {
        assert_eq!(
            printable("a\u{1}b\u{fffe}c\u{ffff}"),
            "a\u{fffd}b\u{fffd}c\u{fffd}"
        );
        for kept in ["", "a\t\r\n b", "ä\u{7f}\u{e000}\u{fffd}\u{10ffff}", "<&>"] {
            assert_eq!(printable(kept), kept);
        }
    }

    fn kept(kind: &'static str, body: &'static str) -> Response<Body> {
        let mut answer = Response::new(Body::from(body.to_owned()));
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        keep_returns(answer)
    }

    #[test]
    fn carriage_returns_in_documents_become_references() {
        let answer = kept("application/xml", "<Key>a\rb\r\nä</Key>");
        assert_eq!(answer.body().bytes().unwrap(), "<Key>a&#13;b&#13;\nä</Key>");
        assert!(!answer.headers().contains_key(CONTENT_LENGTH));
        for (kind, body) in [("application/xml", "<Key>a\nb</Key>"), ("text/plain", "a\rb")] {
            let answer = kept(kind, body);
            assert_eq!(answer.body().bytes().unwrap(), body);
            assert!(answer.headers().contains_key(CONTENT_LENGTH));
        }
    }
}
