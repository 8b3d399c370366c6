//! The nodes of the cluster: who they are, letting one in, letting one go.

use crate::gateway::Shared;
use crate::permit::May;
use crate::{ApiError, body, wire};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use stead_gateway::Caller;

/// `GET /api/v1/cluster`
pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
) -> Result<Json<wire::Cluster>, ApiError> {
    may.oversee()?;
    Ok(Json(shared.operations.cluster().await?))
}

/// `POST /api/v1/cluster/ticket`
pub(crate) async fn ticket(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
) -> Result<(StatusCode, Json<wire::Ticket>), ApiError> {
    caller.identity.check_administrator()?;
    let ticket = shared.operations.ticket().await?;
    Ok((StatusCode::CREATED, Json(wire::Ticket { ticket })))
}

/// `POST /api/v1/cluster/approve`
pub(crate) async fn approve(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::NodeName>, ApiError> {
    caller.identity.check_administrator()?;
    let wanted: wire::Approve = body::json(&headers, body).await?;
    let node = shared.operations.approve(&wanted.code).await?;
    Ok(Json(wire::NodeName { node }))
}

/// `POST /api/v1/cluster/stop`
pub(crate) async fn stop(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<wire::Stopped>, ApiError> {
    caller.identity.check_administrator()?;
    let deaf = shared.operations.stop_cluster().await?;
    Ok(Json(wire::Stopped { deaf }))
}

/// `POST /api/v1/cluster/drill`
pub(crate) async fn begin_drill(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::Drill>, ApiError> {
    caller.identity.check_administrator()?;
    let wanted: wire::BeginDrill = body::json(&headers, body).await?;
    Ok(Json(shared.operations.begin_drill(&wanted).await?))
}

/// `DELETE /api/v1/cluster/drill`
pub(crate) async fn end_drill(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<wire::Stopped>, ApiError> {
    caller.identity.check_administrator()?;
    let deaf = shared.operations.end_drill().await?;
    Ok(Json(wire::Stopped { deaf }))
}

/// `PUT /api/v1/cluster/nodes/{node}/drain`
pub(crate) async fn drain(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(node): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    caller.identity.check_administrator()?;
    let wanted: wire::Drain = body::json(&headers, body).await?;
    shared.operations.drain_node(&node, wanted.drain).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v1/cluster/nodes/{node}`
pub(crate) async fn remove(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(node): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.identity.check_administrator()?;
    shared.operations.remove_node(&node).await?;
    Ok(StatusCode::NO_CONTENT)
}
