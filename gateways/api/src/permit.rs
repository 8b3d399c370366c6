//! What a user may ask of the API: the same rules of access as in every other protocol.
//!
//! Whoever opened the socket may everything; an administrator's key everything that no policy forbids. The
//! past of a bucket is its owner's, and begins with the bucket: what was under its name before is not shown.
//! Where the path does not tell what an endpoint is about, its handler asks [`May`]. An endpoint that is not
//! named here is for the administrator.

use crate::ApiError;
use http::Method;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use std::net::SocketAddr;
use std::sync::Arc;
use stead_event::Position;
use stead_gateway::access::policy::{Key, Values};
use stead_gateway::access::{Action, Ask, Object};
use stead_gateway::{Caller, Identity, ObjectError, ReadContext};
use stead_view::ObjectRecord;

/// What an endpoint takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// A signature.
    Signed,
    /// What its handler asks [`May`]: the body tells what it is about.
    Handler,
    /// Permission for this action.
    Is(Action),
    /// To own the bucket, and that no policy forbids this action.
    Past(Action),
    /// To look at the whole node.
    Oversee,
    /// To be the administrator.
    Administrator,
}

/// Refuses what the caller may not ask.
pub(crate) fn permit(may: &May, request: &Parts) -> Result<(), ApiError> {
    let path = request.uri.path().strip_prefix("/api/v1/").unwrap_or_default();
    let query = request.uri.query().unwrap_or_default();
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut segments = path.splitn(3, '/');
    let first = segments.next().unwrap_or_default();
    let bucket = segments.next().map(decode).filter(|bucket| !bucket.is_empty());
    let key = segments.next().map(decode).filter(|key| !key.is_empty());
    match (rule(first, &request.method, key.is_some(), query), &bucket) {
        (Rule::Signed | Rule::Handler, _) => Ok(()),
        (Rule::Is(action), Some(bucket)) => {
            let version = value(query, "version");
            match &key {
                Some(key) => may.object(action, bucket, key, version.as_deref()),
                None => may.bucket(action, bucket),
            }
        }
        (Rule::Past(action), Some(bucket)) => may.past(action, bucket, key.as_deref()),
        (Rule::Oversee, _) => may.oversee(),
        _ => Ok(may.who.check_administrator()?),
    }
}

fn rule(first: &str, method: &Method, of_object: bool, query: &str) -> Rule {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let has = |name| value(query, name).is_some();
    match (first, method) {
        ("tokens", _) => Rule::Signed,
        ("overview" | "at" | "ipfs" | "buckets", _) if reads => match (first, of_object) {
            ("ipfs", _) | (_, false) => Rule::Signed,
            _ => Rule::Administrator,
        },
        ("buckets", &Method::PUT) if of_object => Rule::Administrator,
        ("buckets", &Method::PUT) => Rule::Is(Action::CreateBucket),
        ("buckets", &Method::DELETE) => Rule::Is(Action::DeleteBucket),
        ("timeline", _) => Rule::Past(Action::ListBucketVersions),
        ("meta" | "history", _) if of_object => Rule::Past(Action::GetObjectVersion),
        ("history", _) => Rule::Past(Action::ListBucketVersions),
        ("objects", _) if reads && of_object && has("at") => Rule::Past(Action::GetObjectVersion),
        ("objects", _) if reads && has("at") => Rule::Past(Action::ListBucketVersions),
        ("objects", _) if reads && of_object => Rule::Is(Action::GetObject),
        ("objects", _) if reads && has("versions") => Rule::Is(Action::ListBucketVersions),
        ("objects", _) if reads => Rule::Is(Action::ListBucket),
        ("objects", &Method::PUT) => Rule::Is(Action::PutObject),
        ("objects", &Method::DELETE) => Rule::Is(Action::DeleteObject),
        ("copy" | "undelete" | "presign" | "zip" | "uploads" | "ipfs" | "console", _) => Rule::Handler,
        ("log" | "events" | "why", _) => Rule::Handler,
        ("locks" | "guides", _) if reads => Rule::Signed,
        ("locks", &(Method::POST | Method::PUT | Method::DELETE)) => Rule::Handler,
        ("status" | "series" | "doctor" | "upkeep" | "cluster", _) if reads => Rule::Oversee,
        _ => Rule::Administrator,
    }
}

/// The caller of a request, asked whether it may do something. In the extensions of every request that is
/// not open to all.
#[derive(Clone)]
pub(crate) struct May {
    context: ReadContext,
    who: Arc<Identity>,
    known: Arc<Known>,
}

impl May {
    /// Of a request.
    pub(crate) fn new(context: &ReadContext, caller: &Caller, request: &Parts) -> Self {
        Self {
            context: context.clone(),
            who: caller.identity.clone(),
            known: Arc::new(Known::of(caller, request)),
        }
    }

