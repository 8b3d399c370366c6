//! What every answer tells the browser, so that nothing stored here can act in the console's name.
//!
//! Promises: pages load only from this origin and cannot be framed; an answer of the API that a browser
//! opens by itself is a sandboxed download, whatever type the object was given by whoever stored it; images
//! of a few harmless kinds keep their type, so that they can be looked at in the console.

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, Uri};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The policy of the console's own pages.
pub const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
     connect-src 'self'; manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
/// The policy of everything that comes from the API: a document made of it can do nothing.
pub const DATA_POLICY: &str =
    "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Kinds of images that cannot carry scripts. (SVG can.)
const PICTURES: &[&str] = &[
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/bmp",
];
/// What the API answers by itself; with `nosniff` and the policy above none of it is active.
const PLAIN: &[&str] = &[
    "application/json",
    "application/problem+json",
    "application/x-ndjson",
    "application/zip",
    "application/vnd.ipld.car",
    "application/vnd.ipld.raw",
    "text/event-stream",
    "text/plain",
];

const OPENER: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// On everything.
pub(crate) fn always(headers: &mut HeaderMap) {
    set(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(headers, REFERRER_POLICY, "no-referrer");
    set(headers, X_FRAME_OPTIONS, "DENY");
    set(headers, OPENER, "same-origin");
    set(headers, RESOURCE, "same-origin");
    set(
        headers,
        PERMISSIONS,
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    );
    headers
        .entry(CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(PAGE_POLICY));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// On what the API answered.
pub(crate) fn data(headers: &mut HeaderMap, uri: &Uri) {
    set(headers, CONTENT_SECURITY_POLICY, DATA_POLICY);
    set(headers, CACHE_CONTROL, "no-store");
    // An object's headers are whoever's who stored it.
    headers.remove(SET_COOKIE);
    for name in [
        "clear-site-data",
        "refresh",
        "link",
        "service-worker-allowed",
        "location",
    ] {
        headers.remove(name);
    }
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .map(|value| {
            value
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase()
        })
        .unwrap_or_default();
    let content = is_content(uri.path());
    if PICTURES.contains(&kind.as_str()) || (!content && PLAIN.contains(&kind.as_str())) {
        // As it is.
    } else if kind == "text/plain" {
        set(headers, CONTENT_TYPE, "text/plain; charset=utf-8");
    } else {
        set(headers, CONTENT_TYPE, "application/octet-stream");
    }
    if content {
        headers.insert(CONTENT_DISPOSITION, attachment(uri.path()));
    }
}

/// Whether the answer's bytes may be an object's: only then are they anybody's.
fn is_content(path: &str) -> bool {
    path.strip_prefix("/api/v1/objects/")
        .is_some_and(|rest| rest.contains('/'))
}

/// A download by the last part of the key.
fn attachment(path: &str) -> HeaderValue {
    let key = percent_decode_str(path).decode_utf8_lossy();
    let name = key.rsplit('/').find(|part| !part.is_empty()).unwrap_or("object");
    let text = format!(
        "attachment; filename*=UTF-8''{}",
        utf8_percent_encode(name, NON_ALPHANUMERIC)
    );
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(path: &str, kind: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("inline"));
        headers.insert(SET_COOKIE, HeaderValue::from_static("a=b"));
        data(&mut headers, &path.parse().unwrap());
        always(&mut headers);
        headers
    }

    #[test]
    fn stored_content_is_never_active() {
        for kind in [
            "text/html",
            "image/svg+xml",
            "text/xml",
            "application/javascript",
            "text/html;image/png",
            "x",
        ] {
            let headers = through("/api/v1/objects/b/a%2Fevil.html", kind);
            assert_eq!(headers[CONTENT_TYPE], "application/octet-stream", "{kind}");
            assert_eq!(
                headers[CONTENT_DISPOSITION],
                "attachment; filename*=UTF-8''evil%2Ehtml"
            );
            assert_eq!(headers[CONTENT_SECURITY_POLICY], DATA_POLICY);
            assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
            assert!(!headers.contains_key(SET_COOKIE));
        }
    }

    #[test]
    fn pictures_and_the_apis_own_documents_keep_their_type() {
        assert_eq!(
            through("/api/v1/objects/b/k", "image/PNG")[CONTENT_TYPE],
            "image/PNG"
        );
        let json = through("/api/v1/objects/b", "application/json");
        assert_eq!(json[CONTENT_TYPE], "application/json");
        assert_eq!(json[CONTENT_DISPOSITION], "inline", "a listing is no object");
        assert_eq!(
            through("/api/v1/events", "text/event-stream")[CONTENT_TYPE],
            "text/event-stream"
        );
        assert_eq!(
            through("/api/v1/x", "text/html")[CONTENT_TYPE],
            "application/octet-stream"
        );
    }
}
