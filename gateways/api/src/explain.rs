//! The pages of error codes.

use crate::{ApiError, wire};
use axum::Json;
use axum::extract::Path;
use http::StatusCode;
use stead_gateway::codes;

/// `GET /api/v1/explain/{code}`
pub(crate) async fn explain(Path(code): Path<String>) -> Result<Json<wire::Explanation>, ApiError> {
    let Some(page) = codes::explain(&code) else {
        return Err(ApiError::invalid("there is no such code").status(StatusCode::NOT_FOUND));
    };
    Ok(Json(wire::Explanation {
        code: page.code.to_string(),
        title: page.title.to_owned(),
        meaning: page.meaning.to_owned(),
        next: page.next.to_owned(),
    }))
}
