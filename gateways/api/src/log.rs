//! The log: read, follow, verify, sign.

use crate::events::Subscriber;
use crate::filter::Filter;
use crate::gateway::Shared;
use crate::permit::May;
use crate::{ApiError, body, paging, steps, wire};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::Arc;
use stead_event::event::line_cid;
use stead_event::{Event, Position, Tenant};
use stead_gateway::access::Action;
use stead_gateway::{ReadContext, codes};

/// Lines read at once.
const BATCH: usize = 512;
/// Lines answered to one request as text, unless it asks for fewer.
const MOST_TEXT: usize = 10_000;
/// Lines looked at for one request at most: a filter that nothing passes does not read a whole log at once.
const LOOKED_AT: u64 = 200_000;
/// Lines as they are stored.
const NDJSON: &str = "application/x-ndjson";

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Range {
    /// Whose log; the data's where absent.
    #[schemars(with = "Option<String>")]
    tenant: Option<Tenant>,
    /// The first position.
    from: Option<Position>,
    /// Instead of `from`: the last so many, oldest first.
    last: Option<usize>,
    /// With `last`: only what comes before this position.
    before: Option<Position>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Lines at most: 1 to 1,000 (as text 10,000), 100 where absent. A page of a filtered log may have fewer
    /// although there are more: go on as long as there is a `next`.
    limit: Option<usize>,
    /// Only what is about this: `bucket/photos`, `key/SD…`
    stream: Option<String>,
    /// Only these kinds, with commas between them; `object.*` is every kind that begins so.
    kind: Option<String>,
    /// Only what this one did.
    actor: Option<String>,
    /// Only what is not older than this moment (RFC 3339).
    since: Option<String>,
    /// Only what is not younger than this moment (RFC 3339).
    until: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Live {
    /// Whose log; the data's where absent.
    #[schemars(with = "Option<String>")]
    tenant: Option<Tenant>,
    /// The first position; only what is new where absent. `Last-Event-ID` comes before it.
    from: Option<Position>,
    /// Only what is about this: `bucket/photos`, `key/SD…`
    stream: Option<String>,
    /// Only these kinds, with commas between them; `object.*` is every kind that begins so.
    kind: Option<String>,
    /// Only what this one did.
    actor: Option<String>,
}

/// One line as it is stored.
pub(crate) struct Raw {
    pub(crate) seq: Position,
    pub(crate) bytes: Bytes,
}

/// Reads lines of one tenant's log, those that a filter lets through.
#[derive(Clone)]
pub(crate) struct Lines {
    pub(crate) context: ReadContext,
    pub(crate) tenant: Tenant,
    filter: Filter,
}

impl Lines {
    pub(crate) fn new(context: &ReadContext, tenant: &Tenant, filter: Filter) -> Self {
        Self {
            context: context.clone(),
            tenant: tenant.clone(),
            filter,
        }
    }

    /// The end of the log.
    pub(crate) fn head(&self) -> Position {
        self.context.tail.head(&self.tenant).seq
    }

    /// The next lines from `from` on, as they are stored: those that match, and where the next call goes on.
    pub(crate) fn batch(&self, from: Position, max: usize) -> Result<(Vec<Raw>, Position), ApiError> {
        let read = tokio::task::block_in_place(|| self.context.tail.read(&self.tenant, from, max));
        let lines = read.map_err(|e| damaged(format_args!("log of {}: {e}", self.tenant)))?;
        let next = lines.last().map_or(from, |line| line.seq + 1);
        let matching = lines
            .into_iter()
            .filter(|line| self.filter.wants(&line.bytes))
            .map(|line| Raw {
                seq: line.seq,
                bytes: line.bytes,
            })
            .collect();
        Ok((matching, next))
    }

    /// The last `count` before `before` that match, oldest first.
    fn last(&self, count: usize, before: Option<Position>) -> Result<VecDeque<Raw>, ApiError> {
        let mut found = VecDeque::new();
        let end = self.head() + 1;
        let mut behind = before.map_or(end, |before| before.clamp(1, end));
        while behind > 1 && found.len() < count {
            let from = behind.saturating_sub(BATCH as u64).max(1);
            let (mut at, mut part) = (from, Vec::new());
            while at < behind {
                let (lines, next) = self.batch(at, (behind - at) as usize)?;
                part.extend(lines);
                if next == at {
                    break;
                }
                at = next;
            }
            for line in part.into_iter().rev() {
                if found.len() < count {
                    found.push_front(line);
                }
            }
            behind = from;
        }
        Ok(found)
    }
}

/// The log is not as it was written.
pub(crate) fn damaged(what: impl std::fmt::Display) -> ApiError {
    let message = what.to_string();
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, codes::LOG_DAMAGED, message)
        .next("run `stead log verify`; restore the segment that it names from a copy, then check the disk")
}

