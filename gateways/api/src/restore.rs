//! Bringing back what was deleted.

use crate::gateway::Shared;
use crate::permit::May;
use crate::{ApiError, body, wire};
use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use http::HeaderMap;
use std::sync::Arc;
use stead_gateway::access::Action;
use stead_gateway::objects::{CopyRequest, DeleteRequest, DeleteTarget, Expect, Lock};
use stead_gateway::{Caller, ObjectError};

/// `POST /api/v1/undelete`: where versions are kept, the delete marker goes; else the last state that is
/// still kept is stored again.
pub(crate) async fn undelete(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::Undeleted>, ApiError> {
    let wire::Undelete { bucket, key } = body::json(&headers, body).await?;
    // What is deleted is the past. Checked before anything is told.
    may.past(Action::GetObjectVersion, &bucket, Some(&key))?;
    may.object(Action::PutObject, &bucket, &key, None)?;
    let since = may.since(&bucket)?;
    let states = {
        let names = shared.context().views.names()?;
        if names.bucket(&bucket)?.is_none() {
            return Err(ObjectError::NoSuchBucket(bucket).into());
        }
        let mut states = names.versions(&bucket, &key)?;
        states.retain(|state| state.seq >= since);
        states
    };
    let newest = states.first();
    if newest.is_some_and(|state| state.listed && !state.marker) {
        return Err(ObjectError::Precondition(format!("{bucket}/{key} is there; nothing is deleted")).into());
    }
    if let Some(marker) = newest.filter(|state| state.listed && state.marker) {
        may.object(Action::DeleteObject, &bucket, &key, Some(marker.version_id()))?;
        return unmark(&shared, caller, bucket, key, marker.version_id().to_owned())
            .await
            .map(Json);
    }
    let Some(last) = states.iter().find(|state| !state.marker) else {
        return Err(ObjectError::NoSuchKey { bucket, key }.into());
    };
    let request = CopyRequest {
        protect: stead_gateway::objects::Protect::AsBucket,
        source_customer_key: None,
        source_bucket: bucket.clone(),
        source_key: key.clone(),
        source_version: None,
        source_at: Some(last.seq),
        source_etag: None,
        bucket,
        key,
        metadata: None,
        tags: None,
        expect: Some(Expect::Absent),
        lock: Lock::default(),
        caller,
    };
    let done = shared.objects()?.copy(request).await?;
    Ok(Json(wire::Undeleted {
        position: done.position,
        version: done.version.unwrap_or_else(|| "null".to_owned()),
        marker_removed: false,
    }))
}

async fn unmark(
    shared: &Shared,
    caller: Caller,
    bucket: String,
    key: String,
    marker: String,
) -> Result<wire::Undeleted, ApiError> {
    let target = DeleteTarget {
        key: key.clone(),
        version: Some(marker),
        expect: None,
        bypass: false,
    };
    let request = DeleteRequest {
        bucket: bucket.clone(),
        target,
        caller,
    };
    let done = shared.objects()?.delete(request).await?;
    let now = shared.context().views.names()?.object(&bucket, &key)?;
    Ok(wire::Undeleted {
        position: done.position.unwrap_or_default(),
        version: now.map_or_else(|| "null".to_owned(), |state| state.version_id().to_owned()),
        marker_removed: true,
    })
}
