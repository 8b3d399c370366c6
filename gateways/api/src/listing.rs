//! Listings of objects and of versions, now or as of a past moment.

use crate::gateway::Shared;
use crate::objects::{describe, position};
use crate::permit::May;
use crate::{ApiError, paging, wire};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use stead_gateway::ObjectError;
use stead_gateway::objects::check_kept;
use stead_view::{ListQuery, Names, VersionQuery};

#[derive(Deserialize, JsonSchema)]
pub(crate) struct List {
    /// Only keys that begin so.
    #[serde(default)]
    prefix: String,
    /// Keys that have it behind the prefix are rolled up into `prefixes`.
    delimiter: Option<String>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Items and prefixes together at most: 1 to 1,000, 100 where absent.
    limit: Option<usize>,
    /// As of a position of the log, or of a moment (RFC 3339).
    at: Option<String>,
    /// Every version and delete marker, not only what is current. Not together with `at`.
    versions: Option<String>,
}

/// `GET /api/v1/objects/{bucket}?prefix=&delimiter=&cursor=&limit=&at=&versions=`
pub(crate) async fn list(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Path(bucket): Path<String>,
    Query(query): Query<List>,
) -> Result<Json<wire::Listing>, ApiError> {
    let at = position(&shared, query.at.as_deref())?;
    may.at(&bucket, at)?;
    let names = shared.context().views.names()?;
    if let Some(at) = at {
        check_kept(&names, at, &format!("the listing of {bucket}"))?;
    }
    let known = match at {
        Some(at) => names.bucket_at(&bucket, at)?,
        None => names.bucket(&bucket)?,
    };
    if known.is_none() {
        return Err(ObjectError::NoSuchBucket(bucket).into());
    }
    let every = query.versions.as_deref().is_some_and(truth);
    if every && at.is_some() {
        return Err(ApiError::invalid(
            "versions= and at= contradict each other: give one of them",
        ));
    }
    let mut listing = if every {
        versions(&names, &bucket, query)?
    } else {
        objects(&names, &bucket, query, at)?
    };
    if !may.owns(&bucket) {
        // A list tells what is there; what is kept with an object is for who may read that object.
        for item in &mut listing.items {
            item.headers.clear();
            item.metadata.clear();
        }
    }
    Ok(Json(listing))
}

/// Whether a flag of a query is set.
pub(crate) fn truth(flag: &str) -> bool {
    !matches!(flag, "0" | "false" | "")
}

fn objects(names: &Names, bucket: &str, query: List, at: Option<u64>) -> Result<wire::Listing, ApiError> {
    let wanted = ListQuery {
        prefix: query.prefix,
        after: paging::place(query.cursor.as_deref())?,
        delimiter: query.delimiter.filter(|delimiter| !delimiter.is_empty()),
        max: paging::limit(query.limit),
    };
    let page = match at {
        Some(at) => names.list_at(bucket, &wanted, at)?,
        None => names.list(bucket, &wanted)?,
    };
    let items = page.objects.iter();
    Ok(wire::Listing {
        items: items.map(|(key, record)| describe(bucket, key, record)).collect(),
        prefixes: page.prefixes,
        next: page.next.map(|last| paging::cursor(&last)),
        position: at.map_or_else(|| names.position(), Ok)?,
    })
}

fn versions(names: &Names, bucket: &str, query: List) -> Result<wire::Listing, ApiError> {
    let (key, version) = match paging::place::<(String, Option<String>)>(query.cursor.as_deref())? {
        Some((key, version)) => (Some(key), version),
        None => (None, None),
    };
    let wanted = VersionQuery {
        prefix: query.prefix,
        key_marker: key,
        version_marker: version,
        delimiter: query.delimiter.filter(|delimiter| !delimiter.is_empty()),
        max: paging::limit(query.limit),
    };
    let page = names.list_versions(bucket, &wanted)?;
    let items = page.versions.iter();
    Ok(wire::Listing {
        items: items
            .map(|entry| wire::Object {
                latest: Some(entry.latest),
                ..describe(bucket, &entry.key, &entry.record)
            })
            .collect(),
        prefixes: page.prefixes,
        next: page.next.map(|last| paging::cursor(&last)),
        position: names.position()?,
    })
}
