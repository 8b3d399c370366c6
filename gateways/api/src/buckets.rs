//! Buckets.

use crate::gateway::Shared;
use crate::{ApiError, wire};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use stead_event::body::Versioning;
use stead_gateway::Caller;

#[derive(Deserialize)]
pub(crate) struct Create {
    #[serde(default)]
    versioned: bool,
}

/// `GET /api/v1/buckets`: those that the caller may see.
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<wire::Buckets>, ApiError> {
    let names = shared.context().views.names()?;
    let mut buckets = Vec::new();
    for (name, record) in names.buckets()? {
        if !caller.identity.may_read(&name) {
            continue;
        }
        let counts = names.counts(&name)?;
        buckets.push(wire::Bucket {
            name,
            created: record.created,
            versioning: record.versioning,
            objects: counts.objects,
            bytes: counts.bytes,
        });
    }
    Ok(Json(wire::Buckets { buckets }))
}

/// `PUT /api/v1/buckets/{bucket}?versioned=`
pub(crate) async fn create(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(bucket): Path<String>,
    Query(query): Query<Create>,
) -> Result<StatusCode, ApiError> {
    let objects = shared.objects()?;
    objects.create_bucket(&bucket, caller.clone()).await?;
    if query.versioned {
        objects
            .set_versioning(&bucket, Versioning::Enabled, caller)
            .await?;
    }
    Ok(StatusCode::CREATED)
}

/// `DELETE /api/v1/buckets/{bucket}`
pub(crate) async fn delete(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(bucket): Path<String>,
) -> Result<StatusCode, ApiError> {
    shared.objects()?.delete_bucket(&bucket, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