/// The tenant that is meant. A name that has no log is refused: what is mistyped must not look empty.
pub(crate) fn meant(shared: &Shared, tenant: Option<Tenant>) -> Result<Tenant, ApiError> {
    let Some(tenant) = tenant else {
        return Ok(shared.tenant().clone());
    };
    known(shared, &tenant)?;
    Ok(tenant)
}

fn known(shared: &Shared, tenant: &Tenant) -> Result<(), ApiError> {
    let logs = shared.context().views.tenants();
    // These two are always there, if only without events yet.
    if logs.contains(tenant) || tenant == shared.tenant() || *tenant == Tenant::system() {
        return Ok(());
    }
    let names: Vec<_> = logs.iter().map(Tenant::as_str).collect();
    let message = format!("there is no tenant {tenant}");
    Err(ApiError::new(StatusCode::NOT_FOUND, codes::INVALID, message)
        .next(format!("name one that has a log: {}", names.join(", "))))
}

/// A field as it is written in a canonical line.
pub(crate) fn field(name: &str, value: &str) -> Vec<u8> {
    let value = serde_json::Value::String(value.to_owned());
    format!("\"{name}\":{value}").into_bytes()
}

/// Reading a log takes to oversee the node, or a filter for a bucket that is the caller's own. Where what the
/// caller may see begins.
fn allowed(shared: &Shared, may: &May, tenant: &Tenant, filter: &Filter) -> Result<Position, ApiError> {
    match filter.bucket() {
        Some(bucket) if tenant == shared.tenant() => {
            may.past(Action::ListBucketVersions, bucket, None)?;
            may.since(bucket)
        }
        _ => may.oversee().map(|()| 0),
    }
}

/// `GET /api/v1/log?tenant=&from=&last=&before=&cursor=&limit=&stream=&kind=&actor=&since=&until=`: lines as
/// JSON; as they are stored where `Accept` is `application/x-ndjson`.
pub(crate) async fn read(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Query(range): Query<Range>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let tenant = meant(&shared, range.tenant)?;
    let (since, until) = (range.since.as_deref(), range.until.as_deref());
    let filter = Filter::new(range.stream, range.kind.as_deref(), range.actor, since, until)?;
    let first = allowed(&shared, &may, &tenant, &filter)?.max(1);
    let raw = headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept.as_bytes().starts_with(NDJSON.as_bytes()));
    let most = if raw { MOST_TEXT } else { paging::MOST };
    let limit = range
        .limit
        .unwrap_or(if raw { most } else { paging::PAGE })
        .clamp(1, most);
    let mut from = paging::place(range.cursor.as_deref())?.or(range.from);
    if let (None, Some(since), true) = (from, filter.since(), tenant == Tenant::main()) {
        from = Some(shared.context().views.position_at(since.plus_secs(-1))?.max(1));
    }
    let lines = Lines::new(shared.context(), &tenant, filter);
    // Before anything is read: what comes meanwhile is behind it.
    let end = lines.head() + 1;
    let (found, next) = match (from, range.last) {
        (None, Some(last)) => {
            let mut found = lines.last(last.min(most), range.before)?;
            found.retain(|line| line.seq >= first);
            (found.into(), None)
        }
        (from, _) => forward(&lines, from.unwrap_or(1).max(first), limit)?,
    };
    Ok(if raw {
        text(
            &found,
            next.unwrap_or_else(|| found.last().map_or(end, |line| end.max(line.seq + 1))),
        )
    } else {
        axum::Json(wire::Page {
            items: found.iter().map(line).collect::<Result<Vec<_>, _>>()?,
            next: next.map(|next| paging::cursor(&next)),
        })
        .into_response()
    })
}

