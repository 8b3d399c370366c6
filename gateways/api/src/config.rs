//! The settings that all nodes share.

use crate::buckets::Paging;
use crate::gateway::Shared;
use crate::{ApiError, body, paging, wire};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use stead_gateway::{Caller, codes};
use stead_view::ConfigRecord;

fn revision(record: ConfigRecord) -> wire::ConfigRevision {
    wire::ConfigRevision {
        revision: record.revision,
        document: record.document,
        message: record.message,
        set_by: record.actor.0,
        set_at: record.since,
        position: record.position,
    }
}

/// `GET /api/v1/config`
pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<wire::Config>, ApiError> {
    caller.identity.check_administrator()?;
    Ok(Json(shared.operations.config().await?))
}

/// `PUT /api/v1/config`
pub(crate) async fn set(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::ConfigChanged>, ApiError> {
    caller.identity.check_administrator()?;
    let wanted: wire::SetConfig = body::json(&headers, body).await?;
    Ok(Json(shared.operations.set_config(wanted, caller).await?))
}

/// `GET /api/v1/config/history?cursor=&limit=`, the newest first.
pub(crate) async fn history(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Query(asked): Query<Paging>,
) -> Result<Json<wire::Page<wire::ConfigRevision>>, ApiError> {
    caller.identity.check_administrator()?;
    let limit = paging::limit(asked.limit);
    let below: Option<u64> = paging::place(asked.cursor.as_deref())?;
    let found = shared.context().views.config()?.history(below, limit)?;
    let next = found
        .last()
        .filter(|last| found.len() == limit && last.revision > 1);
    Ok(Json(wire::Page {
        next: next.map(|last| paging::cursor(&last.revision)),
        items: found.into_iter().map(revision).collect(),
    }))
}

/// `GET /api/v1/config/revisions/{revision}`
pub(crate) async fn at(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<u64>,
) -> Result<Json<wire::ConfigRevision>, ApiError> {
    caller.identity.check_administrator()?;
    let found = shared.context().views.config()?.at(number)?;
    let found = found.ok_or_else(|| {
        let message = format!("there is no revision {number} of the shared settings");
        ApiError::new(StatusCode::NOT_FOUND, codes::NO_SUCH_REVISION, message)
            .next("`stead config history` lists them")
    })?;
    Ok(Json(revision(found)))
}
