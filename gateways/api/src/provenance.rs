//! Where things came from: the history of a bucket or a key, and why something is as it is.

use crate::filter::Filter;
use crate::gateway::Shared;
use crate::listing::truth;
use crate::log::{Lines, Raw, damaged, field};
use crate::objects::{Which, describe, position};
use crate::permit::May;
use crate::{ApiError, paging, wire};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use memchr::memmem;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::Arc;
use stead_event::body::Versioning;
use stead_event::event::line_cid;
use stead_event::{Body, Cid, Event, Position};
use stead_gateway::ObjectError;
use stead_gateway::access::Action;
use stead_gateway::objects::check_kept;
use stead_view::{Names, ObjectRecord};

/// Lines read at once.
const BATCH: usize = 1024;
/// Other places with the same content that are told.
const ALSO: usize = 10;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Depth {
    /// Read the whole log, also for what the views have forgotten.
    full: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Events at most: 1 to 1,000, 1,000 where absent.
    limit: Option<usize>,
}

/// `GET /api/v1/history/{bucket}`: what happened to the bucket itself.
pub(crate) async fn bucket_history(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Path(bucket): Path<String>,
    Query(depth): Query<Depth>,
) -> Result<Json<wire::History>, ApiError> {
    let since = may.since(&bucket)?;
    let lines = Lines::new(
        shared.context(),
        shared.tenant(),
        Filter::of_stream(&format!("bucket/{bucket}")),
    );
    let mut facts = search(&shared, &lines, b"\"kind\":\"bucket.", |_| true)?;
    facts.retain(|fact| fact.position >= since);
    if facts.is_empty() {
        return Err(ObjectError::NoSuchBucket(bucket).into());
    }
    let (items, next) = page(facts, &depth)?;
    Ok(Json(wire::History {
        bucket,
        key: None,
        items,
        next,
        complete: true,
    }))
}

/// `GET /api/v1/history/{bucket}/{key}?full=`: every state of the key, oldest first.
pub(crate) async fn history(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Path((bucket, key)): Path<(String, String)>,
    Query(depth): Query<Depth>,
) -> Result<Json<wire::History>, ApiError> {
    let since = may.since(&bucket)?;
    let names = shared.context().views.names()?;
    let known = names.versions(&bucket, &key)?;
    let pruned = names.pruned_before()?.is_some();
    let full = known.is_empty() || depth.full.as_deref().is_some_and(truth);
    let facts = if full {
        whole_history(&shared, &bucket, &key)?
    } else {
        states(&shared, &known)?
    };
    let mut facts = with_versions(facts, &names, &bucket, &known)?;
    facts.retain(|fact| fact.position >= since);
    if facts.is_empty() {
        return Err(ObjectError::NoSuchKey { bucket, key }.into());
    }
    let (items, next) = page(facts, &depth)?;
    Ok(Json(wire::History {
        bucket,
        key: Some(key),
        items,
        next,
        complete: full || !pruned,
    }))
}

/// The page of these that is asked for.
fn page(mut facts: Vec<wire::Fact>, depth: &Depth) -> Result<(Vec<wire::Fact>, Option<String>), ApiError> {
    if let Some(after) = paging::place::<Position>(depth.cursor.as_deref())? {
        facts.retain(|fact| fact.position > after);
    }
    let limit = paging::limit(Some(depth.limit.unwrap_or(paging::MOST)));
    let more = facts.len() > limit;
    facts.truncate(limit);
    let next = facts
        .last()
        .filter(|_| more)
        .map(|last| paging::cursor(&last.position));
    Ok((facts, next))
}

/// `GET /api/v1/why?path=BUCKET/KEY&at=&version=` or `?cid=`.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct About {
    /// `BUCKET/KEY`.
    path: Option<String>,
    /// Instead of `path`: the CID of content or of a line of the log.
    cid: Option<String>,
    #[serde(flatten)]
    which: Which,
}

