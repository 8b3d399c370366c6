//! Bodies in and out.

use crate::ApiError;
use axum::body::Body;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::HeaderMap;
use http_body::Frame;
use std::pin::Pin;
use std::task::{Context, Poll};
use stead_event::cids;
use stead_gateway::listen;
use stead_gateway::objects::BodyError;
use stead_gateway::sigv4::UNSIGNED_PAYLOAD;

/// Of a refused body, read at most so much (64 MiB), for at most so long.
const DRAIN_BYTES: usize = 64 << 20;
const DRAIN_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// The largest JSON document that a request may carry, in bytes.
const JSON_BYTES: usize = 1 << 20;

/// The body of an answer.
pub struct ApiBody(Body);

impl ApiBody {
    pub(crate) fn new(body: Body) -> Self {
        Self(body)
    }
}

impl http_body::Body for ApiBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.size_hint()
    }
}

/// A request's body as objects want it.
pub(crate) fn stream(body: Body) -> impl Stream<Item = Result<Bytes, BodyError>> + Send {
    body.into_data_stream().map(|frame| frame.map_err(why))
}

/// Reads what is left of a body that is refused, within bounds: whoever is met by a closed connection while it
/// sends does not look for the answer.
pub(crate) async fn drain(mut body: impl Stream<Item = Result<Bytes, BodyError>> + Unpin) {
    let rest = async {
        let mut left = DRAIN_BYTES;
        while let Some(Ok(frame)) = body.next().await {
            left = left.saturating_sub(frame.len());
            if left == 0 {
                break;
            }
        }
    };
    // Where it takes too long, the connection is closed all the same.
    let _ = tokio::time::timeout(DRAIN_PATIENCE, rest).await;
}

fn why(error: axum::Error) -> BodyError {
    match error.into_inner().downcast::<listen::BodyError>() {
        Ok(ended) => match *ended {
            listen::BodyError::Interrupted(source) => BodyError::Interrupted(source.to_string()),
            slow => BodyError::TooSlow(slow.to_string()),
        },
        Err(other) => BodyError::Interrupted(other.to_string()),
    }
}

/// The SHA-256 that the request signed for its body, where it did.
pub(crate) fn signed_hash(headers: &HeaderMap) -> Result<Option<[u8; 32]>, ApiError> {
    let Some(claimed) = headers
        .get("x-amz-content-sha256")
        .and_then(|value| value.to_str().ok())
    else {
        return Ok(None);
    };
    if claimed == UNSIGNED_PAYLOAD {
        return Ok(None);
    }
    let mut hash = [0; 32];
    hex::decode_to_slice(claimed, &mut hash).map_err(|_| {
        ApiError::invalid("x-amz-content-sha256 is neither a SHA-256 nor UNSIGNED-PAYLOAD")
            .next("send the SHA-256 of the body in hexadecimal, or UNSIGNED-PAYLOAD")
    })?;
    Ok(Some(hash))
}

/// A small body, whole, and as it was signed.
pub(crate) async fn whole(headers: &HeaderMap, body: Body) -> Result<Bytes, ApiError> {
    let signed = signed_hash(headers)?;
    let bytes = axum::body::to_bytes(body, JSON_BYTES).await.map_err(|e| {
        ApiError::invalid(format!("the body did not arrive whole, or is above 1 MiB: {e}"))
            .next("send a document of at most 1 MiB; repeat the request where the connection broke")
    })?;
    if let Some(signed) = signed
        && cids::digest(&cids::raw(&bytes)) != Some(signed)
    {
        return Err(ApiError::invalid("the body is not the one that was signed")
            .next("sign the body that is sent; nothing on the way may change it"));
    }
    Ok(bytes)
}

/// A JSON document.
pub(crate) async fn json<T: serde::de::DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
) -> Result<T, ApiError> {
    let bytes = whole(headers, body).await?;
    let bytes = if bytes.is_empty() {
        Bytes::from_static(b"{}")
    } else {
        bytes
    };
    serde_json::from_slice(&bytes).map_err(|e| {
        ApiError::invalid(format!("the body is not what it must be: {e}"))
            .next("send the JSON document that this endpoint takes: the message names the field")
    })
}
