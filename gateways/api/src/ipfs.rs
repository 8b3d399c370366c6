//! What is public to IPFS: publish, unpublish, list.

use crate::gateway::Shared;
use crate::permit::May;
use crate::{ApiError, body, steps, wire};
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::{Extension, Json};
use http::{HeaderMap, HeaderValue, header};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use stead_event::Cid;
use stead_gateway::access::Action;
use stead_gateway::ipfs::{ImportDone, ImportRequest, IpfsError};
use stead_gateway::{Caller, ObjectError, ReadContext};
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
    Extension(may): Extension<May>,
) -> Result<Json<wire::Ipfs>, ApiError> {
    let context = shared.context();
    let view = context.views.published()?;
    let mine = |bucket: &str| may.owns(bucket);
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
    Extension(may): Extension<May>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::IpfsPublication>, ApiError> {
    let place: wire::IpfsPlace = body::json(&headers, body).await?;
    // Whoever may show the bucket to the world as a website may show it so.
    may.bucket(Action::PutBucketWebsite, &place.bucket)?;
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
    Extension(may): Extension<May>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::IpfsUnpublished>, ApiError> {
    let place: wire::IpfsPlace = body::json(&headers, body).await?;
    may.bucket(Action::PutBucketWebsite, &place.bucket)?;
    let objects = shared.objects()?;
    let position = objects.unpublish(&place.bucket, &place.prefix, caller).await?;
    let done = objects.published_at(position, WAIT).await;
    Ok(Json(wire::IpfsUnpublished { position, done }))
}

fn cid(text: &str) -> Result<Cid, ApiError> {
    let shown = || IpfsError::NotACid(text.chars().take(80).collect());
    Ok(Cid::try_from(text).map_err(|_| ObjectError::from(shown()))?)
}

fn imported(done: &ImportDone) -> wire::IpfsImported {
    wire::IpfsImported {
        roots: done.roots.iter().map(Cid::to_string).collect(),
        blocks: done.blocks,
        bytes: done.bytes,
        objects: done.objects,
        position: done.position,
    }
}

/// Whether the caller may change what of a bucket is kept for IPFS, and put what comes in under a key.
fn fills(may: &May, bucket: &str, key: &str) -> Result<(), ApiError> {
    may.bucket(Action::PutBucketWebsite, bucket)?;
    may.object(Action::PutObject, bucket, key, None)
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Import {
    bucket: String,
    /// A file's key, or what a directory's keys begin with.
    #[serde(default)]
    key: String,
    /// Keep what is there of a DAG that is not whole; no objects are made of it.
    #[serde(default)]
    partial: bool,
}

/// `POST /api/v1/ipfs/import?bucket=&key=&partial=`: the body is a CAR.
pub(crate) async fn import(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    Query(query): Query<Import>,
    body: Body,
) -> Result<Json<wire::IpfsImported>, ApiError> {
    fills(&may, &query.bucket, &query.key)?;
    let request = ImportRequest {
        bucket: query.bucket,
        key: query.key,
        partial: query.partial,
        caller,
    };
    let objects = shared.objects()?;
    let mut sent = Box::pin(body::stream(body));
    let done = match objects.import_car(request, sent.as_mut()).await {
        Ok(done) => done,
        Err(error) => {
            // Who is still sending reads no answer.
            body::drain(sent).await;
            return Err(error.into());
        }
    };
    objects.published_at(done.position, WAIT).await;
    Ok(Json(imported(&done)))
}

/// `POST /api/v1/ipfs/pin`: fetches a DAG from gateways; steps.
pub(crate) async fn pin(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let wanted: wire::IpfsFetch = body::json(&headers, body).await?;
    fills(&may, &wanted.bucket, &wanted.key)?;
    let root = cid(&wanted.cid)?;
    let objects = shared.objects()?.clone();
    let request = ImportRequest {
        bucket: wanted.bucket,
        key: wanted.key,
        partial: false,
        caller,
    };
    Ok(steps::answer(move |progress| async move {
        let told = |done| progress(wire::Progress { done, total: 0 });
        let done = objects.pin_from(request, root, &wanted.from, told).await?;
        objects.published_at(done.position, WAIT).await;
        Ok(imported(&done))
    }))
}

/// `POST /api/v1/ipfs/unpin`
pub(crate) async fn unpin(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<wire::IpfsUnpublished>, ApiError> {
    let wanted: wire::IpfsUnpin = body::json(&headers, body).await?;
    fills(&may, &wanted.bucket, &wanted.key)?;
    let root = cid(&wanted.cid)?;
    let objects = shared.objects()?;
    let position = objects.unpin(&wanted.bucket, &wanted.key, root, caller).await?;
    let done = objects.published_at(position, WAIT).await;
    Ok(Json(wire::IpfsUnpublished { position, done }))
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Export {
    /// A CID; what is not public takes a key for all buckets.
    cid: Option<String>,
    /// Instead: an object's bucket, or one that is published.
    bucket: Option<String>,
    /// Its key, or the prefix that is published.
    #[serde(default)]
    key: String,
}

/// `GET /api/v1/ipfs/export?cid=` or `?bucket=&key=`: a CAR.
pub(crate) async fn export(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    Query(query): Query<Export>,
) -> Result<Response, ApiError> {
    let (cid, only_public) = match (&query.cid, &query.bucket) {
        (Some(text), None) => (cid(text)?, !caller.identity.is_administrator()),
        (None, Some(bucket)) => (rooted(&shared, &caller, &may, bucket, &query.key)?, false),
        _ => return Err(ApiError::invalid("give cid=, or bucket= and key=")),
    };
    let body = shared.objects()?.export(cid, only_public).await?;
    let mut response = Response::new(Body::from_stream(body));
    let media = HeaderValue::from_static("application/vnd.ipld.car; version=1; order=dfs; dups=n");
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    Ok(response)
}

/// The root of an object, or of a prefix that is published.
fn rooted(shared: &Shared, caller: &Caller, may: &May, bucket: &str, key: &str) -> Result<Cid, ApiError> {
    caller.identity.check_read(bucket)?;
    let context = shared.context();
    let prefix = stead_gateway::ipfs::prefix_of(key)?;
    let published = context.views.published()?.find(bucket, &prefix)?;
    if let Some(root) = published.and_then(|published| published.root) {
        return Ok(root.cid);
    }
    may.object(Action::GetObject, bucket, key, None)?;
    let request = stead_gateway::objects::GetRequest {
        who: &caller.identity,
        bucket,
        key,
        version: None,
        at: None,
        range: None,
    };
    let record = shared.reader.head(&request)?;
    let damaged = || ObjectError::Damaged("an object without a CID".into());
    Ok(record.cid.ok_or_else(damaged)?)
}
