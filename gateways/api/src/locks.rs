//! Named locks for programs.

use crate::buckets::Paging;
use crate::gateway::Shared;
use crate::paging::{self, page};
use crate::{ApiError, body, wire};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use stead_event::Position;
use stead_gateway::locks::{Fence, LockRequest, LockService, may_see};
use stead_gateway::{Caller, ObjectError, Objects};
use stead_view::LockRecord;

/// The lease of one that names none, in seconds.
const TTL_S: u64 = 15;
/// Names the lock and the token that a change is only accepted with.
pub(crate) const LOCK_HEADER: &str = "x-stead-lock";

/// Which acquisition ends.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct End {
    /// The token that the lock was acquired with.
    fencing_token: Option<Position>,
    /// Whether to take it away from whoever holds it; for the administrator.
    #[serde(default)]
    force: bool,
}

fn service(shared: &Shared) -> Result<LockService, ApiError> {
    Ok(LockService::new(shared.objects()?.clone()))
}

/// What changes objects, where the request names a lock only as long as that is held.
pub(crate) fn fenced(shared: &Shared, headers: &HeaderMap) -> Result<Objects, ApiError> {
    let fence = headers.get(LOCK_HEADER).map(|value| {
        let text = value
            .to_str()
            .map_err(|_| ApiError::invalid("x-stead-lock is no text"))?;
        Ok::<_, ApiError>(Fence::parse(text)?)
    });
    Ok(shared.objects()?.fenced(fence.transpose()?))
}

fn lock(record: LockRecord) -> wire::Lock {
    wire::Lock {
        name: record.name,
        token: record.token,
        owner: record.owner,
        actor: record.actor.0,
        ttl_s: record.ttl_s,
        since: record.since,
    }
}

/// `GET /api/v1/locks`
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Query(paging): Query<Paging>,
) -> Result<Json<wire::Page<wire::Lock>>, ApiError> {
    let mut held = shared.context().views.locks()?.held()?;
    held.retain(|lock| may_see(&caller.identity, &lock.name));
    let after = paging::place(paging.cursor.as_deref())?;
    Ok(Json(page(
        held.into_iter().map(lock).collect(),
        |lock: &wire::Lock| &lock.name,
        after,
        paging::limit(paging.limit),
    )))
}

/// `GET /api/v1/locks/{*name}`
pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Json<wire::Lock>, ApiError> {
    if !may_see(&caller.identity, &name) {
        return Err(ObjectError::NoSuchLock(name).into());
    }
    Ok(Json(lock(service(&shared)?.lock(&name)?)))
}

/// `POST /api/v1/locks/{*name}`
pub(crate) async fn acquire(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<wire::Lock>), ApiError> {
    let wanted: wire::AcquireLock = body::json(&headers, body).await?;
    let or = |text: String, other: &dyn Fn() -> String| if text.is_empty() { other() } else { text };
    let request = LockRequest {
        name,
        owner: or(wanted.owner, &|| caller.identity.principal.0.clone()),
        request: or(wanted.request, &|| {
            hex::encode(shared.context().rng.bytes::<16>())
        }),
        ttl_s: wanted.ttl_s.unwrap_or(TTL_S),
        wait: Duration::from_secs(wanted.wait_s),
    };
    let held = service(&shared)?.acquire(request, &caller).await?;
    Ok((StatusCode::CREATED, Json(lock(held))))
}

/// `PUT /api/v1/locks/{*name}`
pub(crate) async fn renew(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::Lock>, ApiError> {
    let wanted: wire::RenewLock = body::json(&headers, body).await?;
    let held = service(&shared)?.renew(&name, wanted.token, &caller).await?;
    Ok(Json(lock(held)))
}

/// `DELETE /api/v1/locks/{*name}?fencing_token=` or `?force=true`
pub(crate) async fn release(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Query(end): Query<End>,
) -> Result<StatusCode, ApiError> {
    let locks = service(&shared)?;
    match end.fencing_token {
        Some(token) => locks.release(&name, token, &caller).await?,
        None if end.force => drop(locks.break_lock(&name, &caller).await?),
        None => {
            let next = "add ?fencing_token=TOKEN, as the lock was acquired with; an administrator may say ?force=true";
            return Err(ApiError::invalid("a lock is released by its token").next(next));
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
