//! Versions: what a bucket that keeps them has below a prefix, delete markers too.

use crate::gateway::Shared;
use crate::objects::describe;
use crate::{ApiError, wire};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde::Deserialize;
use std::sync::Arc;
use stead_gateway::{Caller, ObjectError};
use stead_view::VersionQuery;

/// The most versions that a page has.
const PAGE: usize = 1000;

#[derive(Deserialize)]
pub(crate) struct List {
    #[serde(default)]
    prefix: String,
    after: Option<String>,
    after_version: Option<String>,
    delimiter: Option<String>,
    max: Option<usize>,
}

/// `GET /api/v1/versions/{bucket}?prefix=&after=&after_version=&delimiter=&max=`: by key, each key's newest
/// first.
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Path(bucket): Path<String>,
    Query(query): Query<List>,
) -> Result<Json<wire::Versions>, ApiError> {
    caller.identity.check_read(&bucket)?;
    let names = shared.context().views.names()?;
    if names.bucket(&bucket)?.is_none() {
        return Err(ObjectError::NoSuchBucket(bucket).into());
    }
    let wanted = VersionQuery {
        prefix: query.prefix,
        key_marker: query.after,
        version_marker: query.after_version,
        delimiter: query.delimiter.filter(|delimiter| !delimiter.is_empty()),
        max: query.max.unwrap_or(PAGE).clamp(1, PAGE),
    };
    let page = names.list_versions(&bucket, &wanted)?;
    let (next, next_version) = page
        .next
        .map_or((None, None), |(key, version)| (Some(key), version));
    let versions = page.versions.iter().map(|entry| wire::Version {
        latest: entry.latest,
        marker: entry.record.marker,
        object: describe(&bucket, &entry.key, &entry.record),
    });
    Ok(Json(wire::Versions {
        versions: versions.collect(),
        prefixes: page.prefixes,
        next,
        next_version,
    }))
}
