//! The fast path: the hot shapes of request, authenticated here instead of by `s3s`.
//!
//! Object GET, HEAD and PUT with Signature Version 4 in a header and no query. Whatever is not plainly
//! that goes through `s3s` untouched. Everything behind authentication is shared.

use crate::auth::{self, Act};
use crate::data::Ask;
use crate::service::{Arrival, S3Gateway};
use crate::target::Target;
use crate::{claims, errors};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{Method, Response};
use s3s::{Body, S3Error, S3Result, s3_error};
use stead_gateway::Caller;
use stead_gateway::sigv4::{self, AuthError, Signable, UNSIGNED_PAYLOAD};

/// Whether a request is of a hot shape.
pub fn fits(head: &Parts, target: &Target) -> bool {
    let headers = &head.headers;
    let object = matches!(target, Target::Object { .. }) && head.uri.query().is_none();
    let method = matches!(head.method, Method::GET | Method::HEAD | Method::PUT);
    let body = headers
        .get("x-amz-content-sha256")
        .is_some_and(|hash| !hash.as_bytes().starts_with(b"STREAMING-"));
    object
        && method
        && body
        && headers.contains_key(AUTHORIZATION)
        && !headers.contains_key("x-amz-copy-source")
        && !headers.contains_key("x-amz-trailer")
        && !headers.contains_key("x-amz-decoded-content-length")
}

impl S3Gateway {
    /// Answers a request of a hot shape.
    pub async fn fast(&self, arrival: &Arrival, head: &Parts, target: &Target, body: Body) -> Response<Body> {
        match self.try_fast(arrival, head, target, body).await {
            Ok(answer) => answer,
            Err(error) => errors::answer(error),
        }
    }

    async fn try_fast(
        &self,
        arrival: &Arrival,
        head: &Parts,
        target: &Target,
        body: Body,
    ) -> S3Result<Response<Body>> {
        let Target::Object { bucket, key } = target else {
            return Err(s3_error!(InvalidURI));
        };
        let signed = Signable {
            method: &head.method,
            path: head.uri.path(),
            query: "",
            headers: &head.headers,
        };
        let claim = sigv4::parse(&signed).map_err(refused)?;
        let identity = self.keys.find(&claim.access_key)?;
        let now = self.context().now();
        sigv4::verify(&signed, &claim, identity.secret(), now, &self.signing_keys).map_err(refused)?;
        let put = head.method == Method::PUT;
        auth::may(&identity, if put { Act::Write } else { Act::Read }, bucket)?;
        let caller = Caller::new(identity, arrival.via());
        let ask = Ask {
            headers: &head.headers,
            query: None,
            bucket,
            key,
            caller: &caller,
        };
        if !put {
            return self.read(&ask, head.method == Method::GET).await;
        }
        let mut verify = claims::of_put(&head.headers, None)?;
        if claim.payload != UNSIGNED_PAYLOAD {
            verify.sha256 = Some(hash(&claim.payload)?);
        }
        self.store(&ask, verify, body).await
    }
}

fn hash(payload: &str) -> S3Result<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(payload, &mut hash).map_err(|_| {
        s3_error!(
            InvalidArgument,
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 value."
        )
    })?;
    Ok(hash)
}

/// What a signature that does not hold is called in S3.
pub fn refused(error: AuthError) -> S3Error {
    let text = error.to_string();
    let mut answer = match error {
        AuthError::Missing => s3_error!(AccessDenied, "Requests must be signed."),
        AuthError::Malformed(_) => s3_error!(AuthorizationHeaderMalformed, "{text}"),
        AuthError::Skewed { .. } => s3_error!(RequestTimeTooSkewed, "{text}"),
        AuthError::Expired(_) => s3_error!(AccessDenied, "Request has expired"),
        AuthError::UnknownKey(_) => s3_error!(InvalidAccessKeyId),
        AuthError::Mismatch => s3_error!(SignatureDoesNotMatch),
    };
    let mut headers = http::HeaderMap::new();
    errors::insert(&mut headers, errors::X_STEAD_CODE, &error.code().to_string());
    answer.set_headers(headers);
    answer
}
