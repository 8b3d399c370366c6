//! Tokens: made here, checked in `auth`.

use crate::auth::Until;
use crate::gateway::Shared;
use crate::{ApiError, body, wire};
use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use stead_gateway::{Caller, Identity, codes, tokens};

/// Where nobody says how long, in seconds.
const USUAL: u64 = 15 * 60;
/// The longest, in seconds.
const LONGEST: u64 = 12 * 3600;

/// `POST /api/v1/tokens`
pub(crate) async fn create(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    until: Option<Extension<Until>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<wire::NewToken>), ApiError> {
    let wanted: wire::CreateToken = body::json(&headers, body).await?;
    let seconds = wanted.expires_s.unwrap_or(USUAL);
    if !(1..=LONGEST).contains(&seconds) {
        return Err(ApiError::invalid("a token lasts from a second to twelve hours"));
    }
    let context = shared.context();
    let mut expires = context.now().plus_secs(seconds as i64);
    if let Some(Extension(Until(until))) = until {
        // Or a stolen token could be made to last.
        expires = expires.min(until);
    }
    let maker = keyed(&shared, &caller)?;
    let name = &caller.identity.principal.0;
    let token = tokens::issue(context, &maker, name, &wanted.scope, expires)?;
    Ok((StatusCode::CREATED, Json(wire::NewToken { token, expires })))
}

/// The caller as somebody with an access key: the owner at the socket has the root key's.
pub(crate) fn keyed(shared: &Shared, caller: &Caller) -> Result<Arc<Identity>, ApiError> {
    if !caller.identity.is_local() {
        return Ok(caller.identity.clone());
    }
    let Some(root) = shared.operations.root_key() else {
        let message = "this node has no root access key that this could be bound to";
        return Err(ApiError::new(StatusCode::CONFLICT, codes::UNKNOWN_KEY, message)
            .next("ask with an access key: `stead key create NAME` makes one"));
    };
    Ok(shared.context().credentials().find(&root)?)
}