/// Up to `limit` lines from `from` on, and where to go on; `None` at the end of the log.
fn forward(
    lines: &Lines,
    mut from: Position,
    limit: usize,
) -> Result<(Vec<Raw>, Option<Position>), ApiError> {
    let mut found = Vec::new();
    let stop = from.saturating_add(LOOKED_AT);
    while found.len() < limit && from < stop {
        let (matching, next) = lines.batch(from, BATCH)?;
        if next == from {
            return Ok((found, None));
        }
        from = next;
        for line in matching {
            if found.len() == limit {
                return Ok((found, Some(line.seq)));
            }
            found.push(line);
        }
    }
    Ok((found, Some(from).filter(|from| *from <= lines.head())))
}

fn line(raw: &Raw) -> Result<wire::Line, ApiError> {
    Ok(wire::Line {
        position: raw.seq,
        cid: line_cid(&raw.bytes).to_string(),
        line: serde_json::from_slice(&raw.bytes)
            .map_err(|e| damaged(format_args!("position {}: {e}", raw.seq)))?,
    })
}

fn text(lines: &[Raw], next: Position) -> Response {
    let mut text = BytesMut::new();
    for line in lines {
        text.put_slice(&line.bytes);
        text.put_u8(b'\n');
    }
    let mut response = text.freeze().into_response();
    let kind = HeaderValue::from_static(NDJSON);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    // Where the next request goes on.
    response.headers_mut().insert("x-stead-next", next.into());
    response
}

/// `GET /api/v1/events?tenant=&from=&stream=&kind=&actor=`: the log as server-sent events, whose ids are
/// positions.
pub(crate) async fn live(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Query(live): Query<Live>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let tenant = meant(&shared, live.tenant)?;
    let filter = Filter::new(live.stream, live.kind.as_deref(), live.actor, None, None)?;
    let first = allowed(&shared, &may, &tenant, &filter)?.max(1);
    let seen = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse::<u64>().ok());
    let from = seen
        .map(|seen| seen.saturating_add(1))
        .or(live.from)
        .map(|from| from.max(first));
    let subscriber = Subscriber::new(&shared.hubs, shared.context(), &tenant, filter, from);
    let mut response = Response::new(Body::from_stream(subscriber.stream()));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    Ok(response)
}

/// The event at a position.
pub(crate) fn event_at(context: &ReadContext, tenant: &Tenant, seq: Position) -> Result<Event, ApiError> {
    let lines = Lines::new(context, tenant, Filter::default());
    let (found, _) = lines.batch(seq, 1)?;
    let line = found
        .first()
        .ok_or_else(|| damaged(format_args!("the log has no position {seq}")))?;
    Event::from_line(&line.bytes).map_err(|e| damaged(format_args!("position {seq}: {e}")))
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Whose {
    /// Whose log; the data's, or (to verify) all, where absent.
    #[schemars(with = "Option<String>")]
    pub(crate) tenant: Option<Tenant>,
}

/// `POST /api/v1/log/checkpoint?tenant=`: a signed checkpoint, as text.
pub(crate) async fn checkpoint(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Query(whose): Query<Whose>,
) -> Result<Response, ApiError> {
    may.oversee()?;
    let tenant = meant(&shared, whose.tenant)?;
    let text = shared.operations.checkpoint(&tenant).await?;
    Ok(format!("{text}\n").into_response())
}

/// `POST /api/v1/log/verify?tenant=`, with the text of a checkpoint as body or none.
pub(crate) async fn verify(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Query(whose): Query<Whose>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    may.oversee()?;
    if let Some(tenant) = &whose.tenant {
        known(&shared, tenant)?;
    }
    let text = body::whole(&headers, body).await?;
    let text = String::from_utf8(text.to_vec()).map_err(|_| {
        ApiError::invalid("the checkpoint is not text").next("send what `stead log checkpoint` printed")
    })?;
    let against = Some(text).filter(|text| !text.trim().is_empty());
    let operations = shared.operations.clone();
    Ok(steps::answer(move |progress| async move {
        operations.verify(whose.tenant, against, progress).await
    }))
}
