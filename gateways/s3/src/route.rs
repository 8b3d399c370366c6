//! The data plane behind `s3s`: object GET, HEAD and PUT leave it after authentication, with the body
//! unwrapped, because it is stricter about headers than S3 is (a `Range` that does not parse is to be
//! ignored, not refused), and because reading headers into its types and writing them out again costs.
//! (Authenticating these without `s3s` as well was measured: 24 instead of 27 µs of CPU for a GET of 4 KiB,
//! nothing for a PUT. It was not kept.)

use crate::actions;
use crate::auth;
use crate::data;
use crate::facts::Facts;
use crate::service::S3Gateway;
use crate::target::{Target, query_pairs, query_value};
use crate::{claims, errors};
use http::header::{HeaderName, HeaderValue};
use http::{Extensions, HeaderMap, Method, Response, Uri};
use s3s::route::S3Route;
use s3s::{Body, S3Request, S3Response, S3Result, s3_error};
use std::sync::Arc;
use stead_gateway::access::{Action, Ask};

/// Object GET, HEAD and PUT, and PUT of parts, as a route of `s3s`.
pub struct DataPlane(pub Arc<S3Gateway>);

/// Sub-resources of an object, which are documents and not its bytes. (`attributes` is one too, but is
/// answered here: see [`crate::ops`].)
const SUB_RESOURCES: [&str; 6] = ["acl", "legal-hold", "retention", "tagging", "torrent", "uploads"];

/// Whether a request is about an object's or a part's bytes.
pub fn is_data(method: &Method, query: Option<&str>, headers: &HeaderMap, target: &Target) -> bool {
    if !matches!(target, Target::Object { .. }) {
        return false;
    }
    let document = |upload: &str| {
        query_pairs(query.unwrap_or_default())
            .any(|(name, _)| name == upload || SUB_RESOURCES.contains(&&*name))
    };
    match *method {
        Method::GET => !document("uploadId"),
        Method::HEAD => true,
        Method::PUT => !headers.contains_key("x-amz-copy-source") && !document(""),
        _ => false,
    }
}

/// What the gate found the request to be about.
fn target(known: &Extensions) -> S3Result<&Target> {
    known.get::<Target>().ok_or_else(|| s3_error!(InvalidURI))
}

#[async_trait::async_trait]
impl S3Route for DataPlane {
    fn is_match(&self, method: &Method, uri: &Uri, headers: &HeaderMap, known: &mut Extensions) -> bool {
        target(known).is_ok_and(|target| is_data(method, uri.query(), headers, target))
    }

    async fn check_access(&self, request: &mut S3Request<Body>) -> S3Result<()> {
        let identity = self.0.keys.signed_by(request.credentials.as_ref())?;
        hoist(&mut request.headers, request.uri.query());
        let caller = auth::enter(&mut request.extensions, identity);
        // What is read is checked where it is known what there is.
        let Target::Object { bucket, key } = target(&request.extensions)?.clone() else {
            return Err(s3_error!(InvalidURI));
        };
        if request.method != Method::PUT {
            return Ok(());
        }
        let keys = &self.0.keys;
        let facts = keys.facts(&caller, &request.headers, request.uri.query());
        match query_value(facts.query, "uploadId") {
            Some(upload) => {
                let goes_on = keys.goes_on(&caller, &bucket, &key, &upload)?;
                let facts = Facts { goes_on, ..facts };
                keys.permit(&Ask::object(&caller.identity, Action::PutObject, &bucket, &key).values(&facts))
            }
            None => actions::check_put(self.0.context().access(), &facts, &bucket, &key),
        }
    }

    async fn call(&self, request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        let caller = auth::caller(&request.extensions)?;
        let Target::Object { bucket, key } = target(&request.extensions)?.clone() else {
            return Err(s3_error!(InvalidURI));
        };
        let ask = data::Ask {
            headers: &request.headers,
            query: request.uri.query(),
            bucket: &bucket,
            key: &key,
            caller: &caller,
        };
        let answer = match request.method {
            Method::PUT => {
                let verify = claims::of_put(&request.headers, request.trailing_headers)?;
                self.0.store(&ask, verify, request.input).await?
            }
            Method::HEAD => self.0.read(&ask, false).await?,
            _ if query_value(ask.query, "attributes").is_some() => self.0.attributes(&ask).await?,
            _ => self.0.read(&ask, true).await?,
        };
        Ok(into_s3s(answer))
    }
}

fn into_s3s(answer: Response<Body>) -> S3Response<Body> {
    let (head, body) = answer.into_parts();
    let mut response = S3Response::with_headers(body, head.headers);
    response.status = Some(head.status);
    response
}

/// Some clients move `x-amz-*` headers of a presigned request into its query, which is signed as well.
fn hoist(headers: &mut HeaderMap, query: Option<&str>) {
    let Some(query) = query.filter(|query| query.contains("X-Amz-Signature=")) else {
        return;
    };
    for (name, value) in query_pairs(query) {
        if !name.starts_with("x-amz-") || headers.contains_key(&name) {
            continue;
        }
        let Ok(name) = HeaderName::try_from(name) else {
            continue;
        };
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(name, value);
        } else {
            errors::insert(headers, name, "");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(method: Method, uri: &str, copy: bool) -> bool {
        let uri: Uri = uri.parse().unwrap();
        let mut headers = HeaderMap::new();
        if copy {
            headers.insert("x-amz-copy-source", HeaderValue::from_static("/a/b"));
        }
        let target = Target::parse(None, uri.path()).unwrap();
        is_data(&method, uri.query(), &headers, &target)
    }

    #[test]
    fn bytes_are_told_from_documents() {
        assert!(data(Method::GET, "/bucket/key", false));
        assert!(data(
            Method::GET,
            "/bucket/key?versionId=null&partNumber=2",
            false
        ));
        assert!(data(Method::PUT, "/bucket/key?partNumber=1&uploadId=x", false));
        assert!(!data(Method::PUT, "/bucket/key?partNumber=1&uploadId=x", true));
        assert!(!data(Method::PUT, "/bucket/key", true));
        assert!(!data(Method::GET, "/bucket/key?uploadId=x", false));
        assert!(data(Method::GET, "/bucket/key?attributes", false));
        assert!(!data(Method::PUT, "/bucket/key?tagging", false));
        assert!(!data(Method::GET, "/bucket?list-type=2", false));
        assert!(!data(Method::DELETE, "/bucket/key", false));
    }

    #[test]
    fn headers_in_a_presigned_query_count() {
        let mut headers = HeaderMap::new();
        hoist(&mut headers, Some("X-Amz-Signature=0&x-amz-meta-a=b"));
        assert_eq!(headers["x-amz-meta-a"], "b");
        let mut headers = HeaderMap::new();
        hoist(&mut headers, Some("x-amz-meta-a=b"));
        assert!(headers.is_empty());
    }
}
