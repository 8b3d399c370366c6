//! Access keys.

use crate::buckets::Paging;
use crate::gateway::Shared;
use crate::paging::{self, page};
use crate::{ApiError, body, wire};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use stead_gateway::Caller;
use stead_gateway::objects::KeyRequest;

/// `GET /api/v1/keys`
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Query(paging): Query<Paging>,
) -> Result<Json<wire::Page<wire::Key>>, ApiError> {
    caller.identity.check_administrator()?;
    let records = shared.context().views.keys()?.keys()?;
    let keys = records
        .into_iter()
        .map(|record| wire::Key {
            access_key: record.access_key,
            name: record.name,
            id: record.canonical_id,
            scope: record.scope,
            created: record.created.1,
            revoked: record.revoked.map(|(_, at)| at),
        })
        .collect();
    let after = paging::place(paging.cursor.as_deref())?;
    Ok(Json(page(
        keys,
        |key: &wire::Key| &key.access_key,
        after,
        paging::limit(paging.limit),
    )))
}

/// `POST /api/v1/keys`
pub(crate) async fn create(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<wire::NewKey>), ApiError> {
    let wanted: wire::CreateKey = body::json(&headers, body).await?;
    let request = KeyRequest {
        name: wanted.name,
        scope: wanted.scope,
        given: None,
    };
    let done = shared.objects()?.create_key(request, caller).await?;
    let key = wire::NewKey {
        access_key: done.access_key,
        secret_key: done.secret_key,
        id: done.canonical_id,
    };
    Ok((StatusCode::CREATED, Json(key)))
}

/// `DELETE /api/v1/keys/{access_key}`
pub(crate) async fn revoke(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(access_key): Path<String>,
) -> Result<StatusCode, ApiError> {
    shared.objects()?.revoke_key(&access_key, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
