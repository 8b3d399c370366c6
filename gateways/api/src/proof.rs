//! One line of the log, and what proves its place.

use crate::filter::Filter;
use crate::gateway::Shared;
use crate::log::{Lines, Raw, Whose, damaged, meant};
use crate::permit::May;
use crate::{ApiError, wire};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use http::StatusCode;
use std::sync::Arc;
use stead_event::event::line_cid;
use stead_event::{Cid, Event, Position, cids};
use stead_gateway::access::Action;
use stead_gateway::codes;

/// `GET /api/v1/log/{position}?tenant=`
pub(crate) async fn proven(
    State(shared): State<Arc<Shared>>,
    Extension(may): Extension<May>,
    Path(position): Path<Position>,
    Query(whose): Query<Whose>,
) -> Result<Json<wire::Proven>, ApiError> {
    let tenant = meant(&shared, whose.tenant)?;
    let lines = Lines::new(shared.context(), &tenant, Filter::default());
    let head = shared.context().tail.head(&tenant);
    if position == 0 || position > head.seq {
        let message = format!(
            "the log of {tenant} has no position {position}; it ends at {}",
            head.seq
        );
        return Err(ApiError::new(StatusCode::NOT_FOUND, codes::INVALID, message));
    }
    let (around, _) = lines.batch(position.saturating_sub(1).max(1), 3)?;
    let at = |seq: Position| around.iter().find(|line| line.seq == seq);
    let line = at(position).ok_or_else(|| damaged(format_args!("the log has no position {position}")))?;
    let event = read(line)?;
    match event.stream.strip_prefix("bucket/") {
        Some(bucket) if tenant == *shared.tenant() && may.oversee().is_err() => {
            may.past(Action::ListBucketVersions, bucket, None)?;
            may.at(bucket, Some(position))?;
        }
        _ => may.oversee()?,
    }
    let cid = line_cid(&line.bytes);
    let previous = at(position - 1).map(|line| line_cid(&line.bytes));
    let next_ok = match at(position + 1) {
        Some(next) => Some(read(next)?.prev == Some(cid)),
        None => None,
    };
    let place = shared.operations.place(&tenant, position);
    let proof = wire::Proof {
        sha256: hex::encode(cids::digest(&cid).unwrap_or_default()),
        previous: previous.map(text),
        next_ok,
        head: wire::Head {
            position: head.seq,
            cid: head.cid.map(text),
        },
        check: place.as_ref().map(command),
        place,
    };
    Ok(Json(wire::Proven {
        position,
        cid: text(cid),
        line: serde_json::from_slice(&line.bytes)
            .map_err(|e| damaged(format_args!("position {position}: {e}")))?,
        text: String::from_utf8_lossy(&line.bytes).into_owned(),
        prev_ok: event.prev == previous,
        proof,
    }))
}

fn read(line: &Raw) -> Result<Event, ApiError> {
    Event::from_line(&line.bytes).map_err(|e| damaged(format_args!("position {}: {e}", line.seq)))
}

fn text(cid: Cid) -> String {
    cid.to_string()
}

/// Prints the line's SHA-256 without Stead.
fn command(place: &wire::Place) -> String {
    let file = place.file.replace('\'', r"'\''");
    let print = if file.ends_with(".zst") { "zstdcat" } else { "cat" };
    format!(
        "{print} '{file}' | sed -n '{}p' | tr -d '\\n' | sha256sum",
        place.line
    )
}
