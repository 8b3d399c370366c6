//! The way into the web console.

use crate::auth::Until;
use crate::gateway::Shared;
use crate::{ApiError, wire};
use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use std::sync::Arc;
use stead_gateway::{Caller, ObjectError};

/// `POST /api/v1/console/link`: signs a browser in as whoever asks.
pub(crate) async fn link(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    until: Option<Extension<Until>>,
) -> Result<(StatusCode, Json<wire::ConsoleLink>), ApiError> {
    if until.is_some() {
        // The session would have the whole key, for longer than the token lasts.
        return Err(ObjectError::Denied {
            who: caller.identity.principal.0.clone(),
            what: "make, with a token, a session in".into(),
            on: "the console".into(),
        }
        .into());
    }
    let link = shared.operations.console_link(&caller.identity)?;
    Ok((StatusCode::CREATED, Json(link)))
}
