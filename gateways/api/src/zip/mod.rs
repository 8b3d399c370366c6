//! Many objects as one zip, made while it is sent.
//!
//! Promises: the whole is as of one position; its length is known before the first byte; memory is bounded
//! (one block ahead, and a directory entry for each of at most 100,000 objects); no entry's name leads out of
//! the folder that it is unpacked into.

mod format;
mod names;

use crate::gateway::Shared;
use crate::objects::position;
use crate::permit::May;
use crate::{ApiError, body, wire};
use axum::Extension;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, Digest};
use format::{Directory, Entry};
use futures::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, header};
use names::Names;
use percent_encoding::percent_decode_str;
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use stead_event::{Position, Timestamp};
use stead_gateway::access::Action;
use stead_gateway::objects::{GetRequest, ObjectBody};
use stead_gateway::{Caller, ObjectError};
use stead_view::{ListQuery, ObjectRecord};

/// Objects in one zip at most.
const MOST: usize = 100_000;
/// Keys listed at once.
const PAGE: usize = 1000;

/// The query of a zip that is fetched by its URL. Only described by this: it is read by hand, because
/// `key` and `prefix` may come more than once.
#[derive(Deserialize, JsonSchema)]
#[allow(dead_code)]
pub(crate) struct Asked {
    bucket: String,
    /// May come more than once.
    #[serde(default)]
    key: Vec<String>,
    /// May come more than once.
    #[serde(default)]
    prefix: Vec<String>,
    /// A position of the log, or a moment (RFC 3339).
    at: Option<String>,
}

/// `GET /api/v1/zip?bucket=&key=&prefix=&at=`
pub(crate) async fn get(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    answer(&shared, caller, &may, asked(query.as_deref().unwrap_or_default()))
}

/// `POST /api/v1/zip`
pub(crate) async fn post(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted = body::json(&headers, body).await?;
    answer(&shared, caller, &may, wanted)
}

fn asked(query: &str) -> wire::Zip {
    let mut wanted = wire::Zip::default();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = value.replace('+', " ");
        let value = percent_decode_str(&value).decode_utf8_lossy().into_owned();
        match name {
            "bucket" => wanted.bucket = value,
            "key" => wanted.keys.push(value),
            "prefix" => wanted.prefixes.push(value),
            "at" => wanted.at = Some(value),
            _ => {}
        }
    }
    wanted
}

fn answer(shared: &Arc<Shared>, caller: Caller, may: &May, wanted: wire::Zip) -> Result<Response, ApiError> {
    let (plan, at) = plan(shared, &caller, may, &wanted)?;
    let length = format::length(plan.iter().map(|item| (item.name.as_str(), item.size)));
    let making = Making {
        shared: shared.clone(),
        caller,
        bucket: wanted.bucket.clone(),
        at,
        plan: plan.into_iter(),
        directory: Directory::default(),
        current: None,
        done: false,
    };
    let mut response = Response::new(Body::from_stream(making.stream()));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    // Names of buckets are harmless in a header.
    let attachment = format!("attachment; filename=\"{}.zip\"", wanted.bucket);
    if let Ok(value) = HeaderValue::from_str(&attachment) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    shared.context().metrics.sent("api", length);
    Ok(response)
}

/// An object that goes in.
struct Item {
    key: String,
    name: String,
    size: u64,
    modified: Timestamp,
}