pub(crate) async fn why(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Query(about): Query<About>,
) -> Result<Json<wire::Why>, ApiError> {
    match (about.path, about.cid) {
        (Some(path), None) => {
            let (bucket, key) = path
                .split_once('/')
                .filter(|(_, key)| !key.is_empty())
                .ok_or_else(|| {
                    ApiError::invalid(format!("{path:?} is not BUCKET/KEY"))
                        .next("write path= like photos/2026/a.jpg")
                })?;
            may.past(Action::GetObjectVersion, bucket, Some(key))?;
            why_key(&shared, may.since(bucket)?, bucket, key, &about.which).map(Json)
        }
        (None, Some(cid)) => {
            may.oversee()?;
            let cid: Cid = cid.parse().map_err(|_| {
                ApiError::invalid(format!("{cid:?} is not a CID"))
                    .next("copy the whole CID, as `stead why PATH` or x-stead-cid shows it")
            })?;
            why_cid(&shared, &cid).map(Json)
        }
        _ => Err(
            ApiError::invalid("the question names neither or both of path= and cid=")
                .next("give either path=BUCKET/KEY or cid=CID"),
        ),
    }
}

fn why_key(
    shared: &Shared,
    since: Position,
    bucket: &str,
    key: &str,
    which: &Which,
) -> Result<wire::Why, ApiError> {
    let at = position(shared, which.at.as_deref())?;
    let names = shared.context().views.names()?;
    let mut versions = names.versions(bucket, key)?;
    versions.retain(|record| record.seq >= since);
    let meant = |record: &&ObjectRecord| match (&which.version, at) {
        (Some(version), _) => record.version_id() == version.as_str() && record.listed,
        (None, Some(at)) => record.seq <= at,
        (None, None) => true,
    };
    let Some(chosen) = versions.iter().find(meant) else {
        if at.is_none() && names.bucket(bucket)?.is_none() && versions.is_empty() {
            return Err(ObjectError::NoSuchBucket(bucket.to_owned()).into());
        }
        if let Some(at) = at {
            check_kept(&names, at, &format!("{bucket}/{key}"))?;
        }
        return Err(ObjectError::NoSuchKey {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        }
        .into());
    };
    let older: Vec<_> = versions
        .iter()
        .filter(|record| record.seq < chosen.seq)
        .cloned()
        .collect();
    let newer: Vec<_> = versions
        .iter()
        .filter(|record| record.seq > chosen.seq)
        .cloned()
        .collect();
    Ok(wire::Why {
        subject: format!("{bucket}/{key}"),
        object: Some(describe(bucket, key, chosen)),
        fact: fact_at(shared, chosen.seq)?,
        before: with_versions(states(shared, &older)?, &names, bucket, &older)?,
        after: with_versions(states(shared, &newer)?, &names, bucket, &newer)?,
        also: Vec::new(),
    })
}

/// What a CID is: the content of objects, or a line of the log.
fn why_cid(shared: &Shared, cid: &Cid) -> Result<wire::Why, ApiError> {
    let text = cid.to_string();
    let lines = Lines::new(shared.context(), shared.tenant(), Filter::default());
    let link = format!("{{\"/\":\"{text}\"}}");
    let mut line_at = None;
    let head = shared.context().tail.head(shared.tenant());
    if head.cid.as_ref() == Some(cid) {
        line_at = Some(head.seq);
    }
    let mut facts = search(shared, &lines, link.as_bytes(), |event| {
        if event.prev.as_ref() == Some(cid) {
            line_at = Some(event.seq - 1);
        }
        content(&event.body) == Some(cid)
    })?;
    if let Some(seq) = line_at {
        return Ok(wire::Why {
            subject: text,
            object: None,
            fact: fact_at(shared, seq)?,
            before: Vec::new(),
            after: Vec::new(),
            also: Vec::new(),
        });
    }
    if facts.is_empty() {
        return Err(ApiError::new(
            http::StatusCode::NOT_FOUND,
            stead_gateway::codes::NO_SUCH_KEY,
            format!("no event names {text}"),
        ));
    }
    let fact = facts.remove(0);
    facts.truncate(ALSO);
    Ok(wire::Why {
        subject: text,
        object: None,
        fact,
        before: Vec::new(),
        after: Vec::new(),
        also: facts,
    })
}

