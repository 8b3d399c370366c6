//! The way into the web console.

use crate::gateway::Shared;
use crate::{ApiError, wire};
use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use std::sync::Arc;
use stead_gateway::Caller;

/// `POST /api/v1/console/link`: signs a browser in as whoever asks.
pub(crate) async fn link(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
) -> Result<(StatusCode, Json<wire::ConsoleLink>), ApiError> {
    let link = shared.operations.console_link(&caller.identity)?;
    Ok((StatusCode::CREATED, Json(link)))
}
