//! The service: every request comes in here, and every answer leaves here.

use crate::auth::Keys;
use crate::body::{Checked, Findings, Kind, Rest, Tracked};
use crate::errors::{self, About};
use crate::host::Domains;
use crate::target::{Target, query_value};
use crate::{S3Options, gate, ops, post, presigned, route, signed_date, xml};
use http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, CONNECTION, HOST, HeaderName, HeaderValue, ORIGIN, SERVER, USER_AGENT,
};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, S3Result, s3_error};
use std::sync::Arc;
use stead_event::body::Versioning;
use stead_event::{Timestamp, Via};
use stead_gateway::locks::Fence;
use stead_gateway::metrics::Answered;
use stead_gateway::{Objects, Peer, ReadContext, WriteContext, listen};

/// The gateway's name in events and metrics.
pub const NAME: &str = "s3";

/// Names the lock and the token that changes are only accepted with: `NAME=TOKEN`.
const LOCK: HeaderName = HeaderName::from_static("x-stead-lock");
const X_AMZ_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const X_AMZ_ID_2: HeaderName = HeaderName::from_static("x-amz-id-2");

/// What is known of a request before it is read: kept with it, for the event that it may become.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The request's id, answered in `x-amz-request-id`.
    pub id: String,
    /// The other side.
    pub peer: Peer,
    /// The program that the other side says it is.
    pub agent: Option<String>,
}

impl Arrival {
    fn new(context: &ReadContext, peer: Peer, headers: &HeaderMap) -> Self {
        let id = hex::encode_upper(context.rng.bytes::<8>());
        let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        Self {
            id,
            peer,
            agent: agent.map(|agent| agent.chars().take(200).collect()),
        }
    }

    /// As an event carries it.
    pub fn via(&self) -> Via {
        Via {
            protocol: NAME.into(),
            remote: self.peer.remote.map(|remote| remote.to_string()),
            agent: self.agent.clone(),
            request: Some(self.id.clone()),
        }
    }
}

/// Translates S3 requests into operations on objects.
pub struct S3Gateway {
    pub(crate) objects: Objects,
    pub(crate) options: S3Options,
    pub(crate) keys: Keys,
    domains: Domains,
}

impl S3Gateway {
    pub(crate) fn new(context: WriteContext, options: S3Options) -> Self {
        let keys = Keys(context.read_only().clone());
        let domains = Domains::new(&options.domains);
        Self {
            domains,
            objects: Objects::new(context),
            options,
            keys,
        }
    }

    /// The same, where every change requires a lock to be held.
    fn fenced(&self, fence: Fence) -> Self {
        Self {
            objects: self.objects.fenced(Some(fence)),
            options: self.options.clone(),
            keys: self.keys.clone(),
            domains: self.domains.clone(),
        }
    }

    /// What a request is about, by its host and path.
    fn target(&self, head: &Parts) -> S3Result<Target> {
        let host = host(head);
        let bucket = self.domains.site(host).or_else(|| self.domains.bucket(host));
        Target::parse(bucket.as_deref(), head.uri.path())
    }

    /// The bucket whose website is asked for; what a browser asks ahead is not the website's to answer.
    fn site_of(&self, head: &Parts) -> Option<String> {
        let asks = head.method != Method::OPTIONS;
        asks.then(|| self.domains.site(host(head))).flatten()
    }

    /// What reads are made through.
    pub(crate) fn context(&self) -> &ReadContext {
        self.objects.context().read_only()
    }

    /// Buckets and objects as they are now.
    pub(crate) fn names(&self) -> S3Result<stead_view::Names> {
        self.context()
            .views
            .names()
            .map_err(|error| errors::from_object(error.into()))
    }

    /// The record of a bucket that must be there.
    pub(crate) fn bucket(&self, bucket: &str) -> S3Result<stead_view::BucketRecord> {
        self.names()?
            .bucket(bucket)
            .map_err(|error| errors::from_object(error.into()))?
            .ok_or_else(|| s3_error!(NoSuchBucket))
    }

    /// Whether a bucket's versioning was ever enabled.
    pub(crate) fn is_versioned(&self, bucket: &str) -> S3Result<bool> {
        Ok(self.bucket(bucket)?.versioning != Versioning::Off)
    }
}

/// The S3 protocol as a service for [`listen::serve`]. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    gateway: Arc<S3Gateway>,
    s3s: S3Service,
}

impl Service {
    /// Over a context.
    pub(crate) fn new(context: WriteContext, options: S3Options) -> Self {
        Self::of(Arc::new(S3Gateway::new(context, options)))
    }

    fn of(gateway: Arc<S3Gateway>) -> Self {
        let mut builder = S3ServiceBuilder::new(ops::Operations(gateway.clone()));
        builder.set_auth(gateway.keys.clone());
        builder.set_access(gateway.keys.clone());
        builder.set_host(gateway.domains.clone());
        builder.set_route(route::DataPlane(gateway.clone()));
        Self {
            gateway,
            s3s: builder.build(),
        }
    }

