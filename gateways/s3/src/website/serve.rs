//! Requests for a website: always read as anonymous, whoever sends them.

use super::rules::path;
use super::{Website, page};
use crate::data::Ask;
use crate::errors;
use crate::service::{Arrival, S3Gateway};
use crate::target::Target;
use http::header::{
    CONTENT_LENGTH, HOST, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, RANGE,
};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use s3s::{Body, S3Error, S3Result, s3_error};
use stead_gateway::objects::GetRequest;
use stead_gateway::{Caller, Identity, access};
use stead_view::ObjectRecord;

/// The metadata that makes an object a redirect.
const REDIRECT: &str = "x-amz-website-redirect-location";

struct Visit<'a> {
    site: Website,
    bucket: &'a str,
    /// Without the first slash, decoded.
    key: String,
    head: &'a Parts,
    visitor: Caller,
}

impl S3Gateway {
    /// Answers a request for the site of a bucket.
    pub async fn site(&self, arrival: &Arrival, head: &Parts, bucket: &str) -> Response<Body> {
        let mut key = None;
        let answer = match self.visit(arrival, head, bucket) {
            Ok(visit) => {
                key = Some(visit.key.clone());
                self.answer_visit(&visit).await
            }
            Err(error) => Err(error),
        };
        let mut answer = answer.unwrap_or_else(|error| match error.status_code() {
            Some(StatusCode::NOT_MODIFIED) => errors::answer(error).map(|_| Body::empty()),
            _ => page::error(&error, key.as_deref(), &arrival.id),
        });
        if head.method == Method::HEAD {
            *answer.body_mut() = Body::empty();
        }
        answer
    }

    fn visit<'a>(&self, arrival: &Arrival, head: &'a Parts, bucket: &'a str) -> S3Result<Visit<'a>> {
        let site = self.website(bucket)?;
        let key = match Target::parse(Some(bucket), head.uri.path())? {
            Target::Object { key, .. } => key,
            _ => String::new(),
        };
        if !matches!(head.method, Method::GET | Method::HEAD) {
            return Err(s3_error!(MethodNotAllowed));
        }
        Ok(Visit {
            site,
            bucket,
            key,
            head,
            visitor: Caller::new(Identity::anonymous(), arrival.via()),
        })
    }

    async fn answer_visit(&self, visit: &Visit<'_>) -> S3Result<Response<Body>> {
        let Visit { site, key, head, .. } = visit;
        if let Some(all) = &site.elsewhere {
            let rest = head.uri.path_and_query().map_or("/", |path| path.as_str());
            let protocol = all.protocol.as_deref().unwrap_or("http");
            let place = format!("{protocol}://{}{rest}", all.host);
            return Ok(page::redirect(StatusCode::MOVED_PERMANENTLY, &place));
        }
        if let Some(found) = visit.ruled(None) {
            return Ok(found);
        }
        let index = site.index.as_deref().unwrap_or_default();
        let folder = key.is_empty() || key.ends_with('/');
        let wanted = if folder {
            format!("{key}{index}")
        } else {
            key.clone()
        };
        let refused = match self.find(visit, &wanted) {
            Ok(record) => return self.show(visit, &wanted, &record).await,
            Err(error) => error,
        };
        if !folder && self.find(visit, &format!("{key}/{index}")).is_ok() {
            return Ok(page::redirect(StatusCode::FOUND, &format!("/{}/", path(key))));
        }
        let status = refused.status_code().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(found) = visit.ruled(Some(status.as_u16())) {
            return Ok(found);
        }
        match &site.error {
            Some(error) if status.is_client_error() => self.error_document(visit, error, refused).await,
            _ => Err(refused),
        }
    }

    /// The state of a key that everybody may read.
    fn find(&self, visit: &Visit<'_>, key: &str) -> S3Result<ObjectRecord> {
        let (who, bucket) = (&visit.visitor.identity, visit.bucket);
        let facts = self.keys.facts(&visit.visitor, &visit.head.headers, None);
        let ask = access::Ask::object(who, access::Action::GetObject, bucket, key);
        self.context()
            .access()
            .check(&ask.values(&facts))
            .map_err(|_| s3_error!(AccessDenied, "Access Denied"))?;
        let get = GetRequest {
            who,
            bucket,
            key,
            version: None,
            at: None,
            range: None,
        };
        self.objects.head(&get).map_err(errors::from_object)
    }

    async fn show(&self, visit: &Visit<'_>, key: &str, record: &ObjectRecord) -> S3Result<Response<Body>> {
        if let Some(place) = record.headers.get(REDIRECT) {
            return Ok(page::redirect(StatusCode::MOVED_PERMANENTLY, place));
        }
        let conditions = [
            RANGE,
            IF_MATCH,
            IF_NONE_MATCH,
            IF_MODIFIED_SINCE,
            IF_UNMODIFIED_SINCE,
        ];
        let asked = &visit.head.headers;
        let headers = conditions
            .into_iter()
            .filter_map(|name| Some((name.clone(), asked.get(name)?.clone())))
            .collect();
        self.read_as(visit, key, &headers).await
    }

    async fn read_as(&self, visit: &Visit<'_>, key: &str, headers: &HeaderMap) -> S3Result<Response<Body>> {
        let ask = Ask {
            headers,
            query: None,
            bucket: visit.bucket,
            key,
            caller: &visit.visitor,
        };
        self.read(&ask, visit.head.method == Method::GET).await
    }

    /// The site's own page for errors, with the status of the error.
    async fn error_document(
        &self,
        visit: &Visit<'_>,
        key: &str,
        refused: S3Error,
    ) -> S3Result<Response<Body>> {
        let status = refused.status_code().unwrap_or(StatusCode::NOT_FOUND);
        let shown = match self.find(visit, key) {
            Ok(_) => self.read_as(visit, key, &HeaderMap::new()).await,
            Err(error) => Err(error),
        };
        let Ok(mut answer) = shown else {
            return Err(refused);
        };
        *answer.status_mut() = status;
        // What tells a state of the page apart says nothing of what was asked for.
        for name in ["etag", "last-modified", "accept-ranges"] {
            answer.headers_mut().remove(name);
        }
        if visit.head.method == Method::HEAD {
            answer.headers_mut().remove(CONTENT_LENGTH);
        }
        Ok(answer)
    }
}

impl Visit<'_> {
    /// The redirect of the first rule that is about the key.
    fn ruled(&self, failed: Option<u16>) -> Option<Response<Body>> {
        let rule = self
            .site
            .rules
            .iter()
            .find(|rule| rule.is_about(&self.key, failed))?;
        let host = self.head.headers.get(HOST).and_then(|host| host.to_str().ok());
        let (status, place) = rule.leads(&self.key, host.unwrap_or(self.bucket));
        Some(page::redirect(status, &place))
    }
}
