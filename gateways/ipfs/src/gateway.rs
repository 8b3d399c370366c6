//! The service: which part of the gateway a request is for, and what all answers have in common.

use crate::NAME;
use crate::answer::{self, Answer, IpfsBody, Refusal, X_IPFS_PATH, X_IPFS_ROOTS, set};
use crate::format::{self, Format};
use crate::request::{Namespace, Request};
use crate::subdomain::{self, Host};
use crate::uri;
use async_trait::async_trait;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode, header};
use std::sync::Arc;
use stead_event::Cid;
use stead_gateway::ipfs::{Node, PublishedBlocks, Walked};
use stead_gateway::listen::{self, ListenOptions, Peer, Runtime, Service};
use stead_gateway::metrics::Answered;
use stead_gateway::{Gateway, Listener, ReadContext};

/// The gateway as a service. Cheap to clone.
#[derive(Clone)]
pub struct Ipfs(Arc<PublishedBlocks>);

impl Ipfs {
    /// Over what is public.
    pub fn new(blocks: PublishedBlocks) -> Self {
        Self(Arc::new(blocks))
    }

    pub(crate) fn blocks(&self) -> &PublishedBlocks {
        &self.0
    }

    pub(crate) fn context(&self) -> &ReadContext {
        self.0.context()
    }

    /// Answers a request, whoever sent it.
    pub async fn answer(&self, parts: Parts) -> Answer {
        let began = self.context().clock.instant();
        let (operation, answered) = self.dispatch(&parts).await;
        let mut answer = answered.unwrap_or_else(Refusal::answer);
        if parts.method == Method::HEAD {
            answer = without_body(answer);
        }
        answer::cors(&mut answer);
        let took = self.context().clock.instant().saturating_duration_since(began);
        self.context().metrics.answered(Answered {
            gateway: NAME,
            operation,
            status: answer.status().as_u16(),
            took,
        });
        answer
    }

    async fn dispatch(&self, parts: &Parts) -> (&'static str, Result<Answer, Refusal>) {
        match parts.method {
            Method::GET | Method::HEAD => {}
            Method::OPTIONS => {
                let mut answer = answer::of(StatusCode::NO_CONTENT, Bytes::new());
                set(&mut answer, header::ALLOW, "GET, HEAD, OPTIONS");
                return ("Options", Ok(answer));
            }
            _ => return ("Other", Ok(not_allowed())),
        }
        if let Some(answered) = self.routing(parts) {
            return ("Routing", answered);
        }
        if let Some(answered) = uri::router(parts) {
            return ("Redirect", answered);
        }
        let inside;
        let (parts, bare, by_host) = match subdomain::of(parts) {
            Host::Root(namespace, root) => match subdomain::inside(parts.clone(), namespace, root) {
                Some(rewritten) => {
                    inside = rewritten;
                    (&inside, false, true)
                }
                None => return ("Other", Err(Refusal::Absent)),
            },
            Host::Bare => (parts, true, false),
            Host::Other => (parts, false, false),
        };
        match Request::of(parts) {
            Ok(Some(request)) if bare => match subdomain::redirect(parts, &request) {
                Some(answer) => ("Redirect", answer),
                None => self.content(request).await,
            },
            Ok(Some(mut request)) => {
                request.by_host = by_host;
                self.content(request).await
            }
            Ok(None) => ("Other", Err(Refusal::Absent)),
            Err(refusal) => ("Other", Err(refusal)),
        }
    }

    /// `/ipfs/…` and `/ipns/…`.
    async fn content(&self, request: Request) -> (&'static str, Result<Answer, Refusal>) {
        let (format, parameters) = match format::of(&request) {
            Ok(format) => format,
            Err(refusal) => return ("Other", Err(refusal)),
        };
        let operation = match format {
            Format::Deserialized => "GetFile",
            Format::Raw => "GetBlock",
            Format::Car => "GetCar",
            Format::Tar => "GetTar",
            Format::IpnsRecord => "GetRecord",
            Format::DagJson | Format::DagCbor | Format::Json | Format::Cbor => "GetData",
        };
        if request.is_too_wide_a_worker() {
            let why = "a service worker is registered for a path below a root, not for the root".to_owned();
            return (operation, Err(Refusal::Bad(why)));
        }
        let cached = request.only_if_cached();
        let location = request.content_location(format);
        let mut answer = self.in_format(request, format, &parameters).await;
        match &mut answer {
            // Nothing is fetched for a reader, so what is not here is not here for either.
            Err(Refusal::Absent) if cached => {
                answer = Ok(answer::of(StatusCode::PRECONDITION_FAILED, Bytes::new()))
            }
            Ok(answer) => {
                if let Some(location) = location.filter(|_| answer.status().is_success()) {
                    set(answer, header::CONTENT_LOCATION, &location);
                }
            }
            Err(_) => {}
        }
        (operation, answer)
    }

