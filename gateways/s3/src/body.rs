//! Bodies on their way in: errors that keep their meaning, and documents whose claims are checked.
//!
//! `s3s` passes bodies on as streams of boxed errors, and its own stream errors are private types: their
//! text is all there is to tell them apart by. [`classify`] is the one place that does so.

use crate::{claims, errors};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http::HeaderMap;
use http_body::{Frame, SizeHint};
use s3s::crypto::{Checksum as _, Md5};
use s3s::{Body, S3Error, S3Result, StdError, s3_error};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use stead_gateway::listen;
use stead_gateway::objects::{BodyError, ChecksumSpec};

/// What went wrong with a body.
pub fn classify(error: &StdError) -> BodyError {
    let text = error.to_string();
    if let Some(error) = error.downcast_ref::<listen::BodyError>() {
        return match error {
            listen::BodyError::Stalled(_) | listen::BodyError::TooSlow(_) => BodyError::TooSlow(text),
            listen::BodyError::Interrupted(_) => BodyError::Interrupted(text),
        };
    }
    if text.contains("SignatureMismatch") {
        return BodyError::Signature("The signature of a chunk or of the trailer does not match.".into());
    }
    if text.contains("Sha256Mismatch") {
        return BodyError::Malformed(errors::SHA256_MISMATCH.into());
    }
    if text.contains("no byte of the body arrived") || text.contains("bytes a second") {
        return BodyError::TooSlow(text);
    }
    if text.contains("Incomplete") || text.contains("cut short") || text.contains("LengthMismatch") {
        return BodyError::Interrupted("The body ended before its announced length.".into());
    }
    BodyError::Malformed("The body is not in the encoding that its headers announce.".into())
}

/// A body as the object layer takes it.
pub fn stream(body: Body) -> impl Stream<Item = Result<Bytes, BodyError>> + Send {
    body.map(|chunk| chunk.map_err(|error| classify(&error)))
}

/// Where a [`Checked`] body leaves what it found wrong: `s3s` knows only that reading failed.
#[derive(Clone, Debug, Default)]
pub struct Findings(Arc<Mutex<Option<S3Error>>>);

impl Findings {
    /// What was found, once.
    pub fn take(&self) -> Option<S3Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn leave(&self, error: S3Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// The body of a request that is a document: bounded, and checked against `Content-MD5` and checksum
/// headers once it has ended.
pub struct Checked {
    inner: Body,
    headers: HeaderMap,
    read: BytesMut,
    ended: bool,
    findings: Findings,
}

/// The largest document, in bytes (4 MiB): a completion of 10,000 parts with checksums fits well.
const DOCUMENT_MAX: usize = 4 << 20;

impl Checked {
    /// Watches `inner`.
    pub fn new(inner: Body, headers: &HeaderMap, findings: Findings) -> Self {
        Self {
            inner,
            headers: headers.clone(),
            read: BytesMut::new(),
            ended: false,
            findings,
        }
    }

    fn fail(&mut self, error: S3Error) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        self.ended = true;
        let text = error.to_string();
        self.findings.leave(error);
        Poll::Ready(Some(Err(text.into())))
    }
}

impl http_body::Body for Checked {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, StdError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
            Some(Ok(chunk)) if self.read.len() + chunk.len() > DOCUMENT_MAX => {
                self.fail(s3_error!(MaxMessageLengthExceeded))
            }
            Some(Ok(chunk)) => {
                self.read.extend_from_slice(&chunk);
                Poll::Ready(Some(Ok(Frame::data(chunk))))
            }
            Some(Err(error)) => {
                let error = errors::body(&classify(&error));
                self.fail(error)
            }
            None => {
                self.ended = true;
                match check(&self.headers, &self.read) {
                    Ok(()) => Poll::Ready(None),
                    Err(error) => self.fail(error),
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.inner)
    }
}

/// Checks a whole document against what its headers claim.
fn check(headers: &HeaderMap, document: &[u8]) -> S3Result<()> {
    if let Some(expected) = claims::md5(headers)?
        && expected != Md5::checksum(document)
    {
        return Err(s3_error!(
            BadDigest,
            "The Content-MD5 you specified did not match what we received."
        ));
    }
    if let ChecksumSpec::Expect(algorithm, expected) = claims::in_headers(headers)?
        && expected != claims::of(algorithm, document)
    {
        return Err(s3_error!(
            BadDigest,
            "The {algorithm} you specified did not match the calculated checksum."
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(document: &'static str, headers: &[(&'static str, &str)]) -> Result<(), String> {
        let headers = headers
            .iter()
            .map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()))
            .collect();
        let findings = Findings::default();
        let body = Body::from(Bytes::from_static(document.as_bytes()));
        let checked = Checked::new(body, &headers, findings.clone());
        match http_body_util::BodyExt::collect(checked).await {
            Ok(whole) => {
                assert_eq!(whole.to_bytes(), document);
                Ok(())
            }
            Err(_) => Err(findings.take().unwrap().code().as_str().to_owned()),
        }
    }

    #[tokio::test]
    async fn documents_are_checked() {
        let md5 = ("content-md5", "kAFQmDzST7DWlj99KOF/cg=="); // of "abc"
        assert_eq!(read("abc", &[]).await, Ok(()));
        assert_eq!(read("abc", &[md5]).await, Ok(()));
        assert_eq!(read("abd", &[md5]).await, Err("BadDigest".into()));
        assert_eq!(
            read("abc", &[("content-md5", "x")]).await,
            Err("InvalidDigest".into())
        );
    }

    #[test]
    fn errors_of_streams_are_told_apart() {
        let of = |text: &str| classify(&StdError::from(text.to_owned()));
        assert!(matches!(
            of("AwsChunkedStreamError: SignatureMismatch"),
            BodyError::Signature(_)
        ));
        assert!(
            matches!(of("UploadStreamError: Sha256Mismatch"), BodyError::Malformed(t) if t == errors::SHA256_MISMATCH)
        );
        assert!(matches!(
            of("AwsChunkedStreamError: Incomplete"),
            BodyError::Interrupted(_)
        ));
        assert!(matches!(
            of("AwsChunkedStreamError: FormatError"),
            BodyError::Malformed(_)
        ));
        let slow = listen::BodyError::TooSlow(256).to_string();
        assert!(matches!(
            of(&format!("UploadStreamError: Underlying: {slow}")),
            BodyError::TooSlow(_)
        ));
    }
}
