//! What a person wants to see first, and the figures over time.

use crate::gateway::Shared;
use crate::permit::May;
use crate::series::FIGURES;
use crate::{ApiError, buckets, wire};
use axum::extract::{Query, State};
use axum::{Extension, Json};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use stead_gateway::Caller;

/// Buckets in an overview at most.
const BUCKETS: usize = 1000;

/// `GET /api/v1/overview`
pub(crate) async fn overview(
    State(shared): State<Arc<Shared>>,
    Extension(caller): Extension<Caller>,
    Extension(may): Extension<May>,
) -> Result<Json<wire::Overview>, ApiError> {
    let context = shared.context();
    let (warnings, power) = if may.oversee().is_ok() {
        (shared.operations.warnings().await, shared.operations.power())
    } else {
        (Vec::new(), None)
    };
    let (free, total) = context.store.room();
    Ok(Json(wire::Overview {
        node: shared.operations.facts(),
        space: wire::Space {
            total,
            free,
            used: context.store.stat().disk_bytes,
        },
        buckets: buckets::visible(&shared, &caller.identity, BUCKETS)?,
        position: context.views.position(shared.tenant()),
        warnings,
        power,
        rates: shared.figures.rates(context),
    }))
}

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Asked {
    /// Names with commas between them; all where absent.
    names: Option<String>,
    /// Only points behind this many seconds since 1970.
    since: Option<i64>,
}

/// `GET /api/v1/series?names=&since=`
pub(crate) async fn series(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Query(asked): Query<Asked>,
) -> Result<Json<wire::SeriesSet>, ApiError> {
    may.oversee()?;
    let known = || FIGURES.iter().map(|figure| figure.name).collect::<Vec<_>>();
    let names: Vec<String> = match &asked.names {
        Some(names) => names.split(',').map(|name| name.trim().to_owned()).collect(),
        None => known().into_iter().map(str::to_owned).collect(),
    };
    if let Some(unknown) = names.iter().find(|name| !known().contains(&name.as_str())) {
        return Err(ApiError::invalid(format!("there is no series {unknown:?}"))
            .next(format!("name some of: {}", known().join(", "))));
    }
    Ok(Json(
        shared.figures.series(&names, asked.since.unwrap_or(i64::MIN)),
    ))
}
