//! Bodies on their way in: errors that keep their meaning, and documents whose claims are checked.
//!
//! `s3s` passes bodies on as streams of boxed errors, and its own stream errors are private types: their
//! text is all there is to tell them apart by. [`classify`] is the one place that does so.

use crate::{claims, errors};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, EXPECT};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use s3s::crypto::{Checksum as _, Md5, Sha256};
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

/// What a body is watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A document: bounded, and its headers' claims are about it.
    Document,
    /// A completion of an upload: as a document, but its checksum headers are about the object.
    Completion,
    /// Signed chunks without a trailer: they end in an empty chunk, whose absence `s3s` does not mind.
    Chunks,
}

/// A body that is checked while it is read. What is wrong is left in [`Findings`] before the last bytes are
/// passed on, so that nobody acts on them.
pub struct Checked {
    inner: Body,
    kind: Kind,
    headers: HeaderMap,
    /// Of a document everything, of chunks the end.
    read: BytesMut,
    /// Bytes still to come, where the length is known.
    left: Option<u64>,
    ended: bool,
    findings: Findings,
}

/// The largest document, in bytes (4 MiB): a completion of 10,000 parts with checksums fits well.
const DOCUMENT_MAX: usize = 4 << 20;
/// As much of the end of chunks as the last one can take.
const CHUNK_END: usize = 100;

impl Checked {
    /// Watches `inner`.
    pub fn new(inner: Body, kind: Kind, headers: &HeaderMap, findings: Findings) -> Self {
        let left = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        Self {
            inner,
            kind,
            headers: headers.clone(),
            read: BytesMut::new(),
            left,
            ended: false,
            findings,
        }
    }

    fn take(&mut self, chunk: &Bytes) -> S3Result<()> {
        self.read.extend_from_slice(chunk);
        match self.kind {
            Kind::Chunks if self.read.len() > 2 * CHUNK_END => {
                let _ = self.read.split_to(self.read.len() - CHUNK_END);
            }
            Kind::Document | Kind::Completion if self.read.len() > DOCUMENT_MAX => {
                return Err(s3_error!(MaxMessageLengthExceeded));
            }
            _ => {}
        }
        self.left = self.left.map(|left| left.saturating_sub(chunk.len() as u64));
        if self.left == Some(0) { self.end() } else { Ok(()) }
    }

    fn end(&self) -> S3Result<()> {
        match self.kind {
            Kind::Document => check(&self.headers, &self.read, true),
            Kind::Completion => check(&self.headers, &self.read, false),
            Kind::Chunks if ends_in_empty_chunk(&self.read) => Ok(()),
            Kind::Chunks => Err(s3_error!(IncompleteBody, "The last chunk is missing.")),
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
        let found = match ready!(Pin::new(&mut self.inner).poll_next(cx)) {
            Some(Ok(chunk)) => self.take(&chunk).map(|()| Some(chunk)),
            Some(Err(error)) => Err(errors::body(&classify(&error))),
            None if self.left == Some(0) => Ok(None), // checked with the last bytes
            None => self.end().map(|()| None),
        };
        match found {
            Ok(Some(chunk)) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            Ok(None) => {
                self.ended = true;
                Poll::Ready(None)
            }
            Err(error) => self.fail(error),
        }
    }

    fn size_hint(&self) -> SizeHint {
        http_body::Body::size_hint(&self.inner)
    }
}

/// `0;chunk-signature=`, 64 digits, and one or two line ends.
fn ends_in_empty_chunk(end: &[u8]) -> bool {
    let Some(rest) = end.strip_suffix(b"\r\n") else {
        return false;
    };
    let rest = rest.strip_suffix(b"\r\n").unwrap_or(rest);
    let Some((rest, signature)) = rest.len().checked_sub(64).map(|at| rest.split_at(at)) else {
        return false;
    };
    signature.iter().all(u8::is_ascii_hexdigit) && rest.ends_with(b"0;chunk-signature=")
}

/// Checks a whole document against what its headers claim.
fn check(headers: &HeaderMap, document: &[u8], checksums: bool) -> S3Result<()> {
    let mut digest = [0; 32];
    let signed = headers
        .get("x-amz-content-sha256")
        .map_or(&b""[..], |hash| hash.as_bytes());
    if hex::decode_to_slice(signed, &mut digest).is_ok() && digest != Sha256::checksum(document) {
        return Err(errors::sha256_mismatch());
    }
    if let Some(expected) = claims::md5(headers)?
        && expected != Md5::checksum(document)
    {
        return Err(s3_error!(
            BadDigest,
            "The Content-MD5 you specified did not match what we received."
        ));
    }
    if checksums
        && let ChecksumSpec::Expect(algorithm, expected) = claims::in_headers(headers)?
        && expected != claims::of(algorithm, document)
    {
        return Err(s3_error!(
            BadDigest,
            "The {algorithm} you specified did not match the calculated checksum."
        ));
    }
    Ok(())
}

/// Where what is left of a body goes when nobody reads it any more.
#[derive(Clone)]
pub struct Rest {
    left: Arc<Mutex<Option<listen::Body>>>,
    announced: Option<u64>,
    waits: bool,
}

/// Larger bodies than this are not read only to be thrown away (256 KiB).
const DRAINED_MAX: u64 = 256 << 10;

impl Rest {
    /// Of a request with these headers.
    pub fn new(headers: &HeaderMap) -> Self {
        let announced = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse().ok());
        Self {
            left: Arc::default(),
            announced,
            waits: headers.contains_key(EXPECT),
        }
    }

    /// The announced length, in bytes.
    pub fn announced(&self) -> u64 {
        self.announced.unwrap_or(0)
    }

    /// Reads the little that may be left of a body, so that the connection can be used again; `false`
    /// where it cannot.
    pub async fn drained(&self) -> bool {
        let Some(mut body) = self.left.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return true;
        };
        // A client that waits to be told to go on will not send it at all.
        if self.waits || self.announced.is_none_or(|length| length > DRAINED_MAX) {
            return false;
        }
        while let Some(frame) = body.frame().await {
            if frame.is_err() {
                return false;
            }
        }
        true
    }
}

/// A request's body that goes to [`Rest`] when it is dropped before its end.
pub struct Tracked {
    inner: Option<listen::Body>,
    rest: Rest,
}

impl Tracked {
    /// Watches `inner`.
    pub fn new(inner: listen::Body, rest: Rest) -> Self {
        Self {
            inner: Some(inner),
            rest,
        }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take()
            && !inner.is_end_stream()
        {
            *self.rest.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(inner);
        }
    }
}

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = listen::BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, listen::BodyError>>> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        let frame = ready!(Pin::new(inner).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.inner = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner
            .as_ref()
            .map_or(SizeHint::with_exact(0), http_body::Body::size_hint)
    }
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
        let checked = Checked::new(body, Kind::Document, &headers, findings.clone());
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
    fn chunks_end_in_an_empty_one() {
        let last = format!("data\r\n0;chunk-signature={}\r\n", "0a".repeat(32));
        assert!(ends_in_empty_chunk(last.as_bytes()));
        assert!(ends_in_empty_chunk(format!("{last}\r\n").as_bytes()));
        for cut in 1..60 {
            assert!(
                !ends_in_empty_chunk(&last.as_bytes()[..last.len() - cut]),
                "{cut}"
            );
        }
        assert!(!ends_in_empty_chunk(b""));
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