    /// The same, for one request whose changes are only to be made while it holds a lock.
    fn fenced(&self, named: &HeaderValue) -> S3Result<Self> {
        let fence = named
            .to_str()
            .map_err(|_| s3_error!(InvalidRequest, "x-stead-lock is no text"));
        let fence = Fence::parse(fence?).map_err(errors::from_object)?;
        Ok(Self::of(Arc::new(self.gateway.fenced(fence))))
    }

    async fn answer(&self, arrival: &Arrival, head: Parts, body: Body) -> Response<Body> {
        let fenced = match head.headers.get(LOCK).map(|named| self.fenced(named)).transpose() {
            Ok(fenced) => fenced,
            Err(error) => return errors::answer(error),
        };
        // One call, whoever answers: a second one would make every connection's state larger.
        fenced
            .as_ref()
            .unwrap_or(self)
            .answer_as(arrival, head, body)
            .await
    }

    async fn answer_as(&self, arrival: &Arrival, mut head: Parts, body: Body) -> Response<Body> {
        // Before anything is looked up: what another node has acknowledged is to be seen here.
        if let Err(behind) = self.gateway.objects.context().caught_up().await {
            return errors::answer(errors::from_object(behind));
        }
        if let Some(bucket) = self.gateway.site_of(&head) {
            return self.gateway.site(arrival, &head, &bucket).await;
        }
        if head.method == Method::OPTIONS {
            return self.preflight(&head).unwrap_or_else(errors::answer);
        }
        match self.enter(&mut head) {
            Ok(Target::Bucket(bucket)) if is_upload_form(&head) => self
                .gateway
                .post(arrival, &head, &bucket, body)
                .await
                .unwrap_or_else(errors::answer),
            Ok(target) if is_upload_form(&head) || is_plain_post(&head, &target) => {
                errors::answer(not_a_form(&target))
            }
            Ok(target) => self.through_s3s(arrival, head, &target, body).await,
            Err(error) => errors::answer(error),
        }
    }

    fn preflight(&self, head: &Parts) -> S3Result<Response<Body>> {
        let target = self.gateway.target(head)?;
        self.gateway.preflight(target.bucket(), &head.headers)
    }

    /// What is refused before `s3s` sees it, which authenticates again.
    fn enter(&self, head: &mut Parts) -> S3Result<Target> {
        presigned::unfold(head)?;
        signed_date::forget_empty(&mut head.headers);
        let host = self.gateway.domains.bucket(host(head));
        let target = gate::enter(head, host.as_deref())?;
        if let Some(bucket) = target.bucket() {
            let expected = head.headers.get("x-amz-expected-bucket-owner");
            self.gateway.check_expected_owner(bucket, expected)?;
        }
        let now = Timestamp::from_micros(self.gateway.context().clock.now_micros());
        signed_date::settle(&mut head.headers, now)?;
        presigned::verify(head, host.as_deref(), &target, &self.gateway.keys, now)?;
        Ok(target)
    }

    async fn through_s3s(
        &self,
        arrival: &Arrival,
        head: Parts,
        target: &Target,
        body: Body,
    ) -> Response<Body> {
        let findings = Findings::default();
        // Objects leave through the data plane only.
        let is_document = !route::is_data(&head.method, head.uri.query(), &head.headers, target);
        let body = match watched(&head, target) {
            Some(kind) => Body::http_body_unsync(Checked::new(body, kind, &head.headers, findings.clone())),
            None => body,
        };
        let mut request = Request::from_parts(head, body);
        request.extensions_mut().insert(arrival.clone());
        request.extensions_mut().insert(target.clone());
        match self.s3s.call(request).await {
            Ok(answer) => {
                let answer = findings.take().map_or(answer, errors::answer);
                if is_document {
                    xml::keep_returns(answer)
                } else {
                    answer
                }
            }
            Err(error) => {
                tracing::error!(?error, "an answer could not be written");
                errors::answer(s3_error!(InternalError))
            }
        }
    }
}

/// The host that the client speaks to.
fn host(head: &Parts) -> &str {
    let host = head.headers.get(HOST).and_then(|host| host.to_str().ok());
    host.unwrap_or_default()
}

/// A form is on a bucket itself and signed within, if at all.
fn is_upload_form(head: &Parts) -> bool {
    head.method == Method::POST && head.uri.query().is_none_or(str::is_empty) && post::is_form(&head.headers)
}

/// What could only be a form, but is none.
fn is_plain_post(head: &Parts, target: &Target) -> bool {
    head.method == Method::POST
        && matches!(target, Target::Bucket(_))
        && head.uri.query().is_none_or(str::is_empty)
}

fn not_a_form(target: &Target) -> s3s::S3Error {
    match target {
        Target::Bucket(_) => s3_error!(
            PreconditionFailed,
            "Bucket POST must be of the enclosure-type multipart/form-data"
        ),
        _ => s3_error!(MethodNotAllowed),
    }
}