    fn ask<'a>(&'a self, action: Action, bucket: &'a str, key: Option<&'a str>) -> Ask<'a> {
        Ask {
            key,
            ..Ask::bucket(&self.who, action, bucket).values(&*self.known)
        }
    }

    /// Something with a bucket.
    pub(crate) fn bucket(&self, action: Action, bucket: &str) -> Result<(), ApiError> {
        Ok(self.context.access().check(&self.ask(action, bucket, None))?)
    }

    /// Something with an object, or with the version of it that is named.
    pub(crate) fn object(
        &self,
        action: Action,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(), ApiError> {
        let ask = self.ask(action, bucket, Some(key)).version(version);
        Ok(self.context.access().check(&ask)?)
    }

    /// To read an object that was looked up already.
    pub(crate) fn read(&self, bucket: &str, key: &str, record: &ObjectRecord) -> Result<(), ApiError> {
        let ask = Ask {
            object: Object::There(record),
            ..self.ask(Action::GetObject, bucket, Some(key))
        };
        Ok(self.context.access().check(&ask)?)
    }

    /// Something with an upload.
    pub(crate) fn upload(
        &self,
        action: Action,
        bucket: &str,
        key: &str,
        upload: &str,
    ) -> Result<(), ApiError> {
        let ask = Ask {
            upload: Some(upload),
            ..self.ask(action, bucket, Some(key))
        };
        Ok(self.context.access().check(&ask)?)
    }

    /// To list what begins so.
    pub(crate) fn list(&self, bucket: &str, prefix: &str) -> Result<(), ApiError> {
        let known = Known {
            prefix: Some(prefix.to_owned()),
            ..(*self.known).clone()
        };
        let ask = self.ask(Action::ListBucket, bucket, None).values(&known);
        Ok(self.context.access().check(&ask)?)
    }

    /// That no policy forbids something which otherwise comes with what is permitted.
    pub(crate) fn not_denied(&self, action: Action, bucket: &str, key: &str) -> Result<(), ApiError> {
        let ask = self.ask(action, bucket, Some(key));
        Ok(self.context.access().check_not_denied(&ask)?)
    }

    /// To look into the past of a bucket, of which `action` reads.
    pub(crate) fn past(&self, action: Action, bucket: &str, key: Option<&str>) -> Result<(), ApiError> {
        let access = self.context.access();
        access.check_owner(&self.who, bucket)?;
        // The administrator also sees what was in a bucket that is gone, and whose policy is gone with it.
        if access.bucket(bucket)?.is_some() {
            access.check_not_denied(&self.ask(action, bucket, key))?;
        }
        Ok(())
    }

    /// Where the past of a bucket begins for the caller: what was there before under the same name was
    /// another bucket, and may have been somebody else's.
    pub(crate) fn since(&self, bucket: &str) -> Result<Position, ApiError> {
        if self.who.is_administrator() {
            return Ok(0);
        }
        Ok(self.context.access().existing(bucket)?.record.id)
    }

    /// [`Self::past`] at a moment, where one is asked for.
    pub(crate) fn at(&self, bucket: &str, at: Option<Position>) -> Result<(), ApiError> {
        match at {
            Some(at) if at < self.since(bucket)? => Err(ObjectError::NoSuchBucket(bucket.to_owned()).into()),
            _ => Ok(()),
        }
    }

    /// Whether the caller owns a bucket.
    pub(crate) fn owns(&self, bucket: &str) -> bool {
        self.context.access().check_owner(&self.who, bucket).is_ok()
    }

    /// To look at what is about the whole node.
    pub(crate) fn oversee(&self) -> Result<(), ApiError> {
        Ok(self.who.check_oversee()?)
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
#[derive(Clone)]
struct Known {
    remote: Option<String>,
    agent: Option<String>,
    referer: Option<String>,
    prefix: Option<String>,
    delimiter: Option<String>,
    limit: Option<String>,
}

impl Known {
    fn of(caller: &Caller, request: &Parts) -> Self {
        let header = |name: &str| {
            let value = request.headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let query = request.uri.query().unwrap_or_default();
        let remote = || {
            let remote: SocketAddr = caller.via.remote.as_ref()?.parse().ok()?;
            Some(remote.ip().to_canonical().to_string())
        };
        Self {
            remote: remote(),
            agent: header("user-agent"),
            referer: header("referer"),
            prefix: value(query, "prefix"),
            delimiter: value(query, "delimiter"),
            limit: value(query, "limit"),
        }
    }
}

impl Values for Known {
    fn get(&self, key: &Key) -> Option<Vec<String>> {
        let found = match key.name {
            "aws:SourceIp" => self.remote.clone(),
            "aws:SecureTransport" => Some("false".to_owned()),
            "aws:UserAgent" => self.agent.clone(),
            "aws:Referer" => self.referer.clone(),
            "s3:prefix" => self.prefix.clone(),
            "s3:delimiter" => self.delimiter.clone(),
            "s3:max-keys" => self.limit.clone(),
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
        let past = Rule::Past(Action::GetObjectVersion);
        assert_eq!(of("objects", Method::GET, true, "at=3"), past);
        let past = Rule::Past(Action::ListBucketVersions);
        assert_eq!(of("objects", Method::GET, false, "%61t=3"), past);
        assert_eq!(of("objects", Method::POST, true, ""), Rule::Administrator);
        for first in ["keys", "gc", "scrub", "disks", "view", "novelty", ""] {
            assert_eq!(of(first, Method::GET, false, ""), Rule::Administrator, "{first}");
        }
    }
}