    async fn in_format(&self, request: Request, format: Format, parameters: &str) -> Result<Answer, Refusal> {
        if format == Format::IpnsRecord {
            return match request.namespace {
                Namespace::Ipns if request.path.is_empty() => self.record(&request),
                _ => Err(Refusal::Bad("a record is of a name: /ipns/<name>".into())),
            };
        }
        let root = self.root(&request)?;
        let path = request.content_path();
        if format == Format::Raw && request.path.is_empty() {
            let answer = self.block(&request, &root).await?;
            return Ok(with_path(answer, &path, &[root]));
        }
        let found = match self.blocks().walk(root, &request.path).await? {
            Walked::Found(found) => *found,
            Walked::NoEntry(_) if format == Format::Deserialized => return self.absent(&request, root).await,
            Walked::NoEntry(_) | Walked::Absent => return Err(Refusal::Absent),
        };
        let roots = found.roots.clone();
        let answer = match format {
            Format::Raw => self.raw(&request, &found)?,
            Format::Car => self.car(&request, parameters, &found).await?,
            Format::Tar => self.tar(&request, &found).await?,
            _ if matches!(found.node, Node::Data) => self.data(&request, &found, format)?,
            // Files are not said in other codecs; a client that just likes JSON gets the file.
            Format::DagJson | Format::DagCbor => {
                let why = "this is a file or a directory: ask for it without a format, or for raw, car, tar";
                return Err(Refusal::NotAcceptable(why.into()));
            }
            _ => self.deserialized(&request, found).await?,
        };
        Ok(with_path(answer, &path, &roots))
    }

    /// The CID that a content path begins with.
    fn root(&self, request: &Request) -> Result<Cid, Refusal> {
        match request.namespace {
            Namespace::Ipfs => Cid::try_from(request.root.as_str()).map_err(|_| {
                let shown: String = request.root.chars().take(80).collect();
                Refusal::Bad(format!("{shown:?} is not a CID"))
            }),
            Namespace::Ipns => Ok(self.named(&request.root)?.1),
        }
    }
}

fn with_path(mut answer: Answer, path: &str, roots: &[Cid]) -> Answer {
    set(&mut answer, X_IPFS_PATH, path);
    set(&mut answer, X_IPFS_ROOTS, &answer::roots_text(roots));
    answer
}

fn not_allowed() -> Answer {
    let why = "only GET, HEAD and OPTIONS are answered here".to_owned();
    let mut answer = Refusal::Status(StatusCode::METHOD_NOT_ALLOWED, why).answer();
    set(&mut answer, header::ALLOW, "GET, HEAD, OPTIONS");
    answer
}

/// The head of an answer: the length stays, the bytes do not.
fn without_body(answer: Answer) -> Answer {
    let length = http_body::Body::size_hint(answer.body()).exact();
    let (mut parts, _) = answer.into_parts();
    if let Some(length) = length
        && !parts.headers.contains_key(header::CONTENT_LENGTH)
    {
        parts.headers.insert(header::CONTENT_LENGTH, length.into());
    }
    Answer::from_parts(parts, Bytes::new().into())
}

impl Service for Ipfs {
    type Body = IpfsBody;

    async fn call(&self, _peer: Peer, request: http::Request<listen::Body>) -> Answer {
        // Whatever a body says, it changes nothing here; it is not read.
        self.answer(request.into_parts().0).await
    }
}

/// The gateway over a listener.
pub struct IpfsGateway {
    ipfs: Ipfs,
    runtime: Runtime,
    options: ListenOptions,
}

impl IpfsGateway {
    /// Serves within these limits.
    pub fn new(ipfs: Ipfs, runtime: Runtime, options: ListenOptions) -> Self {
        Self {
            ipfs,
            runtime,
            options,
        }
    }
}

#[async_trait]
impl Gateway for IpfsGateway {
    fn name(&self) -> &'static str {
        NAME
    }

    fn describe(&self) -> &'static str {
        "IPFS over HTTP: the path gateway and the trustless gateway"
    }

    async fn serve(self: Arc<Self>, listener: Listener) {
        listen::serve(
            listener,
            self.ipfs.clone(),
            self.options.clone(),
            self.runtime.clone(),
        )
        .await;
    }
}
