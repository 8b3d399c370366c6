//! Errors: what an [`ObjectError`] is called in S3, and the XML that carries it.
//!
//! Codes, statuses and messages are those of the Amazon S3 API reference, "Error responses". `s3s` answers
//! some errors without a message and all without a resource, so [`dress`] writes every error's document
//! anew, in one place.

use crate::xml;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Response, StatusCode};
use s3s::{Body, S3Error, S3ErrorCode, s3_error};
use stead_gateway::ObjectError;
use stead_gateway::objects::BodyError;

/// The stable code of the error, beside S3's own.
pub const X_STEAD_CODE: HeaderName = HeaderName::from_static("x-stead-code");
/// Whether the version is a delete marker.
pub const X_AMZ_DELETE_MARKER: HeaderName = HeaderName::from_static("x-amz-delete-marker");
/// The version.
pub const X_AMZ_VERSION_ID: HeaderName = HeaderName::from_static("x-amz-version-id");

/// What [`BodyError::Malformed`] says where the signed SHA-256 is not that of the body.
pub const SHA256_MISMATCH: &str = "XAmzContentSHA256Mismatch";

/// An error whose code is not in `s3s`' table.
pub fn custom(code: &'static str, status: StatusCode, message: String) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

/// What an error of the object layer is called in S3.
pub fn from_object(error: ObjectError) -> S3Error {
    let text = error.to_string();
    let stable = error.code().to_string();
    let mut headers = HeaderMap::new();
    let mut answer = match error {
        ObjectError::Marker { version, named, .. } => {
            insert(&mut headers, X_AMZ_DELETE_MARKER, "true");
            insert(&mut headers, X_AMZ_VERSION_ID, &version);
            if named {
                insert(&mut headers, http::header::ALLOW, "DELETE");
            }
            s3(if named {
                S3ErrorCode::MethodNotAllowed
            } else {
                S3ErrorCode::NoSuchKey
            })
        }
        ObjectError::Range { size } => {
            insert(
                &mut headers,
                http::header::CONTENT_RANGE,
                &format!("bytes */{size}"),
            );
            s3(S3ErrorCode::InvalidRange)
        }
        other => plain(other, text),
    };
    insert(&mut headers, X_STEAD_CODE, &stable);
    answer.set_headers(headers);
    answer
}

fn plain(error: ObjectError, text: String) -> S3Error {
    use S3ErrorCode as C;
    match error {
        ObjectError::NoSuchBucket(_) => s3(C::NoSuchBucket),
        ObjectError::NoSuchKey { .. } => s3(C::NoSuchKey),
        ObjectError::NoSuchVersion { .. } => s3(C::NoSuchVersion),
        ObjectError::Forgotten { .. } => said(C::NoSuchKey, text),
        ObjectError::NoSuchUpload { .. } => s3(C::NoSuchUpload),
        ObjectError::NoSuchAccessKey(_) => s3(C::InvalidAccessKeyId),
        ObjectError::BucketExists(_) => s3(C::BucketAlreadyOwnedByYou),
        ObjectError::BucketTaken(_) => s3(C::BucketAlreadyExists),
        ObjectError::ListsOff(_) => said(
            C::AccessControlListNotSupported,
            "The bucket does not allow ACLs".into(),
        ),
        ObjectError::ListsInUse(_) => said(
            C::InvalidBucketAclWithObjectOwnership,
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting".into(),
        ),
        ObjectError::Policy(text) => said(C::MalformedPolicy, text),
        ObjectError::BucketNotEmpty(_) => s3(C::BucketNotEmpty),
        ObjectError::BucketName { .. } => said(C::InvalidBucketName, text),
        ObjectError::KeyTooLong { .. } => s3(C::KeyTooLongError),
        ObjectError::KeyName { .. } => said(C::InvalidURI, text),
        ObjectError::VersionId(_) => said(C::InvalidArgument, "Invalid version id specified".into()),
        ObjectError::TooLarge { what, .. } if what.contains("metadata") => s3(C::MetadataTooLarge),
        ObjectError::TooLarge { what, .. } if what.contains("tag") => said(C::InvalidTag, text),
        ObjectError::TooLarge { .. } => said(C::EntityTooLarge, text),
        ObjectError::Invalid(_) => said(C::InvalidRequest, text),
        ObjectError::Length { .. } => said(C::IncompleteBody, text),
        ObjectError::Md5 { .. } => s3(C::BadDigest),
        ObjectError::Sha256 { .. } => sha256_mismatch(),
        ObjectError::Checksum { algorithm, .. } => said(
            C::BadDigest,
            format!("The {algorithm} you specified did not match the calculated checksum."),
        ),
        ObjectError::NoTrailer(_) => custom("MalformedTrailerError", StatusCode::BAD_REQUEST, text),
        ObjectError::ChecksumText { algorithm, .. } => said(
            C::InvalidRequest,
            format!("Value for {} header is invalid.", algorithm.header()),
        ),
        ObjectError::Body(error) => body(&error),
        ObjectError::PartNumber(_) => part_number(),
        ObjectError::NoSuchPart { .. } => s3(C::InvalidPart),
        ObjectError::PartOrder => s3(C::InvalidPartOrder),
        ObjectError::PartTooSmall { .. } => s3(C::EntityTooSmall),
        ObjectError::NoParts => s3(C::MalformedXML),
        ObjectError::LockLost { .. } => said(C::PreconditionFailed, text),
        ObjectError::LockTaken { .. }
        | ObjectError::NoSuchLock(_)
        | ObjectError::TooManyLocks(_)
        | ObjectError::ConfigChanged(_) => said(C::InvalidRequest, text),
        ObjectError::Precondition(_) => s3(C::PreconditionFailed),
        ObjectError::Locked { key, .. } if key.is_empty() => custom_status(
            C::InvalidBucketState,
            StatusCode::CONFLICT,
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
        ),
        ObjectError::Locked { .. } => said(
            C::AccessDenied,
            "Access Denied because object protected by object lock.".into(),
        ),
        ObjectError::NotLocking(_) => said(
            C::InvalidRequest,
            "Bucket is missing Object Lock Configuration".into(),
        ),
        ObjectError::BucketState(_) => custom_status(
            C::InvalidBucketState,
            StatusCode::CONFLICT,
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
        ),
        ObjectError::KeyNeeded => said(
            C::InvalidRequest,
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided \
             to retrieve the object."
                .into(),
        ),
        ObjectError::NotEncrypted => said(
            C::InvalidRequest,
            "The encryption parameters are not applicable to this object.".into(),
        ),
        ObjectError::WrongKey => said(C::AccessDenied, text),
        ObjectError::Denied { .. } => said(C::AccessDenied, text),
        ObjectError::Full => custom("InsufficientStorage", StatusCode::INSUFFICIENT_STORAGE, text),
        ObjectError::Busy => s3(C::SlowDown),
        ObjectError::Unavailable(_) | ObjectError::Rebuilding => said(C::ServiceUnavailable, text),
        _ => {
            tracing::error!(error = %text, "a request failed inside");
            said(
                C::InternalError,
                format!("We encountered an internal error: {text}"),
            )
        }
    }
}

/// What a body that did not arrive whole is called.
pub fn body(error: &BodyError) -> S3Error {
    match error {
        BodyError::TooSlow(text) => said(S3ErrorCode::RequestTimeout, text.clone()),
        BodyError::Interrupted(text) => said(S3ErrorCode::IncompleteBody, text.clone()),
        BodyError::Signature(_) => s3(S3ErrorCode::SignatureDoesNotMatch),
        BodyError::Malformed(text) if text == SHA256_MISMATCH => sha256_mismatch(),
        BodyError::Malformed(text) => said(S3ErrorCode::IncompleteBody, text.clone()),
    }
}

/// The signed hash is not that of the body.
pub fn sha256_mismatch() -> S3Error {
    custom(
        SHA256_MISMATCH,
        StatusCode::BAD_REQUEST,
        "The provided 'x-amz-content-sha256' header does not match what was computed.".into(),
    )
}

/// A part number out of range.
pub fn part_number() -> S3Error {
    s3_error!(
        InvalidArgument,
        "Part number must be an integer between 1 and 10000, inclusive"
    )
}

fn custom_status(code: S3ErrorCode, status: StatusCode, text: &str) -> S3Error {
    let mut error = said(code, text.into());
    error.set_status_code(status);
    error
}

fn s3(code: S3ErrorCode) -> S3Error {
    S3Error::new(code)
}

fn said(code: S3ErrorCode, text: String) -> S3Error {
    S3Error::with_message(code, text)
}

/// Sets a header, where the value is one.
pub fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// The sentence that the API reference has for a code.
pub fn message(code: &str) -> &'static str {
    match code {
        "AccessDenied" => "Access Denied",
        "AuthorizationHeaderMalformed" => "The authorization header that you provided is not valid.",
        "BadDigest" => {
            "The Content-MD5 or checksum value that you specified did not match what the server received."
        }
        "BucketAlreadyExists" => {
            "The requested bucket name is not available. Select a different name and try again."
        }
        "BucketAlreadyOwnedByYou" => {
            "Your previous request to create the named bucket succeeded and you already own it."
        }
        "BucketNotEmpty" => "The bucket you tried to delete is not empty.",
        "EntityTooLarge" => "Your proposed upload exceeds the maximum allowed object size.",
        "EntityTooSmall" => "Your proposed upload is smaller than the minimum allowed object size.",
        "IncompleteBody" => {
            "You did not provide the number of bytes specified by the Content-Length HTTP header."
        }
        "InternalError" => "We encountered an internal error. Please try again.",
        "InvalidAccessKeyId" => "The AWS access key ID that you provided does not exist in our records.",
        "InvalidArgument" => "Invalid Argument",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidDigest" => "The Content-MD5 or checksum value that you specified is not valid.",
        "InvalidPart" => {
            "One or more of the specified parts could not be found. The part might not have been uploaded, or the specified entity tag might not have matched the part's entity tag."
        }
        "InvalidPartOrder" => {
            "The list of parts was not in ascending order. The parts list must be specified in order by part number."
        }
        "InvalidRange" => "The requested range is not satisfiable.",
        "InvalidRequest" => "The request is not valid.",
        "InvalidStorageClass" => "The storage class that you specified is not valid.",
        "InvalidURI" => "The specified URI couldn't be parsed.",
        "KeyTooLongError" => "Your key is too long.",
        "MalformedXML" => {
            "The XML that you provided was not well formed or did not validate against our published schema."
        }
        "MaxMessageLengthExceeded" => "Your request was too large.",
        "MetadataTooLarge" => "Your metadata headers exceed the maximum allowed metadata size.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "MissingRequestBodyError" => "Request body is empty.",
        "NoSuchBucket" => "The specified bucket does not exist.",
        "NoSuchBucketPolicy" => "The specified bucket does not have a bucket policy.",
        "NoSuchCORSConfiguration" => "The specified bucket does not have a CORS configuration.",
        "NoSuchKey" => "The specified key does not exist.",
        "NoSuchLifecycleConfiguration" => "The specified lifecycle configuration does not exist.",
        "NoSuchTagSet" => "The specified tag does not exist.",
        "NoSuchUpload" => {
            "The specified multipart upload does not exist. The upload ID might not be valid, or the multipart upload might have been aborted or completed."
        }
        "NoSuchVersion" => "The version ID specified in the request does not match an existing version.",
        "NoSuchWebsiteConfiguration" => "The specified bucket does not have a website configuration.",
        "NotImplemented" => "A header that you provided implies functionality that is not implemented.",
        "ObjectLockConfigurationNotFoundError" => {
            "The Object Lock configuration does not exist for this bucket."
        }
        "OwnershipControlsNotFoundError" => "The bucket ownership controls were not found.",
        "PreconditionFailed" => "At least one of the preconditions that you specified did not hold.",
        "RequestTimeTooSkewed" => {
            "The difference between the request time and the server's time is too large."
        }
        "RequestTimeout" => {
            "Your socket connection to the server was not read from or written to within the timeout period."
        }
        "ServerSideEncryptionConfigurationNotFoundError" => {
            "The server-side encryption configuration was not found."
        }
        "ServiceUnavailable" => "Service is unable to handle request.",
        "SignatureDoesNotMatch" => {
            "The request signature that the server calculated does not match the signature that you provided. Check your AWS secret access key and signing method."
        }
        "SlowDown" => "Please reduce your request rate.",
        _ => "The request could not be done.",
    }
}

