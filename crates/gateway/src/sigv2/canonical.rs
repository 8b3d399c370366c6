//! The text that is signed.

use crate::sigv4::Signable;
use http::HeaderMap;
use percent_encoding::percent_decode_str;
use std::fmt::Write as _;

/// Parameters that are part of the canonicalized resource, in byte order: the documentation's list, and
/// the sub-resources that came later and that its SDKs sign.
const SIGNED: [&str; 35] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

pub(super) fn is_signed(name: &str) -> bool {
    SIGNED.contains(&name)
}

/// The names and values of a query, decoded as a form's (`+` is a space), in the order they stand.
pub fn pairs(query: &str) -> impl Iterator<Item = (String, String)> + '_ {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// The header (lower case) that a presigned URL of this version carries as the query parameter `name`:
/// `x-amz-*`, `content-type` and `content-md5`. The URL's value stands in for what the client sends.
pub fn header_name(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let carried = name.starts_with("x-amz-") || matches!(name.as_str(), "content-type" | "content-md5");
    carried.then_some(name)
}

/// What is signed; `None` where a header cannot be part of it.
pub(super) fn string_to_sign(
    request: &Signable<'_>,
    query: &[(String, String)],
    expires: &str,
) -> Option<String> {
    let mut text = String::with_capacity(256);
    let md5 = single(request.headers, "content-md5")?;
    let kind = single(request.headers, "content-type")?;
    write!(text, "{}\n{md5}\n{kind}\n{expires}\n", request.method).ok()?;
    amz_headers(&mut text, request.headers)?;
    // Undecoded, as sent: it begins with the bucket, since there are only path-style addresses.
    text.push_str(request.path);
    resource_query(&mut text, query);
    Some(text)
}

/// A header that may stand there once; empty where it does not.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Some(""),
        (Some(value), None) => std::str::from_utf8(value.as_bytes()).ok(),
        (Some(_), Some(_)) => None,
    }
}

/// Every `x-amz-*` header, sorted, repeated ones joined by commas.
fn amz_headers(text: &mut String, headers: &HeaderMap) -> Option<()> {
    let mut names: Vec<&str> = headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| name.starts_with("x-amz-"))
        .collect();
    names.sort_unstable();
    for name in names {
        text.push_str(name);
        for (at, value) in headers.get_all(name).iter().enumerate() {
            text.push(if at == 0 { ':' } else { ',' });
            text.push_str(std::str::from_utf8(value.as_bytes()).ok()?.trim());
        }
        text.push('\n');
    }
    Some(())
}

/// The signed parameters, sorted, with their decoded values; a parameter without a value is its name alone.
fn resource_query(text: &mut String, query: &[(String, String)]) {
    let mut lead = '?';
    for name in SIGNED {
        let Some((_, value)) = query.iter().find(|(found, _)| found == name) else {
            continue;
        };
        text.push(lead);
        text.push_str(name);
        if !value.is_empty() {
            text.push('=');
            text.push_str(value);
        }
        lead = '&';
    }
}
