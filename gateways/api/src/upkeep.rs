//! Health, metrics, status, and the node's own work.

use crate::gateway::Shared;
use crate::permit::May;
use crate::{ApiError, body, steps, wire};
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use stead_gateway::{Caller, metrics};

/// `GET /healthz`: 200 where the views answer.
pub(crate) async fn healthz(State(shared): State<Arc<Shared>>) -> Response {
    match shared.context().views.names() {
        Ok(_) => (StatusCode::OK, "ok\n").into_response(),
        Err(error) => ApiError::from(error)
            .status(StatusCode::SERVICE_UNAVAILABLE)
            .into_response(),
    }
}

/// `GET /metrics`, in Prometheus' text form.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let text = shared.context().metrics.render(shared.context());
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}

/// `GET /api/v1/status`
pub(crate) async fn status(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
) -> Result<Json<wire::Status>, ApiError> {
    may.oversee()?;
    Ok(Json(shared.operations.status().await?))
}

/// `GET /api/v1/doctor`
pub(crate) async fn doctor(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
) -> Result<Json<wire::Doctor>, ApiError> {
    may.oversee()?;
    Ok(Json(shared.operations.doctor().await?))
}

/// `GET /api/v1/upkeep`
pub(crate) async fn upkeep(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
) -> Result<Json<wire::Upkeep>, ApiError> {
    may.oversee()?;
    Ok(Json(shared.operations.upkeep().await))
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Rate {
    /// At most; as fast as the disk where absent.
    bytes_per_second: Option<u64>,
}

/// `POST /api/v1/scrub?bytes_per_second=`
pub(crate) async fn scrub(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Query(rate): Query<Rate>,
) -> Result<Response, ApiError> {
    caller.identity.check_administrator()?;
    let operations = shared.operations.clone();
    Ok(steps::answer(move |progress| async move {
        operations.scrub(rate.bytes_per_second, progress).await
    }))
}

/// `POST /api/v1/gc`
pub(crate) async fn collect(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.identity.check_administrator()?;
    let wanted: wire::Collect = body::json(&headers, body).await?;
    let operations = shared.operations.clone();
    Ok(steps::answer(move |progress| async move {
        operations.collect(wanted, progress).await
    }))
}

/// `POST /api/v1/disks/empty`
pub(crate) async fn empty_disk(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    caller.identity.check_administrator()?;
    let wanted: wire::EmptyDisk = body::json(&headers, body).await?;
    let operations = shared.operations.clone();
    Ok(steps::answer(move |progress| async move {
        operations.empty_disk(&wanted.path, progress).await
    }))
}

/// `POST /api/v1/view/rebuild`
pub(crate) async fn rebuild(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, ApiError> {
    caller.identity.check_administrator()?;
    let operations = shared.operations.clone();
    Ok(steps::answer(move |progress| async move {
        operations.rebuild(progress).await
    }))
}