/// What an error's document says beside code and message.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The path asked for, as sent.
    pub path: &'a str,
    /// The request's id.
    pub request: &'a str,
}

/// Writes the document of an error answer anew; leaves any other answer as it is. Answers to HEAD, and
/// 304, have no body.
pub fn dress(answer: Response<Body>, about: &About<'_>) -> Response<Body> {
    let status = answer.status();
    let redirects = status.is_redirection() && status != StatusCode::NOT_MODIFIED;
    if status.as_u16() < 300 || redirects {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    if about.method == Method::HEAD || status == StatusCode::NOT_MODIFIED {
        parts.headers.remove(CONTENT_TYPE);
        return Response::from_parts(parts, Body::empty());
    }
    let text = body.bytes().unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let code = element(&text, "Code").unwrap_or_else(|| "InternalError".into());
    let message = element(&text, "Message").unwrap_or_else(|| message(&code).to_owned());
    parts
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    Response::from_parts(parts, Body::from(document(&code, &message, about)))
}

/// The document of an error. `code` and `message` are XML text already.
fn document(code: &str, message: &str, about: &About<'_>) -> String {
    let resource = escape(about.path);
    let request = about.request;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <Resource>{resource}</Resource><RequestId>{request}</RequestId><HostId>stead</HostId></Error>"
    )
}

