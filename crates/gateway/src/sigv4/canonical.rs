//! The canonical request and the text that is signed, by the AWS documentation
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>).

use super::{Claim, Signable};
use http::HeaderMap;
use percent_encoding::percent_decode;
use sha2::{Digest, Sha256};
use stead_event::Timestamp;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Percent-encodes as AWS does: everything but the unreserved characters, upper-case digits.
pub(super) fn encode_into(out: &mut String, bytes: impl Iterator<Item = u8>, keep_slash: bool) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in bytes {
        if unreserved(byte) || (keep_slash && byte == b'/') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

fn path(out: &mut String, path: &str) {
    if path.is_empty() {
        out.push('/');
    }
    encode_into(out, percent_decode(path.as_bytes()), true);
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    if text.contains('+') {
        // A form's space; a plus sign itself is sent as %2B.
        let spaced = text.replace('+', "%20");
        encode_into(&mut out, percent_decode(spaced.as_bytes()), false);
    } else {
        encode_into(&mut out, percent_decode(text.as_bytes()), false);
    }
    out
}

/// The pairs of a query, percent-decoded.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn sorted_query(out: &mut String, query: &str) {
    let mut sorted: Vec<(String, String)> = pairs(query)
        .filter(|(name, _)| *name != "X-Amz-Signature")
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    sorted.sort_unstable();
    for (at, (name, value)) in sorted.iter().enumerate() {
        if at > 0 {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.push_str(value);
    }
}

/// A header's values: trimmed, inner runs of spaces made one, joined by commas.
fn header(out: &mut String, headers: &HeaderMap, name: &str) {
    out.push_str(name);
    out.push(':');
    for (at, value) in headers.get_all(name).iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        let text = String::from_utf8_lossy(value.as_bytes());
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        if let Some(first) = words.next() {
            out.push_str(first.trim());
        }
        for word in words {
            out.push(' ');
            out.push_str(word);
        }
    }
    out.push('\n');
}

/// SHA-256 (hexadecimal) of the canonical request.
pub(super) fn request_hash(request: &Signable<'_>, signed_headers: &[String], payload: &str) -> String {
    let mut text = String::with_capacity(512);
    text.push_str(request.method.as_str());
    text.push('\n');
    path(&mut text, request.path);
    text.push('\n');
    sorted_query(&mut text, request.query);
    text.push('\n');
    for name in signed_headers {
        header(&mut text, request.headers, name);
    }
    text.push('\n');
    for (at, name) in signed_headers.iter().enumerate() {
        if at > 0 {
            text.push(';');
        }
        text.push_str(name);
    }
    text.push('\n');
    text.push_str(payload);
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// What is signed.
pub(super) fn string_to_sign(claim: &Claim, request_hash: &str) -> String {
    let at = basic(claim.at);
    format!("{ALGORITHM}\n{at}\n{}\n{request_hash}", scope(claim))
}

/// `date/region/service/aws4_request`.
pub(super) fn scope(claim: &Claim) -> String {
    format!("{}/{}/{}/aws4_request", claim.date, claim.region, claim.service)
}

/// ISO 8601's basic form: `20130524T000000Z`.
pub(super) fn basic(at: Timestamp) -> String {
    let at = at.to_datetime();
    let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        at.hour(),
        at.minute(),
        at.second()
    )
}
