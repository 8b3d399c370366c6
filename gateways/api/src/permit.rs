//! What a user may ask of the API: the same rules of access as in every other protocol.
//!
//! The administrator, and whoever opened the socket, may everything. What shows more than the present state
//! of one object (history, other moments, versions) is the bucket owner's. An endpoint that is not named here
//! is for the administrator, and for keys that were made with a scope, which it checks itself.

use crate::ApiError;
use http::Method;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use std::net::SocketAddr;
use stead_gateway::access::policy::{Key, Values};
use stead_gateway::access::{Action, Ask};
use stead_gateway::{Caller, ReadContext};

/// What an endpoint takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// A signature.
    Signed,
    /// Permission for this action.
    Is(Action),
    /// To own the bucket.
    Owner,
    /// To be the administrator, or a key with a scope.
    Other,
}

/// Refuses what the caller may not ask.
pub(crate) fn permit(context: &ReadContext, caller: &Caller, request: &Parts) -> Result<(), ApiError> {
    let who = &caller.identity;
    if who.is_administrator() {
        return Ok(());
    }
    let path = request.uri.path().strip_prefix("/api/v1/").unwrap_or_default();
    let query = request.uri.query().unwrap_or_default();
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut segments = path.splitn(3, '/');
    let first = segments.next().unwrap_or_default();
    let bucket = segments.next().map(decode).filter(|bucket| !bucket.is_empty());
    let key = segments.next().map(decode).filter(|key| !key.is_empty());
    let access = context.access();
    match (rule(first, &request.method, key.is_some(), query), &bucket) {
        (Rule::Signed, _) => Ok(()),
        (Rule::Is(action), Some(bucket)) => {
            let known = Known { caller, request };
            let version = value(query, "version");
            let ask = Ask {
                key: key.as_deref(),
                ..Ask::bucket(who, action, bucket)
            };
            Ok(access.check(&ask.version(version.as_deref()).values(&known))?)
        }
        (Rule::Owner, Some(bucket)) => Ok(access.check_owner(who, bucket)?),
        _ if access.is_scoped(who)? => Ok(()),
        _ => Ok(who.check_administrator()?),
    }
}

fn rule(first: &str, method: &Method, of_object: bool, query: &str) -> Rule {
    let past = ["at", "versions"].iter().any(|name| value(query, name).is_some());
    match (first, method) {
        ("status" | "overview" | "series" | "at" | "tokens", _) => Rule::Signed,
        ("buckets", &Method::GET) => Rule::Signed,
        ("buckets", &Method::PUT) => Rule::Is(Action::CreateBucket),
        ("buckets", &Method::DELETE) => Rule::Is(Action::DeleteBucket),
        ("timeline" | "meta" | "history", _) => Rule::Owner,
        ("objects", &Method::GET | &Method::HEAD) if past => Rule::Owner,
        ("objects", &Method::GET | &Method::HEAD) if of_object => Rule::Is(Action::GetObject),
        ("objects", &Method::GET) => Rule::Is(Action::ListBucket),
        ("objects", &Method::PUT) => Rule::Is(Action::PutObject),
        ("objects", &Method::DELETE) => Rule::Is(Action::DeleteObject),
        _ => Rule::Other,
    }
}

/// The first value of a name in a query.
fn value(query: &str, name: &str) -> Option<String> {
    let mut pairs = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.find(|(found, _)| percent_decode_str(found).decode_utf8_lossy() == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// What a condition may ask of the request.
struct Known<'a> {
    caller: &'a Caller,
    request: &'a Parts,
}

impl Values for Known<'_> {
    fn get(&self, key: &Key) -> Option<Vec<String>> {
        let header = |name: &str| {
            let value = self.request.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let query = self.request.uri.query().unwrap_or_default();
        let found = match key.name {
            "aws:SourceIp" => {
                let remote: SocketAddr = self.caller.via.remote.as_ref()?.parse().ok()?;
                Some(remote.ip().to_canonical().to_string())
            }
            "aws:SecureTransport" => Some("false".to_owned()),
            "aws:UserAgent" => header("user-agent"),
            "aws:Referer" => header("referer"),
            "s3:prefix" => value(query, "prefix"),
            "s3:delimiter" => value(query, "delimiter"),
            "s3:max-keys" => value(query, "limit"),
            _ => None,
        };
        found.map(|value| vec![value])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_not_for_everybody() {
        let of = |first, method: Method, object, query| rule(first, &method, object, query);
        assert_eq!(of("objects", Method::GET, true, ""), Rule::Is(Action::GetObject));
        assert_eq!(of("objects", Method::GET, true, "at=3"), Rule::Owner);
        assert_eq!(of("objects", Method::GET, false, "%61t=3"), Rule::Owner);
        assert_eq!(of("objects", Method::POST, true, ""), Rule::Other);
        for first in ["keys", "log", "events", "zip", "copy", "gc", "novelty", ""] {
            assert_eq!(of(first, Method::GET, false, ""), Rule::Other, "{first}");
        }
    }
}
