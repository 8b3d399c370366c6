//! The gateway: identifies the caller, routes, answers; over a listener or called in the same process.

use crate::body::ApiBody;
use crate::events::Hubs;
use crate::operations::Operations;
use crate::permit::May;
use crate::series::Figures;
use crate::{ApiError, REQUEST_HEADER, auth, permit, routes};
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use std::sync::Arc;
use std::time::Duration;
use stead_event::Tenant;
use stead_gateway::listen::{self, ListenOptions, Peer, Runtime, Service};
use stead_gateway::metrics::Answered;
use stead_gateway::objects::{Objects, Reader};
use stead_gateway::sigv4::SigningKeys;
use stead_gateway::{Gateway, Listener, ReadContext, TaskKind, WriteContext, codes};

/// What the API is built of.
pub struct Components {
    /// Reads.
    pub read: ReadContext,
    /// Writes; `None` where a directory is read without a node.
    pub write: Option<WriteContext>,
    /// The node's own work.
    pub operations: Arc<dyn Operations>,
}

/// What handlers work with.
pub(crate) struct Shared {
    pub(crate) reader: Reader,
    writer: Option<Objects>,
    pub(crate) operations: Arc<dyn Operations>,
    pub(crate) figures: Figures,
    pub(crate) hubs: Hubs,
}

impl Shared {
    pub(crate) fn context(&self) -> &ReadContext {
        self.reader.context()
    }

    pub(crate) fn tenant(&self) -> &Tenant {
        &self.context().tenant
    }

    /// The writing side; an error where no node runs.
    pub(crate) fn objects(&self) -> Result<&Objects, ApiError> {
        self.writer.as_ref().ok_or_else(|| {
            ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                codes::NOT_RUNNING,
                "no node runs on this directory, so nothing can be changed in it",
            )
            .next("start it with `stead up`, then repeat the command")
        })
    }
}

/// The endpoints. Cheap to clone.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    router: Router,
    context: ReadContext,
    /// The writing side, where a node runs: it knows whether this node is up to date.
    write: Option<WriteContext>,
    keys: SigningKeys,
}

impl Api {
    /// Of its components.
    pub fn new(components: Components) -> Self {
        let context = components.read.clone();
        let write = components.write.clone();
        let state = Shared {
            reader: Reader::new(components.read),
            writer: components.write.map(Objects::new),
            operations: components.operations,
            figures: Figures::default(),
            hubs: Hubs::default(),
        };
        if state.writer.is_some() {
            let sampling = state
                .figures
                .clone()
                .sample(context.clone(), state.operations.clone());
            context.tasks.spawn(TaskKind::Background, "series", sampling);
        }
        let router = routes::router(Arc::new(state));
        Self(Arc::new(Inner {
            router,
            context,
            write,
            keys: SigningKeys::default(),
        }))
    }

    /// Answers a request from `peer`. Another part of this process that has identified the caller itself
    /// puts an `Arc<Identity>` into the request's extensions.
    pub async fn answer<B>(&self, peer: Peer, request: Request<B>) -> http::Response<ApiBody>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let inner = &self.0;
        let began = inner.context.clock.instant();
        let id = hex::encode(inner.context.rng.bytes::<8>());
        let (parts, body) = request.into_parts();
        let operation = routes::operation(&parts.method, parts.uri.path());
        let secret_url = auth::token_in_url(&parts);
        let current = self.current(parts.uri.path()).await;
        let admitted = current.and_then(|()| self.admit(peer, parts, &id));
        let mut response = match admitted {
            Ok(parts) => route(inner.router.clone(), Request::from_parts(parts, Body::new(body))).await,
            Err(error) => error.into_response(),
        };
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_HEADER, value);
        }
        if secret_url {
            // The address must not be kept with the answer, nor told to whom a page in it links.
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        let status = response.status().as_u16();
        let took = inner.context.clock.instant().saturating_duration_since(began);
        inner.context.metrics.answered(Answered {
            gateway: "api",
            operation,
            status,
            took,
        });
        tracing::debug!(
            request = id,
            operation,
            status,
            micros = took.as_micros() as u64,
            "answered"
        );
        response.map(ApiBody::new)
    }

    /// Waits until this node has applied what any node has acknowledged, for a request about data.
    async fn current(&self, path: &str) -> Result<(), ApiError> {
        match &self.0.write {
            Some(write) if routes::is_about_data(path) => Ok(write.caught_up().await?),
            _ => Ok(()),
        }
    }

    /// Puts the caller into the request, unless the endpoint is open to all.
    fn admit(
        &self,
        peer: Peer,
        mut parts: http::request::Parts,
        id: &str,
    ) -> Result<http::request::Parts, ApiError> {
        if !routes::is_open(parts.uri.path()) {
            let (caller, until) = auth::caller(peer, &parts, &self.0.context, &self.0.keys, id)?;
            let may = May::new(&self.0.context, &caller, &parts);
            permit::permit(&may, &parts)?;
            parts.extensions.insert(may);
            parts.extensions.insert(caller);
            if let Some(until) = until {
                parts.extensions.insert(until);
            }
        }
        Ok(parts)
    }
}

async fn route(mut router: Router, request: Request<Body>) -> Response {
    // A router is always ready, so it need not be polled first.
    match tower_service::Service::call(&mut router, request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

impl Service for Api {
    type Body = ApiBody;

    async fn call(&self, peer: Peer, request: Request<listen::Body>) -> http::Response<ApiBody> {
        self.answer(peer, request).await
    }
}

/// The API as a gateway: serves listeners.
pub struct ApiGateway {
    api: Api,
    runtime: Runtime,
    drain: Duration,
}

impl ApiGateway {
    /// Serves `api`; at shutdown, requests in flight get `drain`.
    pub fn new(api: Api, runtime: Runtime, drain: Duration) -> Self {
        Self { api, runtime, drain }
    }
}

#[async_trait]
impl Gateway for ApiGateway {
    fn name(&self) -> &'static str {
        "api"
    }

    fn describe(&self) -> &'static str {
        "Stead's own HTTP API: JSON under /api/v1, /healthz and /metrics"
    }

    async fn serve(self: Arc<Self>, listener: Listener) {
        let options = ListenOptions {
            drain: self.drain,
            ..ListenOptions::new("api")
        };
        listen::serve(listener, self.api.clone(), options, self.runtime.clone()).await;
    }
}

/// What no endpoint has the path of.
pub(crate) async fn not_found(request: Request<Body>) -> ApiError {
    let path = request.uri().path();
    ApiError::invalid(format!("there is no endpoint {path}"))
        .status(StatusCode::NOT_FOUND)
        .next("see /api/v1/openapi.json for those there are")
}

/// An endpoint asked with a method that it does not have.
pub(crate) async fn wrong_method(request: Request<Body>) -> ApiError {
    let message = format!("{} does not take {}", request.uri().path(), request.method());
    ApiError::invalid(message)
        .status(StatusCode::METHOD_NOT_ALLOWED)
        .next("see /api/v1/openapi.json for the methods that it takes")
}