/// The CID of the bytes that an event brought.
fn content(body: &Body) -> Option<&Cid> {
    match body {
        Body::ObjectPut(put) => Some(&put.cid),
        Body::UploadPart(part) => Some(&part.cid),
        Body::LogSealed(sealed) => Some(&sealed.cid),
        Body::IpfsRooted(rooted) => Some(&rooted.cid),
        Body::IpfsPinned(pinned) => Some(&pinned.cid),
        _ => None,
    }
}

/// The events that made these states, oldest first.
fn states(shared: &Shared, newest_first: &[ObjectRecord]) -> Result<Vec<wire::Fact>, ApiError> {
    newest_first
        .iter()
        .rev()
        .map(|record| fact_at(shared, record.seq))
        .collect()
}

/// Names the version that each event made, where the bucket has or had versions and it is still listed.
fn with_versions(
    mut facts: Vec<wire::Fact>,
    names: &Names,
    bucket: &str,
    known: &[ObjectRecord],
) -> Result<Vec<wire::Fact>, ApiError> {
    let kept = names.bucket(bucket)?.map(|bucket| bucket.versioning);
    if kept.is_none_or(|versioning| versioning == Versioning::Off) {
        return Ok(facts);
    }
    let ids: HashMap<Position, &str> = known
        .iter()
        .filter(|record| record.listed)
        .map(|record| (record.seq, record.version_id()))
        .collect();
    for fact in &mut facts {
        fact.version = ids.get(&fact.position).map(|id| (*id).to_owned());
    }
    Ok(facts)
}

/// Every event about a key, from the log itself.
fn whole_history(shared: &Shared, bucket: &str, key: &str) -> Result<Vec<wire::Fact>, ApiError> {
    let lines = Lines::new(
        shared.context(),
        shared.tenant(),
        Filter::of_stream(&format!("bucket/{bucket}")),
    );
    search(shared, &lines, &field("key", key), |event| match &event.body {
        Body::ObjectPut(body) => body.key == key,
        Body::ObjectDeleted(body) => body.key == key,
        Body::ObjectTagged(body) => body.key == key,
        Body::UploadStarted(body) => body.key == key,
        Body::UploadAborted(body) => body.key == key,
        _ => false,
    })
}

/// Events whose line holds `needle` and that `wanted` takes, oldest first.
fn search(
    shared: &Shared,
    lines: &Lines,
    needle: &[u8],
    mut wanted: impl FnMut(&Event) -> bool,
) -> Result<Vec<wire::Fact>, ApiError> {
    let finder = memmem::Finder::new(needle);
    let mut found = Vec::new();
    let mut from = 1;
    loop {
        let (batch, next) = lines.batch(from, BATCH)?;
        if next == from {
            return Ok(found);
        }
        from = next;
        for line in batch.iter().filter(|line| finder.find(&line.bytes).is_some()) {
            if let Ok(event) = Event::from_line(&line.bytes)
                && wanted(&event)
            {
                found.push(fact(shared, line)?);
            }
        }
    }
}

fn fact_at(shared: &Shared, seq: Position) -> Result<wire::Fact, ApiError> {
    let lines = Lines::new(shared.context(), shared.tenant(), Filter::default());
    let (batch, _) = lines.batch(seq, 1)?;
    match batch.first() {
        Some(line) if line.seq == seq => fact(shared, line),
        _ => Err(damaged(format_args!("the log has no position {seq}"))),
    }
}

fn fact(shared: &Shared, line: &Raw) -> Result<wire::Fact, ApiError> {
    let event: serde_json::Value = serde_json::from_slice(&line.bytes)
        .map_err(|e| damaged(format_args!("position {}: {e}", line.seq)))?;
    let prev = event
        .pointer("/prev/~1")
        .and_then(|cid| cid.as_str())
        .map(str::to_owned);
    Ok(wire::Fact {
        tenant: shared.tenant().to_string(),
        position: line.seq,
        cid: line_cid(&line.bytes).to_string(),
        prev,
        event,
        version: None,
        place: shared.operations.place(shared.tenant(), line.seq),
    })
}
