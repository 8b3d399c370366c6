//! Everything that is known about an object.

use crate::gateway::Shared;
use crate::objects::{describe, position};
use crate::permit::May;
use crate::{ApiError, paging, wire};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use stead_event::Position;
use stead_gateway::ObjectError;
use stead_view::ObjectRecord;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Asked {
    /// A version id.
    version: Option<String>,
    /// As of a position of the log, or of a moment (RFC 3339).
    at: Option<String>,
    /// `next` of the page of versions before.
    cursor: Option<String>,
    /// Versions at most: 1 to 1,000, 100 where absent.
    limit: Option<usize>,
}

/// `GET /api/v1/meta/{bucket}/{key}?version=&at=&cursor=&limit=`. Of a key that is deleted, the delete.
pub(crate) async fn meta(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Path((bucket, key)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Result<Json<wire::Meta>, ApiError> {
    let at = position(&shared, asked.at.as_deref())?;
    may.at(&bucket, at)?;
    let since = may.since(&bucket)?;
    let names = shared.context().views.names()?;
    let mut states = names.versions(&bucket, &key)?;
    states.retain(|state| state.seq >= since);
    let then = match (&asked.version, at) {
        (None, Some(at)) => names.object_at(&bucket, &key, at)?.map(|record| record.seq),
        _ => None,
    };
    let meant = |record: &&ObjectRecord| match (&asked.version, at) {
        (Some(version), _) => record.listed && record.version_id() == version.as_str(),
        (None, Some(at)) => then.map_or(record.seq <= at, |seq| record.seq == seq),
        // What was removed since (a delete marker, say) is history, and may be newer than what is current.
        (None, None) => record.listed,
    };
    let last = || states.first().filter(|_| asked.version.is_none() && at.is_none());
    let Some(chosen) = states.iter().find(meant).or_else(last) else {
        if names.bucket(&bucket)?.is_none() && states.is_empty() {
            return Err(ObjectError::NoSuchBucket(bucket).into());
        }
        return Err(match asked.version {
            Some(version) => ObjectError::NoSuchVersion { bucket, key, version },
            None => ObjectError::NoSuchKey { bucket, key },
        }
        .into());
    };
    let before: Option<Position> = paging::place(asked.cursor.as_deref())?;
    let versions = page(&bucket, &key, &states, before, paging::limit(asked.limit));
    Ok(Json(whole(&bucket, &key, chosen, versions)))
}

fn page(
    bucket: &str,
    key: &str,
    newest_first: &[ObjectRecord],
    before: Option<Position>,
    limit: usize,
) -> wire::Page<wire::State> {
    let mut rest = newest_first
        .iter()
        .filter(|state| before.is_none_or(|before| state.seq < before));
    let items: Vec<_> = rest
        .by_ref()
        .take(limit)
        .map(|state| wire::State {
            object: describe(bucket, key, state),
            listed: state.listed,
            actor: state.actor.0.clone(),
            via: state.via.protocol.clone(),
        })
        .collect();
    let more = rest.next().is_some();
    let next = items
        .last()
        .filter(|_| more)
        .map(|last| paging::cursor(&last.object.position));
    wire::Page { items, next }
}

fn whole(bucket: &str, key: &str, record: &ObjectRecord, versions: wire::Page<wire::State>) -> wire::Meta {
    wire::Meta {
        object: describe(bucket, key, record),
        listed: record.listed,
        actor: record.actor.0.clone(),
        via: record.via.protocol.clone(),
        remote: record.via.remote.clone(),
        tags: record.tags.clone(),
        checksum: record.checksum.as_ref().map(Into::into),
        parts: record
            .parts
            .iter()
            .map(|part| wire::PartSize {
                number: part.number,
                size: part.size,
            })
            .collect(),
        source: record.source.clone(),
        upload: record.upload.clone(),
        superseded: record
            .superseded
            .map(|(position, time)| wire::Moment { position, time }),
        versions,
    }
}
