//! Deletes: of one key or version, and of many.

use super::{at, caller, failed};
use crate::data::Ask;
use crate::errors;
use crate::service::S3Gateway;
use crate::target::check_key;
use crate::xml::printable;
use http::HeaderMap;
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};
use stead_gateway::access::{self, Action};
use stead_gateway::objects::{DeleteDone, DeleteRequest, DeleteTarget, Expect};

/// How many keys one request may delete.
const MANY: usize = 1000;

impl S3Gateway {
    pub(crate) async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let caller = caller(&request)?;
        refuse_unsupported(&request.headers)?;
        let DeleteObjectInput {
            bucket,
            key,
            version_id,
            ..
        } = request.input;
        let ask = Ask {
            headers: &request.headers,
            query: None,
            bucket: &bucket,
            key: &key,
            caller: &caller,
        };
        let expect = self.expected(&ask)?;
        let bypass = self.bypasses(&ask.facts(self), &bucket, &key);
        let target = DeleteTarget {
            key,
            version: version_id,
            expect,
            bypass,
        };
        let done = self
            .objects
            .delete(DeleteRequest {
                bucket,
                target,
                caller,
            })
            .await
            .map_err(failed)?;
        let output = DeleteObjectOutput {
            delete_marker: done.marker.then_some(true),
            version_id: done.version,
            ..Default::default()
        };
        Ok(at(output, done.position))
    }

    pub(crate) async fn delete_objects(
        &self,
        request: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let caller = caller(&request)?;
        refuse_unsupported(&request.headers)?;
        let DeleteObjectsInput { bucket, delete, .. } = request.input;
        if delete.objects.is_empty() || delete.objects.len() > MANY {
            return Err(s3_error!(MalformedXML));
        }
        self.bucket(&bucket)?;
        let facts = self.keys.facts(&caller, &request.headers, request.uri.query());
        let mut errors = Vec::new();
        let mut targets = Vec::with_capacity(delete.objects.len());
        for object in delete.objects {
            let permitted = target(&object, self.bypasses(&facts, &bucket, &object.key)).and_then(|target| {
                let ask = access::Ask::object(&caller.identity, Action::DeleteObject, &bucket, &target.key);
                self.keys
                    .permit(&ask.version(target.version.as_deref()).values(&facts))?;
                Ok(target)
            });
            match permitted {
                Ok(target) => targets.push(target),
                Err(error) => errors.push(reported(error, &object.key, object.version_id.as_deref())),
            }
        }
        let named: Vec<_> = targets
            .iter()
            .map(|target| (target.key.clone(), target.version.clone()))
            .collect();
        let outcomes = match targets.is_empty() {
            true => Vec::new(),
            false => self
                .objects
                .delete_many(&bucket, targets, caller.clone())
                .await
                .map_err(failed)?,
        };
        let mut deleted = Vec::new();
        let mut position = None;
        for (outcome, (key, version)) in outcomes.into_iter().zip(named) {
            match outcome {
                Ok(done) => {
                    position = position.max(done.position);
                    deleted.push(entry(done, &key, version.as_deref()));
                }
                Err(error) => errors.push(reported(failed(error), &key, version.as_deref())),
            }
        }
        let quiet = delete.quiet == Some(true);
        let output = DeleteObjectsOutput {
            deleted: (!quiet).then_some(deleted),
            errors: Some(errors).filter(|errors| !errors.is_empty()),
            request_charged: None,
        };
        Ok(at(output, position))
    }
}

fn refuse_unsupported(headers: &HeaderMap) -> S3Result<()> {
    for name in [
        "x-amz-mfa",
        "x-amz-if-match-size",
        "x-amz-if-match-last-modified-time",
    ] {
        if headers.contains_key(name) {
            return Err(s3_error!(NotImplemented, "The header {name} is not implemented."));
        }
    }
    Ok(())
}

fn target(object: &ObjectIdentifier, bypass: bool) -> S3Result<DeleteTarget> {
    if object.key.is_empty() {
        return Err(errors::custom(
            "UserKeyMustBeSpecified",
            http::StatusCode::BAD_REQUEST,
            "The key is empty.".into(),
        ));
    }
    check_key(&object.key)?;
    if object.size.is_some() || object.last_modified_time.is_some() {
        return Err(s3_error!(
            NotImplemented,
            "Conditions on size and time are not implemented."
        ));
    }
    let expect = object.e_tag.as_ref().map(|etag| match etag.value() {
        "*" => Expect::Present,
        value => Expect::ETag(value.to_owned()),
    });
    Ok(DeleteTarget {
        key: object.key.clone(),
        version: object.version_id.clone(),
        expect,
        bypass,
    })
}

/// What became of a key. By now it is done: the answer must be one that can be read, whatever the key.
fn entry(done: DeleteDone, key: &str, version: Option<&str>) -> DeletedObject {
    DeletedObject {
        delete_marker: done.marker.then_some(true),
        delete_marker_version_id: if done.marker { done.version } else { None },
        key: Some(printable(key)),
        version_id: version.map(printable),
    }
}

fn reported(error: S3Error, key: &str, version: Option<&str>) -> Error {
    let code = error.code().as_str().to_owned();
    let message = error
        .message()
        .map_or_else(|| errors::message(&code).to_owned(), str::to_owned);
    Error {
        code: Some(code),
        key: Some(printable(key)),
        message: Some(printable(&message)),
        version_id: version.map(printable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_say_what_became_of_them() {
        let done = |marker, version: &str| DeleteDone {
            key: "k".into(),
            version: Some(version.to_owned()),
            marker,
            position: Some(1),
        };
        let made = entry(done(true, "m"), "k", None);
        assert_eq!(
            (made.delete_marker, made.delete_marker_version_id),
            (Some(true), Some("m".into()))
        );
        assert_eq!(made.version_id, None);
        let gone = entry(done(false, "v"), "k", Some("v"));
        assert_eq!((gone.delete_marker, gone.delete_marker_version_id), (None, None));
        assert_eq!(gone.version_id.as_deref(), Some("v"));
    }

    #[test]
    fn bad_keys_are_reported_one_by_one() {
        let object = |key: &str| ObjectIdentifier {
            key: key.into(),
            ..Default::default()
        };
        assert!(target(&object("a"), false).is_ok());
        for (key, code) in [("a/../../b", "InvalidURI"), ("", "UserKeyMustBeSpecified")] {
            let error = reported(target(&object(key), false).unwrap_err(), key, None);
            assert_eq!(error.code.as_deref(), Some(code));
            assert!(error.message.is_some());
        }
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        let done = DeleteDone {
            key: "a\u{1}".into(),
            version: None,
            marker: false,
            position: Some(1),
        };
        let made = entry(done, "a\u{1}", None);
        assert_eq!(made.key.as_deref(), Some("a\u{fffd}"));
        let error = reported(s3_error!(AccessDenied), "\u{fffe}a", Some("\u{2}"));
        assert_eq!(error.key.as_deref(), Some("\u{fffd}a"));
        assert_eq!(error.version_id.as_deref(), Some("\u{fffd}"));
    }
}