/// What the body is to be watched for: everything but objects and parts is a document.
fn watched(head: &Parts, target: &Target) -> Option<Kind> {
    let query = head.uri.query();
    match head.method {
        Method::POST if query_value(query, "uploadId").is_some() => Some(Kind::Completion),
        Method::POST => Some(Kind::Document),
        Method::PUT if !route::is_data(&head.method, query, &head.headers, target) => Some(Kind::Document),
        Method::PUT => {
            let hash = head.headers.get("x-amz-content-sha256")?;
            (hash.as_bytes() == b"STREAMING-AWS4-HMAC-SHA256-PAYLOAD").then_some(Kind::Chunks)
        }
        _ => None,
    }
}

/// A page of another origin that a browser asks for.
struct Page {
    bucket: String,
    method: Method,
    headers: HeaderMap,
}

impl Page {
    fn of(gateway: &S3Gateway, head: &Parts) -> Option<Self> {
        if !head.headers.contains_key(ORIGIN) || head.method == Method::OPTIONS {
            return None;
        }
        let target = gateway.target(head).ok()?;
        let asked = |name: HeaderName| Some((name.clone(), head.headers.get(name)?.clone()));
        Some(Self {
            bucket: target.bucket()?.to_owned(),
            method: head.method.clone(),
            headers: [ORIGIN, ACCESS_CONTROL_REQUEST_METHOD]
                .into_iter()
                .filter_map(asked)
                .collect(),
        })
    }

    fn share(&self, gateway: &S3Gateway, answer: &mut Response<Body>) {
        gateway.share(&self.bucket, &self.method, &self.headers, answer.headers_mut());
    }
}

impl listen::Service for Service {
    type Body = Body;

    async fn call(&self, peer: Peer, request: Request<listen::Body>) -> Response<Body> {
        let context = self.gateway.context();
        let began = context.clock.instant();
        let (head, body) = request.into_parts();
        let arrival = Arrival::new(context, peer, &head.headers);
        let (method, uri) = (head.method.clone(), head.uri.clone());
        let is_site = self.gateway.site_of(&head).is_some();
        let page = Page::of(&self.gateway, &head);
        let rest = Rest::new(&head.headers);
        let body = Body::http_body(Tracked::new(body, rest.clone()));
        let answer = self.answer(&arrival, head, body).await;
        let about = About {
            method: &method,
            path: uri.path(),
            request: &arrival.id,
        };
        let answer = match is_site {
            true => answer, // its errors are pages
            false => errors::dress(answer, &about),
        };
        let mut answer = finish(answer, &arrival);
        if let Some(page) = page {
            page.share(&self.gateway, &mut answer);
        }
        log(&about, answer.status().as_u16());
        if !rest.drained().await {
            answer
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let sent = http_body::Body::size_hint(answer.body()).exact().unwrap_or(0);
        context.metrics.received(NAME, rest.announced());
        context.metrics.sent(NAME, sent);
        context.metrics.answered(Answered {
            gateway: NAME,
            operation: verb(&method),
            status: answer.status().as_u16(),
            took: began.elapsed(),
        });
        answer
    }
}

fn finish(mut answer: Response<Body>, arrival: &Arrival) -> Response<Body> {
    let headers = answer.headers_mut();
    errors::insert(headers, X_AMZ_REQUEST_ID, &arrival.id);
    headers.insert(X_AMZ_ID_2, HeaderValue::from_static("stead"));
    headers.insert(SERVER, HeaderValue::from_static("Stead"));
    answer
}

/// One line for each answer. Never headers or the query: a presigned URL has its signature there. A busy or
/// a full server (503, 507), or a client that probes what is not implemented (501), is no fault of its own.
fn log(about: &About<'_>, status: u16) {
    let About {
        method,
        path,
        request,
    } = *about;
    match status {
        503 | 507 => tracing::warn!(request, %method, path, status, "a request could not be served now"),
        501 => tracing::debug!(request, %method, path, status, "a request asked for what is not implemented"),
        500.. => tracing::error!(request, %method, path, status, "a request failed"),
        _ => tracing::debug!(request, %method, path, status, "a request was answered"),
    }
}

/// A bounded set of names for metrics.
fn verb(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{self, Write};
    use std::sync::{Mutex, PoisonError};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn failures_are_logged_by_their_weight() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let about = About {
            method: &Method::GET,
            path: "/bucket/key",
            request: "0123456789ABCDEF",
        };
        let statuses = [
            (200, "DEBUG"),
            (404, "DEBUG"),
            (500, "ERROR"),
            (501, "DEBUG"),
            (503, "WARN"),
            (507, "WARN"),
        ];
        tracing::subscriber::with_default(subscriber, || {
            for (status, _) in statuses {
                log(&about, status);
            }
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), statuses.len(), "{text}");
        for (line, (status, level)) in text.lines().zip(statuses) {
            assert!(line.contains(level), "{line}");
            for field in [
                "0123456789ABCDEF",
                "method=GET",
                "/bucket/key",
                &format!("status={status}"),
            ] {
                assert!(line.contains(field), "{field}: {line}");
            }
        }
    }
}
