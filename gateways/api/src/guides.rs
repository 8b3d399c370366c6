//! The guides, and for the one about outages what this node sees now.

use crate::gateway::Shared;
use crate::permit::May;
use crate::{ApiError, wire};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use http::StatusCode;
use std::sync::Arc;

/// `GET /api/v1/guides`
pub(crate) async fn list() -> Json<Vec<wire::GuideSummary>> {
    let all = stead_guide::all().into_iter();
    Json(all.map(|guide| guide.about).collect())
}

/// `GET /api/v1/guides/{guide}`
pub(crate) async fn one(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Path(name): Path<String>,
) -> Result<Json<wire::Guide>, ApiError> {
    let Some(guide) = stead_guide::find(&name) else {
        let next = match stead_guide::nearest(&name) {
            Some(meant) => format!("did you mean {meant:?}? /api/v1/guides lists them"),
            None => "/api/v1/guides lists them".to_owned(),
        };
        return Err(ApiError::invalid("there is no such guide")
            .status(StatusCode::NOT_FOUND)
            .next(next));
    };
    let mut blocks = stead_guide::blocks(guide.page);
    let mut live = None;
    // How the node is may know who may ask for its status.
    if name == stead_guide::OUTAGE && may.oversee().is_ok() {
        let status = shared.operations.status().await?;
        let now = stead_guide::live(&status, &shared.operations.warnings().await);
        blocks = stead_guide::with_present_first(blocks, &now);
        live = Some(now);
    }
    Ok(Json(wire::Guide {
        about: guide.about,
        blocks,
        live,
    }))
}