fn plan(
    shared: &Shared,
    caller: &Caller,
    may: &May,
    wanted: &wire::Zip,
) -> Result<(Vec<Item>, Position), ApiError> {
    if wanted.keys.is_empty() && wanted.prefixes.is_empty() {
        return Err(ApiError::invalid("name keys or prefixes that are to go in"));
    }
    let past = wanted.at.is_some();
    let at = position(shared, wanted.at.as_deref())?;
    if past {
        may.past(Action::ListBucketVersions, &wanted.bucket, None)?;
        may.at(&wanted.bucket, at)?;
    }
    let readable = |key: &str, record: &ObjectRecord| match past {
        true => may.past(Action::GetObjectVersion, &wanted.bucket, Some(key)),
        false => may.read(&wanted.bucket, key, record),
    };
    let view = shared.context().views.names()?;
    let at = at.map_or_else(|| view.position(), Ok)?;
    if view.bucket_at(&wanted.bucket, at)?.is_none() {
        return Err(ObjectError::NoSuchBucket(wanted.bucket.clone()).into());
    }
    let (mut items, mut names) = (Vec::new(), Names::default());
    for key in &wanted.keys {
        if !past {
            // Before anything is told of it, also that it is not there.
            may.object(Action::GetObject, &wanted.bucket, key, None)?;
        }
        let request = GetRequest {
            who: &caller.identity,
            bucket: &wanted.bucket,
            key,
            version: None,
            at: Some(at),
            range: None,
        };
        let record = shared.reader.head(&request)?;
        readable(key, &record)?;
        push(&mut items, &mut names, key, record.size, record.at)?;
    }
    for prefix in &wanted.prefixes {
        if !past {
            may.list(&wanted.bucket, prefix)?;
        }
        let mut after = None;
        loop {
            let query = ListQuery {
                prefix: prefix.clone(),
                after,
                delimiter: None,
                max: PAGE,
            };
            let page = view.list_at(&wanted.bucket, &query, at)?;
            for (key, record) in &page.objects {
                readable(key, record)?;
                push(&mut items, &mut names, key, record.size, record.at)?;
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok((items, at))
}

fn push(
    items: &mut Vec<Item>,
    names: &mut Names,
    key: &str,
    size: u64,
    modified: Timestamp,
) -> Result<(), ApiError> {
    // What only marks a folder has nothing to unpack.
    if (key.ends_with('/') && size == 0) || names.has(key) {
        return Ok(());
    }
    if items.len() == MOST {
        return Err(ApiError::invalid(format!(
            "more than {MOST} objects; take them in parts"
        )));
    }
    items.push(Item {
        key: key.to_owned(),
        name: names.safe(key),
        size,
        modified,
    });
    Ok(())
}

/// A zip on its way.
struct Making {
    shared: Arc<Shared>,
    caller: Caller,
    bucket: String,
    at: Position,
    plan: std::vec::IntoIter<Item>,
    directory: Directory,
    current: Option<(Entry, ObjectBody, Digest)>,
    done: bool,
}

impl Making {
    fn stream(self) -> impl Stream<Item = Result<Bytes, ObjectError>> + Send {
        stream::unfold(self, |mut own| async move {
            match own.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), own)),
                Ok(None) => None,
                Err(error) => {
                    // Broken off: the length that was announced is not reached.
                    own.done = true;
                    tracing::warn!(%error, "a zip was broken off");
                    Some((Err(error), own))
                }
            }
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        if self.done {
            return Ok(None);
        }
        if let Some((entry, body, crc)) = &mut self.current {
            if let Some(bytes) = body.next().await {
                let bytes = bytes?;
                crc.update(&bytes);
                return Ok(Some(bytes));
            }
            let (entry, crc) = (entry.clone(), crc.finalize() as u32);
            self.current = None;
            return Ok(Some(self.directory.finish(entry, crc)));
        }
        match self.plan.next() {
            Some(item) => self.begin(item).await.map(Some),
            None => {
                self.done = true;
                Ok(Some(self.directory.end()))
            }
        }
    }

    async fn begin(&mut self, item: Item) -> Result<Bytes, ObjectError> {
        let request = GetRequest {
            who: &self.caller.identity,
            bucket: &self.bucket,
            key: &item.key,
            version: None,
            at: Some(self.at),
            range: None,
        };
        let record = self.shared.reader.head(&request)?;
        if record.size != item.size {
            return Err(ObjectError::Precondition(format!("{} has changed", item.key)));
        }
        let mut opened = self.shared.reader.body(&record, None).await?;
        let entry = Entry::new(item.name, item.size, item.modified);
        let mut text = BytesMut::from(&self.directory.begin(&entry)[..]);
        let mut crc = Digest::new(CrcAlgorithm::Crc32IsoHdlc);
        match opened.body.take_small() {
            Some(bytes) => {
                crc.update(&bytes);
                text.extend_from_slice(&bytes);
                text.extend_from_slice(&self.directory.finish(entry, crc.finalize() as u32));
            }
            None => self.current = Some((entry, opened.body, crc)),
        }
        Ok(text.freeze())
    }
}
