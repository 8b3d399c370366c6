//! A form as it arrives: its fields, held to bounds, and its file, which is not read here.

use crate::body::{self, classify};
use crate::errors::custom;
use bytes::Bytes;
use futures::Stream;
use http::{HeaderMap, StatusCode, header};
use multer::{Constraints, Field, Multipart};
use s3s::{Body, S3Error, S3Result, StdError, s3_error};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use stead_gateway::objects::BodyError;

/// What the fields before the file may have together, names and values, in bytes (20 KiB, as Amazon).
const FIELDS_MAX: usize = 20 << 10;
/// What may arrive before the file begins, with all that the encoding adds, in bytes.
const BEFORE_FILE_MAX: usize = 256 << 10;

/// A form up to its file.
pub struct Form {
    /// By lower-case name, in the order they came.
    pub fields: Vec<(String, String)>,
    /// The file's name, without any folder; empty where it has none.
    pub file_name: String,
    /// The file, still to be read. What stands behind it in the form is never looked at.
    pub file: Field<'static>,
}

impl Form {
    /// Reads up to the file.
    ///
    /// # Errors
    /// `MalformedPOSTRequest`, `MaxPostPreDataLengthExceededError`, `InvalidArgument` (no file, or a field
    /// twice), or what a body that does not arrive is called.
    pub async fn read(headers: &HeaderMap, body: Body) -> S3Result<Self> {
        let kind = headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let boundary = kind
            .and_then(|kind| multer::parse_boundary(kind).ok())
            .ok_or_else(|| malformed("The boundary is missing."))?;
        let in_file = Arc::new(AtomicBool::new(false));
        let sips = Sips {
            body,
            before: 0,
            in_file: in_file.clone(),
            rest: false,
        };
        let mut parts = Multipart::with_constraints(sips, boundary, Constraints::new());
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut size = 0;
        while let Some(mut field) = parts.next_field().await.map_err(|error| failed(&error))? {
            let Some(name) = field.name().map(str::to_ascii_lowercase) else {
                return Err(malformed("A field has no name."));
            };
            if name == "file" {
                in_file.store(true, Ordering::Relaxed);
                let file_name = bare_name(field.file_name().unwrap_or_default());
                return Ok(Self {
                    fields,
                    file_name,
                    file: field,
                });
            }
            let value = value(&mut field, &mut size, name.len()).await?;
            if fields.iter().any(|(known, _)| *known == name) {
                return Err(s3_error!(
                    InvalidArgument,
                    "The field {name:?} stands in the form more than once."
                ));
            }
            fields.push((name, value));
        }
        Err(s3_error!(
            InvalidArgument,
            "POST requires exactly one file upload per request."
        ))
    }

    /// A field's value.
    pub fn value(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Puts the file's name where `${filename}` stands.
    pub fn expand(&mut self) {
        for (name, value) in &mut self.fields {
            if !matches!(name.as_str(), "policy" | "signature" | "x-amz-signature") {
                *value = value.replace("${filename}", &self.file_name);
            }
        }
    }
}

async fn value(field: &mut Field<'static>, size: &mut usize, name: usize) -> S3Result<String> {
    let mut value = Vec::new();
    *size += name;
    loop {
        if *size > FIELDS_MAX {
            return Err(too_much());
        }
        let Some(chunk) = field.chunk().await.map_err(|error| failed(&error))? else {
            break;
        };
        *size += chunk.len();
        if *size <= FIELDS_MAX {
            value.extend_from_slice(&chunk);
        }
    }
    String::from_utf8(value).map_err(|_| s3_error!(InvalidArgument, "A field must be valid UTF-8."))
}

/// What stands behind the last slash of either kind: some browsers send the whole path.
fn bare_name(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned()
}

fn malformed(why: &str) -> S3Error {
    custom(
        "MalformedPOSTRequest",
        StatusCode::BAD_REQUEST,
        format!("The body of your POST request is not well-formed multipart/form-data. {why}"),
    )
}

fn too_much() -> S3Error {
    custom(
        "MaxPostPreDataLengthExceededError",
        StatusCode::BAD_REQUEST,
        "Your POST request fields preceding the upload file were too large.".into(),
    )
}

/// What went wrong while the form was read.
pub fn failed(error: &multer::Error) -> S3Error {
    let multer::Error::StreamReadFailed(cause) = error else {
        return malformed(&format!("{error}."));
    };
    match cause.downcast_ref::<Broken>() {
        Some(Broken::Body(error)) => crate::errors::body(error),
        Some(Broken::TooMuch) => too_much(),
        None => malformed(""),
    }
}

#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("{0}")]
    Body(BodyError),
    #[error("too much before the file")]
    TooMuch,
}

/// A body that is given out one piece a poll: the parser would else read on as long as anything is there, and
/// keep it all.
struct Sips {
    body: Body,
    before: usize,
    in_file: Arc<AtomicBool>,
    rest: bool,
}

impl Stream for Sips {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.rest) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = Pin::new(&mut self.body).poll_next(cx);
        let Poll::Ready(Some(Ok(piece))) = &next else {
            return next.map_err(|error| Broken::Body(classify(&error)).into());
        };
        self.rest = true;
        if !self.in_file.load(Ordering::Relaxed) {
            self.before += piece.len();
            if self.before > BEFORE_FILE_MAX {
                return Poll::Ready(Some(Err(Broken::TooMuch.into())));
            }
        }
        next.map_err(|error| Broken::Body(body::classify(&error)).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: String) -> Result<Form, String> {
        let mut headers = HeaderMap::new();
        let kind = "multipart/form-data; boundary=cut";
        headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        Form::read(&headers, Body::from(Bytes::from(text)))
            .await
            .map_err(|error| error.code().as_str().to_owned())
    }

    fn part(name: &str, value: &str) -> String {
        format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    }

    const FILE: &str = "--cut\r\nContent-Disposition: form-data; name=\"FILE\"; filename=\"C:\\\\dir\\\\a.txt\"\r\n\
                        Content-Type: text/plain\r\n\r\nbytes\r\n--cut--\r\n";

    #[tokio::test]
    async fn fields_come_before_the_file() {
        let text = part("kEy", "a/${filename}") + &part("x-amz-meta-é", "ü") + FILE;
        let mut form = read(text).await.unwrap();
        form.expand();
        assert_eq!(form.file_name, "a.txt");
        assert_eq!(form.value("key"), Some("a/a.txt"));
        assert_eq!(form.value("x-amz-meta-é"), Some("ü"));
        assert_eq!(form.file.chunk().await.unwrap().unwrap(), "bytes");
        assert!(form.file.chunk().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn forms_that_are_none_are_refused() {
        let code = async |text: String| read(text).await.err().unwrap();
        assert_eq!(code(part("key", "a") + "--cut--\r\n").await, "InvalidArgument");
        assert_eq!(code(part("key", "a")).await, "MalformedPOSTRequest");
        assert_eq!(code("nothing".into()).await, "MalformedPOSTRequest");
        assert_eq!(
            code(part("key", "a") + &part("Key", "b") + FILE).await,
            "InvalidArgument"
        );
        let large = "v".repeat(FIELDS_MAX);
        assert_eq!(
            code(part("key", &large) + FILE).await,
            "MaxPostPreDataLengthExceededError"
        );
        let headless = format!("--cut\r\nX: {}", "v".repeat(BEFORE_FILE_MAX));
        assert_eq!(code(headless).await, "MaxPostPreDataLengthExceededError");
    }
}
