//! Buckets.

use crate::gateway::Shared;
use crate::paging::{self, page};
use crate::permit::May;
use crate::{ApiError, body, wire};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use stead_event::body::Versioning;
use stead_gateway::access::Action;
use stead_gateway::objects::{Keep, Quorum, keep_wanted, quorum_wanted};
use stead_gateway::{Caller, Identity};

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Create {
    /// Whether it keeps versions from the start.
    #[serde(default)]
    versioned: bool,
}

/// Which page of a list.
#[derive(Deserialize, JsonSchema)]
pub(crate) struct Paging {
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// Items at most: 1 to 1,000, 100 where absent.
    pub(crate) limit: Option<usize>,
}

/// Buckets that `who` may see, by name.
pub(crate) fn visible(shared: &Shared, who: &Identity, most: usize) -> Result<Vec<wire::Bucket>, ApiError> {
    let names = shared.context().views.names()?;
    let published = shared.context().views.published()?.active()?;
    let access = shared.context().access();
    let mut buckets = Vec::new();
    for (name, record) in names.buckets()? {
        let seen = who.is_administrator() || access.lists(who, &name, record.owner_id.as_deref())?;
        if !seen || buckets.len() == most {
            continue;
        }
        let counts = names.counts(&name)?;
        let keep = keep_wanted(&names, &name)?;
        let copies = keep.and_then(|keep| match keep {
            Keep::Copies(copies) => Some(copies),
            Keep::Stripes(_) => None,
        });
        let quorum = quorum_wanted(&names, &name)?;
        let writes = (quorum != Quorum::default()).then(|| quorum.to_string());
        let erasure = keep.filter(|_| copies.is_none()).map(|keep| keep.to_string());
        let public_ipfs = published.iter().any(|publication| publication.bucket == name);
        buckets.push(wire::Bucket {
            name,
            created: record.created,
            versioning: record.versioning,
            objects: counts.objects,
            bytes: counts.bytes,
            versions: counts.versions,
            version_bytes: counts.version_bytes,
            owner: record.owner.0,
            public_ipfs,
            copies,
            erasure,
            writes,
        });
    }
    Ok(buckets)
}

/// `GET /api/v1/buckets`: those that the caller may see.
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Query(paging): Query<Paging>,
) -> Result<Json<wire::Page<wire::Bucket>>, ApiError> {
    let all = visible(&shared, &caller.identity, usize::MAX)?;
    let after = paging::place(paging.cursor.as_deref())?;
    Ok(Json(page(
        all,
        |bucket| &bucket.name,
        after,
        paging::limit(paging.limit),
    )))
}

/// `PUT /api/v1/buckets/{bucket}?versioned=`
pub(crate) async fn create(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
    Path(bucket): Path<String>,
    Query(query): Query<Create>,
) -> Result<StatusCode, ApiError> {
    let objects = shared.objects()?;
    objects.create_bucket(&bucket, caller.clone()).await?;
    if query.versioned {
        may.bucket(Action::PutBucketVersioning, &bucket)?;
        objects
            .set_versioning(&bucket, Versioning::Enabled, caller)
            .await?;
    }
    Ok(StatusCode::CREATED)
}

/// `PUT /api/v1/buckets/{bucket}/copies`
pub(crate) async fn copies(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(bucket): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    caller.identity.check_administrator()?;
    let wanted: wire::BucketCopies = body::json(&headers, body).await?;
    let keep = match (wanted.copies, wanted.erasure) {
        (None, None) => None,
        (Some(copies), None) => Some(copies.to_string()),
        (None, Some(pieces)) if pieces.contains('+') => Some(pieces),
        (None, Some(pieces)) => {
            let why = format!("{pieces:?} is no number of data and of parity pieces, such as 4+2");
            return Err(ApiError::invalid(why));
        }
        (Some(_), Some(_)) => return Err(ApiError::invalid("a bucket has copies or pieces, not both")),
    };
    let keep = keep.map(|text| text.parse::<Keep>()).transpose();
    let keep = keep.map_err(|error| ApiError::invalid(error.to_string()))?;
    if let Some(Keep::Stripes(scheme)) = keep {
        let nodes = shared.operations.cluster().await?.nodes;
        let holding = nodes
            .iter()
            .filter(|node| !node.witness && !node.draining)
            .count();
        if holding < scheme.pieces() {
            let pieces = scheme.pieces();
            let why = format!("{pieces} pieces need {pieces} nodes that hold data; there are {holding}");
            return Err(ApiError::invalid(why).next("let more nodes in, or ask for fewer pieces"));
        }
    }
    shared.objects()?.set_keep(&bucket, keep, caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /api/v1/buckets/{bucket}/writes`
pub(crate) async fn writes(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(bucket): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, ApiError> {
    caller.identity.check_administrator()?;
    let wanted: wire::BucketWrites = body::json(&headers, body).await?;
    let quorum = wanted.writes.parse::<Quorum>();
    let quorum = quorum.map_err(|error| ApiError::invalid(error.to_string()))?;
    shared.objects()?.set_quorum(&bucket, quorum, caller).await?;
    Ok(StatusCode::NO_CONTENT)
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
