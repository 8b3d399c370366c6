//! The seam to the HTTP API. Gateways do not know each other, so the binary puts one behind the other.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use std::sync::Arc;
use stead_gateway::Identity;
use stead_gateway::listen::{Body, Peer};

/// Why a body broke off.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
/// The body of an answer.
pub type Answer = UnsyncBoxBody<Bytes, Failure>;

/// Answers `/api/…` for somebody whom the console has identified.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    /// Answers one request in `identity`'s name.
    async fn call(&self, identity: Arc<Identity>, peer: Peer, request: Request<Body>) -> Response<Answer>;
}

/// Any body as an [`Answer`].
pub fn boxed<B>(body: B) -> Answer
where
    B: http_body::Body<Data = Bytes, Error: Into<Failure>> + Send + 'static,
{
    body.map_err(Into::into).boxed_unsync()
}
