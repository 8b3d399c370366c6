//! The log: read, follow, verify, sign.

use crate::gateway::Shared;
use crate::upkeep::everything;
use crate::{ApiError, body, steps};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use futures::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use memchr::memmem;
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use stead_event::{Position, Tenant};
use stead_gateway::{Caller, ReadContext, codes};

/// Lines read at once.
const BATCH: usize = 512;
/// Lines answered to one request that does not follow, unless it asks for fewer.
const MOST: usize = 10_000;
/// How often a quiet stream says that it lives.
const ALIVE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
pub(crate) struct Range {
    tenant: Option<Tenant>,
    from: Option<Position>,
    /// Instead of `from`: the last so many.
    last: Option<usize>,
    max: Option<usize>,
    stream: Option<String>,
    follow: Option<String>,
}

/// One line as it is stored.
pub(crate) struct Raw {
    pub(crate) seq: Position,
    pub(crate) bytes: Bytes,
}

/// Reads lines of one tenant's log, all or those of one stream.
#[derive(Clone)]
pub(crate) struct Lines {
    context: ReadContext,
    pub(crate) tenant: Tenant,
    needle: Option<Arc<Vec<u8>>>,
}

impl Lines {
    pub(crate) fn new(context: &ReadContext, tenant: &Tenant, stream: Option<&str>) -> Self {
        // Lines are canonical, so a field can be looked for as it is written.
        let needle = stream.map(|stream| Arc::new(field("stream", stream)));
        Self {
            context: context.clone(),
            tenant: tenant.clone(),
            needle,
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
        let wanted = |bytes: &[u8]| match &self.needle {
            Some(needle) => memmem::find(bytes, needle).is_some(),
            None => true,
        };
        let matching = lines
            .into_iter()
            .filter(|line| wanted(&line.bytes))
            .map(|line| Raw {
                seq: line.seq,
                bytes: line.bytes,
            })
            .collect();
        Ok((matching, next))
    }

    /// The last `count` that match, oldest first.
    fn last(&self, count: usize) -> Result<VecDeque<Raw>, ApiError> {
        let mut found = VecDeque::new();
        let mut behind = self.head() + 1;
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
fn meant(shared: &Shared, tenant: Option<Tenant>) -> Result<Tenant, ApiError> {
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

/// `GET /api/v1/log?tenant=&from=|last=&max=&stream=`: lines as they are stored; with `follow=1` as
/// server-sent events, whose ids are positions.
pub(crate) async fn read(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Query(range): Query<Range>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    everything(&caller)?;
    let tenant = meant(&shared, range.tenant)?;
    let lines = Lines::new(shared.context(), &tenant, range.stream.as_deref());
    let follow = range
        .follow
        .as_deref()
        .is_some_and(|follow| !matches!(follow, "0" | "false"));
    let resumed = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok()?.parse::<u64>().ok());
    let from = resumed.map(|seen| seen + 1).or(range.from);
    let (first, from) = match (from, range.last) {
        (None, Some(last)) => {
            let found = lines.last(last.min(MOST))?;
            (found, lines.head() + 1)
        }
        (from, _) => (VecDeque::new(), from.unwrap_or(1).max(1)),
    };
    if follow {
        return Ok(followed(lines, first, from));
    }
    let max = range.max.unwrap_or(MOST).min(MOST);
    plain(&lines, first, from, range.last.is_some(), max)
}

fn plain(
    lines: &Lines,
    first: VecDeque<Raw>,
    mut from: Position,
    only_first: bool,
    max: usize,
) -> Result<Response, ApiError> {
    let mut text = BytesMut::new();
    let mut count = 0;
    let mut push = |line: &Raw| {
        text.put_slice(&line.bytes);
        text.put_u8(b'\n');
    };
    first.iter().for_each(&mut push);
    while !only_first && count < max {
        let (matching, next) = lines.batch(from, BATCH)?;
        if next == from {
            break;
        }
        from = next;
        for line in &matching {
            if count == max {
                from = line.seq;
                break;
            }
            push(line);
            count += 1;
        }
    }
    let mut response = text.freeze().into_response();
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    // Where the next request goes on.
    response.headers_mut().insert("x-stead-next", from.into());
    Ok(response)
}

fn followed(lines: Lines, first: VecDeque<Raw>, from: Position) -> Response {
    let stop = lines.context.tasks.shutdown_signal();
    let state = (lines, first, from, stop);
    let events = stream::unfold(state, |(lines, mut first, mut from, mut stop)| async move {
        if !first.is_empty() {
            let text = events(&std::mem::take(&mut first).into());
            return Some((Ok::<_, ApiError>(text), (lines, first, from, stop)));
        }
        loop {
            let (matching, next) = match lines.batch(from, BATCH) {
                Ok(read) => read,
                // The stream breaks off here, at the damaged line, and not behind it.
                Err(error) => return Some((Err(error), (lines, first, from, stop))),
            };
            if next > from {
                from = next;
                if matching.is_empty() {
                    continue;
                }
                return Some((Ok(events(&matching)), (lines, first, from, stop)));
            }
            let quiet = tokio::select! {
                _ = lines.context.tail.wait_past(&lines.tenant, from - 1) => false,
                () = tokio::time::sleep(ALIVE) => true,
                () = stop.wait() => return None,
            };
            if quiet {
                return Some((Ok(Bytes::from_static(b":\n\n")), (lines, first, from, stop)));
            }
        }
    });
    let mut response = Response::new(Body::from_stream(events));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn events(lines: &Vec<Raw>) -> Bytes {
    let mut text = BytesMut::new();
    for line in lines {
        text.put_slice(format!("id: {}\ndata: ", line.seq).as_bytes());
        text.put_slice(&line.bytes);
        text.put_slice(b"\n\n");
    }
    text.freeze()
}

#[derive(Deserialize)]
pub(crate) struct Whose {
    tenant: Option<Tenant>,
}

/// `POST /api/v1/log/checkpoint?tenant=`: a signed checkpoint, as text.
pub(crate) async fn checkpoint(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Query(whose): Query<Whose>,
) -> Result<Response, ApiError> {
    everything(&caller)?;
    let tenant = meant(&shared, whose.tenant)?;
    let text = shared.operations.checkpoint(&tenant).await?;
    Ok(format!("{text}\n").into_response())
}

/// `POST /api/v1/log/verify?tenant=`, with the text of a checkpoint as body or none.
pub(crate) async fn verify(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Query(whose): Query<Whose>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    everything(&caller)?;
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
