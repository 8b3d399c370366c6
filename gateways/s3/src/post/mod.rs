//! Uploads by HTML form: `POST` of `multipart/form-data` on a bucket, with a policy.
//!
//! After "Browser-based uploads using POST" of the Amazon S3 API reference. `s3s` knows such forms too, but
//! keeps the whole file in memory and looks at less of the policy; here the file goes on as it arrives, into
//! the same put as every other ([`crate::data`]), and the fields become the headers of that put.
//!
//! Promises: nothing is stored unless signature, policy, access and the file's length are all right.
//! Never: looks at what stands behind the file.

mod answer;
mod form;
mod policy;
mod signature;

use crate::actions;
use crate::claims;
use crate::data::Ask;
use crate::service::{Arrival, S3Gateway};
use crate::tags;
use crate::target::{check_key, check_new_key};
use bytes::Bytes;
use form::Form;
use futures::Stream;
use http::header::{HeaderName, HeaderValue};
use http::request::Parts;
use http::{HeaderMap, Response};
use multer::Field;
use policy::Policy;
use s3s::dto::Tagging;
use s3s::{Body, S3Error, S3Result, s3_error};
use std::sync::{Arc, Mutex, PoisonError};
use stead_gateway::Caller;
use stead_gateway::objects::{BodyError, Verify};

/// Whether a request's content type is that of a form.
pub fn is_form(headers: &HeaderMap) -> bool {
    headers.get(http::header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .get(..19)
            .is_some_and(|kind| kind.eq_ignore_ascii_case(b"multipart/form-data"))
    })
}

impl S3Gateway {
    /// Stores the file of a form in `bucket`.
    pub async fn post(
        &self,
        arrival: &Arrival,
        head: &Parts,
        bucket: &str,
        body: Body,
    ) -> S3Result<Response<Body>> {
        let mut form = Form::read(&head.headers, body).await?;
        form.expand();
        let signer = signature::signer(&form, &self.keys)?;
        let policy = form.value("policy").map(Policy::parse).transpose()?;
        let key = form
            .value("key")
            .ok_or_else(|| signature::missing("key"))?
            .to_owned();
        if key.is_empty() {
            return Err(s3_error!(
                InvalidArgument,
                "User key must have a length greater than 0."
            ));
        }
        if let Some(policy) = &policy {
            policy.check(&form.fields, bucket, self.context().now())?;
        }
        check_key(&key)?;
        check_new_key(&key)?;
        let identity = self.keys.signed_or_anonymous(signer);
        let caller = Caller::new(identity, arrival.via());
        let headers = headers(&form)?;
        let facts = self.keys.facts(&caller, &headers, None);
        actions::check_put(self.context().access(), &facts, bucket, &key)?;
        let ask = Ask {
            headers: &headers,
            query: None,
            bucket,
            key: &key,
            caller: &caller,
        };
        let verify = Verify {
            content_length: None,
            md5: claims::md5(&headers)?,
            sha256: None,
            checksum: claims::in_headers(&headers)?,
        };
        let wanted = answer::Wanted::of(&form);
        let trouble = Trouble::default();
        let length = policy.and_then(|policy| policy.length);
        let file = file(form.file, length, trouble.clone());
        match self.put(&ask, verify, file).await {
            Ok(done) => Ok(answer::write(
                &wanted,
                &answer::Stored {
                    head,
                    bucket,
                    key: &key,
                },
                done,
            )),
            Err(error) => Err(trouble.take().unwrap_or(error)),
        }
    }
}

/// Fields that say something of the request, not of the object.
const NOT_HEADERS: [&str; 4] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-signature",
];
/// Content fields that an object keeps.
const CONTENT: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
];

/// The fields as headers of a put.
fn headers(form: &Form) -> S3Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &form.fields {
        let (name, value) = match name.as_str() {
            "acl" => ("x-amz-acl", value.clone()),
            "tagging" => ("x-amz-tagging", tagging(value)?),
            name if NOT_HEADERS.contains(&name) => continue,
            name if name.starts_with("x-amz-") || CONTENT.contains(&name) => (name, value.clone()),
            _ => continue,
        };
        let bad = || {
            s3_error!(
                InvalidArgument,
                "The field {name:?} has a value that no header can have."
            )
        };
        let header = HeaderName::try_from(name)
            .map_err(|_| s3_error!(InvalidArgument, "The field {name:?} cannot be kept."))?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| bad())?;
        headers.insert(header, value);
    }
    Ok(headers)
}

/// From the document of the field to the query of the header.
fn tagging(document: &str) -> S3Result<String> {
    let mut reader = s3s::xml::Deserializer::new(document.as_bytes());
    let read = <Tagging as s3s::xml::Deserialize>::deserialize(&mut reader)
        .and_then(|tagging| reader.expect_eof().map(|()| tagging));
    let tagging = read.map_err(|_| s3_error!(MalformedXML))?;
    Ok(tags::to_query(&tags::from_set(
        tagging.tag_set,
        tags::OBJECT_MAX,
    )?))
}

/// What is wrong with the file, by its name in S3: the object layer knows only that reading failed.
#[derive(Clone, Default)]
struct Trouble(Arc<Mutex<Option<S3Error>>>);

impl Trouble {
    fn take(&self) -> Option<S3Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn leave(&self, error: S3Error) -> BodyError {
        let text = error.to_string();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        BodyError::Malformed(text)
    }
}

/// The file as it arrives, held to the policy's length.
fn file(
    field: Field<'static>,
    length: Option<(u64, u64)>,
    trouble: Trouble,
) -> impl Stream<Item = Result<Bytes, BodyError>> + Send {
    let (low, high) = length.unwrap_or((0, u64::MAX));
    futures::stream::try_unfold((field, 0_u64), move |(mut field, size)| {
        let trouble = trouble.clone();
        async move {
            let chunk = field.chunk().await;
            match chunk.map_err(|error| trouble.leave(form::failed(&error)))? {
                Some(chunk) => {
                    let size = size + chunk.len() as u64;
                    if size > high {
                        return Err(trouble.leave(s3_error!(EntityTooLarge)));
                    }
                    Ok(Some((chunk, (field, size))))
                }
                None if size < low => Err(trouble.leave(s3_error!(EntityTooSmall))),
                None => Ok(None),
            }
        }
    })
}
