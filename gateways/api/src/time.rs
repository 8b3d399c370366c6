//! Moments and positions: what the time slider needs.

use crate::gateway::Shared;
use crate::log::event_at;
use crate::{ApiError, wire};
use axum::Json;
use axum::extract::{Path, Query, State};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use stead_event::Timestamp;
use stead_gateway::ObjectError;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct When {
    /// A moment (RFC 3339).
    time: String,
}

/// `GET /api/v1/at?time=`
pub(crate) async fn at(
    State(shared): State<Arc<Shared>>,
    Query(when): Query<When>,
) -> Result<Json<wire::At>, ApiError> {
    let time: Timestamp = when
        .time
        .parse()
        .map_err(|_| ApiError::invalid(format!("{:?} is not a moment in RFC 3339", when.time)))?;
    let position = shared.context().views.position_at(time)?;
    Ok(Json(wire::At { position, time }))
}

/// `GET /api/v1/timeline/{bucket}`
pub(crate) async fn timeline(
    State(shared): State<Arc<Shared>>,
    Path(bucket): Path<String>,
) -> Result<Json<wire::Timeline>, ApiError> {
    let names = shared.context().views.names()?;
    let Some(record) = names.bucket(&bucket)? else {
        return Err(ObjectError::NoSuchBucket(bucket).into());
    };
    let position = names.position()?;
    let time = event_at(shared.context(), shared.tenant(), position)?.at;
    Ok(Json(wire::Timeline {
        first: wire::Moment {
            position: record.id,
            time: record.created,
        },
        last: wire::Moment { position, time },
        kept_since: names.pruned_before()?,
    }))
}