/// The text of the first element of that name, still escaped.
fn element(document: &str, name: &str) -> Option<String> {
    let open = format!("<{name}>");
    let from = document.find(&open)? + open.len();
    let length = document[from..].find(&format!("</{name}>"))?;
    Some(document[from..from + length].to_owned())
}

/// Text as XML character data; what XML cannot hold becomes the replacement character.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            c if xml::is_forbidden(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// An error as an HTTP answer, before [`dress`].
pub fn answer(error: S3Error) -> Response<Body> {
    error.to_http_response().unwrap_or_else(|_| {
        let mut failed = Response::new(Body::empty());
        *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        failed
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use s3s::s3_error;

    fn dressed(error: S3Error, method: &Method) -> (StatusCode, HeaderMap, String) {
        let about = About {
            method,
            path: "/b/a&b",
            request: "0123456789ABCDEF",
        };
        let answer = dress(answer(error), &about);
        let text = answer.body().bytes().unwrap_or_default();
        (
            answer.status(),
            answer.headers().clone(),
            String::from_utf8(text.to_vec()).unwrap(),
        )
    }

    #[test]
    fn every_error_has_message_resource_and_request() {
        let (status, _, text) = dressed(s3_error!(NoSuchKey), &Method::GET);
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(text.contains("<Code>NoSuchKey</Code><Message>The specified key does not exist.</Message>"));
        assert!(text.contains("<Resource>/b/a&amp;b</Resource><RequestId>0123456789ABCDEF</RequestId>"));
        let (_, _, text) = dressed(s3_error!(InvalidArgument, "a <b>"), &Method::GET);
        assert!(text.contains("<Message>a &lt;b&gt;</Message>"), "{text}");
    }

    #[test]
    fn head_and_not_modified_have_no_body() {
        assert_eq!(dressed(s3_error!(NoSuchKey), &Method::HEAD).2, "");
        assert_eq!(dressed(s3_error!(NotModified), &Method::GET).2, "");
    }

    #[test]
    fn object_errors_have_s3_names() {
        let named = |error: ObjectError| {
            let error = plain(error, "text".into());
            (
                error.code().as_str().to_owned(),
                error.status_code().unwrap().as_u16(),
            )
        };
        assert_eq!(named(ObjectError::Full), ("InsufficientStorage".into(), 507));
        assert_eq!(named(ObjectError::Busy), ("SlowDown".into(), 503));
        assert_eq!(
            named(ObjectError::Unavailable("x".into())),
            ("ServiceUnavailable".into(), 503)
        );
        assert_eq!(named(ObjectError::NoParts), ("MalformedXML".into(), 400));
        assert_eq!(
            named(ObjectError::Precondition("x".into())),
            ("PreconditionFailed".into(), 412)
        );
        assert_eq!(
            named(ObjectError::BucketExists("x".into())),
            ("BucketAlreadyOwnedByYou".into(), 409)
        );
        assert_eq!(
            named(ObjectError::Length { expected: 1, got: 0 }),
            ("IncompleteBody".into(), 400)
        );
    }
}
