//! Errors as clients get them (RFC 9457): a status, a stable code, what failed, and the next step.

use crate::wire;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use stead_gateway::identity::CredentialError;
use stead_gateway::sigv4::AuthError;
use stead_gateway::tokens::TokenError;
use stead_gateway::{Code, ObjectError, codes};
use stead_view::ViewError;

/// An error on its way to a client.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// Code, what failed, next step.
    pub body: Box<wire::Problem>,
}

impl ApiError {
    /// With the code's own next step.
    pub fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        let page = codes::page(code);
        let code = code.to_string();
        Self {
            status,
            body: Box::new(wire::Problem {
                kind: explain_url(&code),
                title: page
                    .map_or("Something unexpected happened", |page| page.title)
                    .to_owned(),
                status: status.as_u16(),
                detail: message.into(),
                code,
                next: page.map(|page| page.next.to_owned()).unwrap_or_default(),
            }),
        }
    }

    /// The same with a next step that fits the case better.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.body.next = next.into();
        self
    }

    /// The same with another status.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self.body.status = status.as_u16();
        self
    }

    /// A request that does not say what it must.
    pub fn invalid(message: impl Into<String>) -> Self {
        ObjectError::Invalid(message.into()).into()
    }

    /// Something inside went wrong.
    pub fn internal(message: impl Into<String>) -> Self {
        ObjectError::Internal(message.into()).into()
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.body.code, self.body.detail)
    }
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(wire::PROBLEM_JSON));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Where the page of a code is.
pub(crate) fn explain_url(code: &str) -> String {
    format!("/api/v1/explain/{code}")
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        let status = match &error {
            TokenError::Scope => StatusCode::FORBIDDEN,
            TokenError::Key(CredentialError::View(_)) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::UNAUTHORIZED,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<ObjectError> for ApiError {
    fn from(error: ObjectError) -> Self {
        use ObjectError as E;
        let status = match &error {
            E::NoSuchBucket(_)
            | E::NoSuchKey { .. }
            | E::NoSuchVersion { .. }
            | E::Marker { .. }
            | E::NoSuchUpload { .. }
            | E::NoSuchLock(_)
            | E::NoSuchAccessKey(_) => StatusCode::NOT_FOUND,
            E::Forgotten { .. } => StatusCode::GONE,
            E::BucketExists(_) | E::BucketTaken(_) | E::BucketNotEmpty(_) | E::AccessKeyExists(_) => {
                StatusCode::CONFLICT
            }
            E::LockTaken { .. } | E::LockLost { .. } | E::ConfigChanged(_) => StatusCode::CONFLICT,
            E::TooManyLocks(_) => StatusCode::TOO_MANY_REQUESTS,
            E::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            E::Range { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            E::Precondition(_) => StatusCode::PRECONDITION_FAILED,
            E::Denied { .. } | E::Locked { .. } => StatusCode::FORBIDDEN,
            E::Full => StatusCode::INSUFFICIENT_STORAGE,
            E::Busy | E::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            E::Damaged(_) | E::State(_) | E::LogDamaged(_) | E::Diverged(_) | E::File(_) | E::Internal(_) => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.code(), error.to_string())
    }
}

impl From<ViewError> for ApiError {
    fn from(error: ViewError) -> Self {
        ObjectError::from(error).into()
    }
}

impl From<AuthError> for ApiError {
    fn from(error: AuthError) -> Self {
        Self::new(StatusCode::FORBIDDEN, error.code(), error.to_string())
    }
}

impl From<CredentialError> for ApiError {
    fn from(error: CredentialError) -> Self {
        let status = match error {
            CredentialError::View(_) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::FORBIDDEN,
        };
        Self::new(status, error.code(), error.to_string())
    }
}
