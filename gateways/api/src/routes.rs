//! The table of endpoints.

use crate::gateway::{Shared, not_found};
use crate::{buckets, console, keys, log, objects, provenance, upkeep, uploads, versions};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post, put};
use http::Method;
use std::sync::Arc;

/// Every endpoint, over what handlers work with.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/healthz", get(upkeep::healthz))
        .route("/metrics", get(upkeep::metrics))
        .route("/api/v1/status", get(upkeep::status))
        .route("/api/v1/buckets", get(buckets::list))
        .route(
            "/api/v1/buckets/{bucket}",
            put(buckets::create).delete(buckets::delete),
        )
        .route("/api/v1/objects/{bucket}", get(objects::list))
        .route(
            "/api/v1/objects/{bucket}/{*key}",
            get(objects::get).put(objects::put).delete(objects::delete),
        )
        .route("/api/v1/versions/{bucket}", get(versions::list))
        .route("/api/v1/copy", post(objects::copy))
        .route("/api/v1/uploads", post(uploads::start))
        .route(
            "/api/v1/uploads/{upload}",
            get(uploads::parts).post(uploads::complete).delete(uploads::abort),
        )
        .route("/api/v1/uploads/{upload}/{number}", put(uploads::part))
        .route("/api/v1/log", get(log::read))
        .route("/api/v1/log/checkpoint", post(log::checkpoint))
        .route("/api/v1/log/verify", post(log::verify))
        .route("/api/v1/history/{bucket}", get(provenance::bucket_history))
        .route("/api/v1/history/{bucket}/{*key}", get(provenance::history))
        .route("/api/v1/why", get(provenance::why))
        .route("/api/v1/keys", get(keys::list).post(keys::create))
        .route("/api/v1/keys/{access_key}", delete(keys::revoke))
        .route("/api/v1/console/link", post(console::link))
        .route("/api/v1/scrub", post(upkeep::scrub))
        .route("/api/v1/gc", post(upkeep::collect))
        .route("/api/v1/view/rebuild", post(upkeep::rebuild))
        .route("/api/v1/doctor", get(upkeep::doctor))
        .fallback(not_found)
        // Bodies are bounded where they are read: JSON by `body`, objects by the context's limits.
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

/// Whether an endpoint needs no signature: it tells nothing about anybody's data.
pub(crate) fn is_open(path: &str) -> bool {
    matches!(path, "/healthz" | "/metrics")
}

/// The operation of a request, for metrics: the endpoint without what it is about, so that there are few.
pub(crate) fn operation(method: &Method, path: &str) -> &'static str {
    let first = path
        .strip_prefix("/api/v1/")
        .unwrap_or(path)
        .split('/')
        .next()
        .unwrap_or_default();
    match (first, method) {
        ("objects", &Method::GET | &Method::HEAD) => "GetObject",
        ("objects", &Method::PUT) => "PutObject",
        ("objects", &Method::DELETE) => "DeleteObject",
        ("versions", _) => "ListVersions",
        ("objects", _) | ("copy", _) => "CopyObject",
        ("uploads", _) => "Upload",
        ("buckets", _) => "Bucket",
        ("log", _) => "Log",
        ("history" | "why", _) => "History",
        ("keys", _) => "Key",
        ("status", _) => "Status",
        ("scrub" | "gc" | "view" | "doctor", _) => "Upkeep",
        _ => "Other",
    }
}
