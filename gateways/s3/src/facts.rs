//! What a policy's conditions may ask of an S3 request: its headers, its query, and where it came from.

use crate::dates;
use crate::tags;
use crate::target::query_value;
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use std::net::SocketAddr;
use stead_event::{TextMap, Timestamp};
use stead_gateway::Caller;
use stead_gateway::access::policy::{Key, Values};

/// A request, to a condition. Nothing is read before it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who asks, through what.
    pub caller: &'a Caller,
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The request's query, as sent.
    pub query: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
    /// The tags that the request brings, where they are not in a header.
    pub tags: Option<&'a TextMap>,
    /// Whether the request goes on with an upload that its caller began.
    pub goes_on: bool,
}

/// What an object will be, as conditions call it: of an upload it is said once, when it is begun.
const OF_NEW: &[&str] = &[
    "s3:RequestObjectTag/",
    "s3:RequestObjectTagKeys",
    "s3:object-lock-legal-hold",
    "s3:object-lock-mode",
    "s3:object-lock-remaining-retention-days",
    "s3:object-lock-retain-until-date",
    "s3:x-amz-acl",
    "s3:x-amz-grant-full-control",
    "s3:x-amz-grant-read",
    "s3:x-amz-grant-read-acp",
    "s3:x-amz-grant-write",
    "s3:x-amz-grant-write-acp",
    "s3:x-amz-server-side-encryption",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-server-side-encryption-customer-algorithm",
    "s3:x-amz-storage-class",
    "s3:x-amz-website-redirect-location",
];

impl Facts<'_> {
    /// A header, or (of a presigned request, where some clients put them) the query's value of that name.
    pub fn header(&self, name: &str) -> Option<String> {
        match self.headers.get(name) {
            Some(value) => Some(String::from_utf8_lossy(value.as_bytes()).into_owned()),
            None => self
                .query
                .filter(|query| query.contains("X-Amz-Signature="))
                .and_then(|query| query_value(Some(query), name)),
        }
    }

    fn request_tags(&self) -> Option<TextMap> {
        match self.tags {
            Some(tags) => Some(tags.clone()),
            None => tags::from_header(&self.header("x-amz-tagging")?).ok(),
        }
    }

    fn is_presigned(&self) -> bool {
        let query = self.query.unwrap_or_default();
        query.contains("Signature=")
    }

    fn signature_version(&self) -> Option<&'static str> {
        if self.caller.identity.is_anonymous() {
            return None;
        }
        let query = self.query.unwrap_or_default();
        let old = self.is_presigned() && !query.contains("X-Amz-Signature=");
        Some(if old { "AWS" } else { "AWS4-HMAC-SHA256" })
    }

    fn auth_type(&self) -> Option<&'static str> {
        if self.caller.identity.is_anonymous() {
            return None;
        }
        Some(if self.headers.contains_key(header::AUTHORIZATION) {
            "REST-HEADER"
        } else if self.is_presigned() {
            "REST-QUERY-STRING"
        } else {
            "POST"
        })
    }

    /// Milliseconds since a presigned request was signed.
    fn signature_age(&self) -> Option<String> {
        let at = dates::basic(&query_value(self.query, "X-Amz-Date")?)?;
        Some(((self.now.as_micros() - at.as_micros()) / 1000).to_string())
    }

    fn retention_days(&self) -> Option<String> {
        let until: Timestamp = self.header("x-amz-object-lock-retain-until-date")?.parse().ok()?;
        Some(((until.as_micros() - self.now.as_micros()) / 86_400_000_000).to_string())
    }

    fn source_ip(&self) -> Option<String> {
        let remote: SocketAddr = self.caller.via.remote.as_ref()?.parse().ok()?;
        Some(remote.ip().to_canonical().to_string())
    }
}

/// `bucket/key` of a copy's source, decoded, without the slash that may stand before it.
fn copy_source(text: &str) -> String {
    let text = percent_decode_str(text).decode_utf8_lossy();
    text.strip_prefix('/').unwrap_or(&text).to_owned()
}

impl Values for Facts<'_> {
    fn is_judged(&self, key: &Key) -> bool {
        self.goes_on && OF_NEW.contains(&key.name)
    }

    fn get(&self, key: &Key) -> Option<Vec<String>> {
        let one = |value: Option<String>| value.map(|value| vec![value]);
        match key.name {
            "aws:SourceIp" => one(self.source_ip()),
            // The listener speaks plain HTTP.
            "aws:SecureTransport" => one(Some("false".into())),
            "aws:UserAgent" => one(self.header("user-agent")),
            "aws:Referer" => one(self.header("referer")),
            "s3:prefix" => one(query_value(self.query, "prefix")),
            "s3:delimiter" => one(query_value(self.query, "delimiter")),
            "s3:max-keys" => one(query_value(self.query, "max-keys")),
            "s3:if-match" => one(self.header("if-match")),
            "s3:if-none-match" => one(self.header("if-none-match")),
            "s3:signatureversion" => one(self.signature_version().map(Into::into)),
            "s3:authType" => one(self.auth_type().map(Into::into)),
            "s3:signatureAge" => one(self.signature_age()),
            "s3:object-lock-mode" => one(self.header("x-amz-object-lock-mode")),
            "s3:object-lock-legal-hold" => one(self.header("x-amz-object-lock-legal-hold")),
            "s3:object-lock-retain-until-date" => one(self.header("x-amz-object-lock-retain-until-date")),
            "s3:object-lock-remaining-retention-days" => one(self.retention_days()),
            "s3:x-amz-copy-source" => one(self.header("x-amz-copy-source").as_deref().map(copy_source)),
            "s3:RequestObjectTag/" => {
                let tags = self.request_tags()?;
                one(tags.get(key.tag.as_deref()?).cloned())
            }
            "s3:RequestObjectTagKeys" => {
                let tags = self.request_tags()?;
                Some(tags.keys().cloned().collect::<Vec<_>>()).filter(|keys| !keys.is_empty())
            }
            name => one(name
                .strip_prefix("s3:x-amz-")
                .and_then(|rest| self.header(&format!("x-amz-{rest}")))),
        }
    }
}
