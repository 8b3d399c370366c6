//! What is public to IPFS: publish, unpublish, list.

use crate::gateway::Shared;
use crate::{ApiError, body, wire};
use axum::body::Body;
use axum::extract::State;
use axum::{Extension, Json};
use http::HeaderMap;
use std::sync::Arc;
use std::time::Duration;
use stead_gateway::{Caller, ReadContext};
use stead_view::Publication;

/// How long an answer waits for the directory that it is about; what is not ready then has no root yet.
const WAIT: Duration = Duration::from_secs(20);

/// A publication as JSON.
fn describe(context: &ReadContext, publication: &Publication) -> wire::IpfsPublication {
    let head = context.views.position(&context.tenant);
    let seen = context
        .published()
        .map(stead_view::published::Index::seen)
        .or(publication.root.map(|root| root.position))
        .unwrap_or_default();
    let directory = context
        .published()
        .and_then(|index| index.directory(publication.id, "").ok().flatten());
    wire::IpfsPublication {
        bucket: publication.bucket.clone(),
        prefix: publication.prefix.clone(),
        ipns: publication.ipns.clone(),
        cid: publication.root.map(|root| root.cid.to_string()),
        sequence: publication.sequence,
        position: publication.root.map_or(0, |root| root.position),
        since: publication.at,
        entries: directory.map(|directory| directory.entries),
        bytes: directory.map(|directory| directory.total_size),
        behind: head.saturating_sub(seen),
    }
}

/// `GET /api/v1/ipfs`: what of the buckets that the caller may see is public.
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<wire::Ipfs>, ApiError> {
    let context = shared.context();
    let view = context.views.published()?;
    let mine = |bucket: &str| caller.identity.may_read(bucket);
    let published = view.active()?;
    let published = published.iter().filter(|publication| mine(&publication.bucket));
    let pins = view.pins()?.into_iter().filter(|pin| mine(&pin.bucket));
    Ok(Json(wire::Ipfs {
        published: published
            .map(|publication| describe(context, publication))
            .collect(),
        pins: pins
            .map(|pin| wire::IpfsPin {
                bucket: pin.bucket,
                key: pin.key,
                cid: pin.cid.to_string(),
                partial: pin.partial,
                at: pin.at,
            })
            .collect(),
    }))
}

/// `POST /api/v1/ipfs/publish`
pub(crate) async fn publish(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::IpfsPublication>, ApiError> {
    let place: wire::IpfsPlace = body::json(&headers, body).await?;
    let objects = shared.objects()?;
    let done = objects.publish(&place.bucket, &place.prefix, caller).await?;
    objects.published_at(done.publication.id, WAIT).await;
    let prefix = &done.publication.prefix;
    let now = shared.context().views.published()?.find(&place.bucket, prefix)?;
    Ok(Json(describe(
        shared.context(),
        now.as_ref().unwrap_or(&done.publication),
    )))
}

/// `POST /api/v1/ipfs/unpublish`: answered when nothing of it is given any more.
pub(crate) async fn unpublish(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::IpfsUnpublished>, ApiError> {
    let place: wire::IpfsPlace = body::json(&headers, body).await?;
    let objects = shared.objects()?;
    let position = objects.unpublish(&place.bucket, &place.prefix, caller).await?;
    let done = objects.published_at(position, WAIT).await;
    Ok(Json(wire::IpfsUnpublished { position, done }))
}
