//! Errors as clients get them: a status, a stable code, what failed, and the next step.

use crate::wire;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use stead_gateway::identity::CredentialError;
use stead_gateway::sigv4::AuthError;
use stead_gateway::{Code, ObjectError, codes};
use stead_view::ViewError;

/// An error on its way to a client.
#[derive(Clone, Debug)]
pub struct ApiError {
    /// The HTTP status.
    pub status: StatusCode,
    /// Code, message, next step.
    pub body: wire::Error,
}

impl ApiError {
    /// With the code's own next step.
    pub fn new(status: StatusCode, code: Code, message: impl Into<String>) -> Self {
        let next = codes::explain(&code.to_string())
            .map(|page| page.next.to_owned())
            .unwrap_or_default();
        Self {
            status,
            body: wire::Error {
                code: code.to_string(),
                message: message.into(),
                next,
            },
        }
    }

    /// The same with a next step that fits the case better.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.body.next = next.into();
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
        write!(f, "{}: {}", self.body.code, self.body.message)
    }
}

impl std::error::Error for ApiError {}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
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
            | E::NoSuchAccessKey(_) => StatusCode::NOT_FOUND,
            E::Forgotten { .. } => StatusCode::GONE,
            E::BucketExists(_) | E::BucketNotEmpty(_) | E::AccessKeyExists(_) => StatusCode::CONFLICT,
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
