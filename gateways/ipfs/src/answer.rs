//! Answers: bodies, errors, and the headers that every answer has.

use bytes::Bytes;
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Response, StatusCode};
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use stead_event::Cid;
use stead_gateway::ObjectError;
use stead_gateway::ipfs::{BlockBody, IpfsError};

/// The body of an answer.
pub struct IpfsBody(BlockBody);

/// An answer.
pub type Answer = Response<IpfsBody>;

pub const X_IPFS_PATH: HeaderName = HeaderName::from_static("x-ipfs-path");
pub const X_IPFS_ROOTS: HeaderName = HeaderName::from_static("x-ipfs-roots");
/// What never changes may be kept for 48 weeks, as the specification has it.
pub const IMMUTABLE: &str = "public, max-age=29030400, immutable";

/// Whether it is there or not, or public or not: this, and nothing else.
const NOT_FOUND: &str = "not found: it is not here, or it is not public\n";

impl From<BlockBody> for IpfsBody {
    fn from(body: BlockBody) -> Self {
        Self(body)
    }
}

impl From<Bytes> for IpfsBody {
    fn from(bytes: Bytes) -> Self {
        Self(BlockBody::of(bytes))
    }
}

impl http_body::Body for IpfsBody {
    type Data = Bytes;
    type Error = ObjectError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ObjectError>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// Why there is no good answer.
#[derive(Debug)]
pub enum Refusal {
    /// Not here, or not public.
    Absent,
    /// The request is not one.
    Bad(String),
    /// The form that is asked for is not one that this has.
    NotAcceptable(String),
    /// Another status, for a reason that may be told.
    Status(StatusCode, String),
    /// Something inside.
    Inside(ObjectError),
}

impl From<ObjectError> for Refusal {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Ipfs(IpfsError::Missing(_)) => Self::Absent,
            ObjectError::Ipfs(error @ IpfsError::Limit(_)) => Self::Bad(error.to_string()),
            error => Self::Inside(error),
        }
    }
}

impl Refusal {
    /// As an answer.
    pub fn answer(self) -> Answer {
        let (status, text) = match self {
            Self::Absent => (StatusCode::NOT_FOUND, NOT_FOUND.to_owned()),
            Self::Bad(why) => (StatusCode::BAD_REQUEST, why + "\n"),
            Self::NotAcceptable(why) => (StatusCode::NOT_ACCEPTABLE, why + "\n"),
            Self::Status(status, why) => (status, why + "\n"),
            Self::Inside(error) => {
                tracing::error!(%error, "an IPFS request failed");
                let status = match error {
                    ObjectError::Rebuilding | ObjectError::Busy => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::INTERNAL_SERVER_ERROR,
                };
                (
                    status,
                    format!("{}: the node cannot read what was asked for\n", error.code()),
                )
            }
        };
        let mut answer = of(status, Bytes::from(text));
        set(&mut answer, header::CONTENT_TYPE, "text/plain; charset=utf-8");
        set(&mut answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        if status == StatusCode::NOT_FOUND {
            set(&mut answer, header::CACHE_CONTROL, "no-store");
        }
        answer
    }
}

/// An answer of that body.
pub fn of(status: StatusCode, body: impl Into<IpfsBody>) -> Answer {
    let mut answer = Response::new(body.into());
    *answer.status_mut() = status;
    answer
}

/// Sets a header; a text that cannot be one is left out.
pub fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

/// A redirect.
pub fn redirect(status: StatusCode, to: &str) -> Answer {
    let mut answer = of(status, Bytes::new());
    set(&mut answer, header::LOCATION, to);
    answer
}

/// 304 where the client has it already.
pub fn not_modified(headers: &HeaderMap, etag: &str) -> Option<Answer> {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|value| {
        let tags = value.to_str().unwrap_or_default();
        tags.split(',')
            .any(|tag| tag.trim() == "*" || bare(tag) == bare(etag))
    });
    if !known {
        return None;
    }
    let mut answer = of(StatusCode::NOT_MODIFIED, Bytes::new());
    set(&mut answer, header::ETAG, etag);
    Some(answer)
}

/// The roots of a path's segments, as the header has them.
pub fn roots_text(roots: &[Cid]) -> String {
    let texts: Vec<String> = roots.iter().map(Cid::to_string).collect();
    texts.join(",")
}

/// What every answer tells browsers: anybody may read it.
pub fn cors(answer: &mut Answer) {
    set(answer, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(answer, header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, OPTIONS");
    set(
        answer,
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        "Accept, Content-Type, If-None-Match, Range, User-Agent, X-Requested-With",
    );
    set(
        answer,
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        "Content-Length, Content-Range, Content-Disposition, ETag, X-Ipfs-Path, X-Ipfs-Roots",
    );
}
