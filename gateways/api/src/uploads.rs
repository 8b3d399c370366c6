//! Multipart uploads: what makes large copies resumable.

use crate::gateway::Shared;
use crate::objects::{claims, stored};
use crate::permit::May;
use crate::{ApiError, body, wire};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use stead_event::TextMap;
use stead_gateway::access::Action;
use stead_gateway::objects::{CompleteRequest, CompletedPart, Lock, PartRequest, StartRequest};
use stead_gateway::{Caller, ObjectError};

/// Which object an upload is for.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Target {
    bucket: String,
    key: String,
}

/// `POST /api/v1/uploads`
pub(crate) async fn start(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<wire::Upload>), ApiError> {
    let wanted: wire::StartUpload = body::json(&headers, body).await?;
    may.object(Action::PutObject, &wanted.bucket, &wanted.key, None)?;
    let request = StartRequest {
        protect: stead_gateway::objects::Protect::AsBucket,
        bucket: wanted.bucket.clone(),
        key: wanted.key.clone(),
        headers: wanted.headers,
        metadata: wanted.metadata,
        tags: TextMap::new(),
        lock: Lock::default(),
        checksum_algorithm: None,
        checksum_composite: None,
        caller,
    };
    let (upload, _) = shared.objects()?.start_upload(request).await?;
    let answer = wire::Upload {
        bucket: wanted.bucket,
        key: wanted.key,
        upload,
        parts: Vec::new(),
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// `GET /api/v1/uploads/{upload}?bucket=&key=`: the parts that arrived.
pub(crate) async fn parts(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Path(upload): Path<String>,
    Query(target): Query<Target>,
) -> Result<Json<wire::Upload>, ApiError> {
    let Target { bucket, key } = &target;
    may.upload(Action::ListMultipartUploadParts, bucket, key, &upload)?;
    let names = shared.context().views.names()?;
    if names.upload(&target.bucket, &target.key, &upload)?.is_none() {
        return Err(ObjectError::NoSuchUpload {
            bucket: target.bucket,
            key: target.key,
            upload,
        }
        .into());
    }
    let records = names.parts(&upload, 0, shared.context().limits.parts as usize)?;
    let parts = records
        .into_iter()
        .map(|part| wire::Part {
            number: part.number,
            size: part.size,
            etag: part.etag,
            cid: part.cid.to_string(),
        })
        .collect();
    Ok(Json(wire::Upload {
        bucket: target.bucket,
        key: target.key,
        upload,
        parts,
    }))
}

/// `PUT /api/v1/uploads/{upload}/{number}?bucket=&key=`
pub(crate) async fn part(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    Path((upload, number)): Path<(String, u32)>,
    Query(target): Query<Target>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::Part>, ApiError> {
    may.upload(Action::PutObject, &target.bucket, &target.key, &upload)?;
    let request = PartRequest {
        customer_key: None,
        bucket: target.bucket,
        key: target.key,
        upload,
        number,
        caller,
    };
    let done = shared
        .objects()?
        .put_part(request, body::stream(body), claims(&headers)?)
        .await?;
    shared.context().metrics.received("api", done.size);
    Ok(Json(wire::Part {
        number,
        size: done.size,
        etag: done.etag,
        cid: done.cid.to_string(),
    }))
}

/// `POST /api/v1/uploads/{upload}?bucket=&key=`: joins the parts.
pub(crate) async fn complete(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    Path(upload): Path<String>,
    Query(target): Query<Target>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::Stored>, ApiError> {
    let wanted: wire::CompleteUpload = body::json(&headers, body).await?;
    let parts = wanted
        .parts
        .into_iter()
        .map(|(number, etag)| CompletedPart {
            number,
            etag,
            checksum: None,
        })
        .collect();
    may.upload(Action::PutObject, &target.bucket, &target.key, &upload)?;
    let request = CompleteRequest {
        bucket: target.bucket,
        key: target.key,
        upload,
        parts,
        checksum: None,
        size: None,
        expect: None,
        caller,
    };
    Ok(Json(stored(shared.objects()?.complete_upload(request).await?)))
}

/// `DELETE /api/v1/uploads/{upload}?bucket=&key=`
pub(crate) async fn abort(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    Path(upload): Path<String>,
    Query(target): Query<Target>,
) -> Result<StatusCode, ApiError> {
    let Target { bucket, key } = &target;
    may.upload(Action::AbortMultipartUpload, bucket, key, &upload)?;
    shared
        .objects()?
        .abort_upload(&target.bucket, &target.key, &upload, caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
