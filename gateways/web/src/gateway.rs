//! The gateway: what it is made of, and its listener.

use crate::assets::Assets;
use crate::{Answer, Backend, SignIn, Who};
use async_trait::async_trait;
use http::Request;
use std::sync::Arc;
use std::time::Duration;
use stead_gateway::listen::{self, Body, ListenOptions, Peer, Runtime, Service};
use stead_gateway::{Gateway, Identity, Listener, ReadContext};

/// Settings of the console.
#[derive(Clone, Debug, Default)]
pub struct WebOptions {
    /// Host names besides loopback's and addresses under which the console may be asked for.
    pub hosts: Vec<String>,
    /// The access key of the node's administrator, in whose name [`Who::Owner`] acts.
    pub owner_key: String,
}

/// The console. Cheap to clone.
#[derive(Clone)]
pub struct Web(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) context: ReadContext,
    pub(crate) backend: Arc<dyn Backend>,
    pub(crate) doors: SignIn,
    pub(crate) options: WebOptions,
    pub(crate) assets: Assets,
    /// The cookie's name. Cookies know no ports, so two nodes on one machine need two names.
    pub(crate) cookie: String,
}

impl Web {
    /// Over the API.
    pub fn new(context: ReadContext, backend: Arc<dyn Backend>, doors: SignIn, options: WebOptions) -> Self {
        let node: String = context.node.to_string().chars().take(12).collect();
        Self(Arc::new(Inner {
            context,
            backend,
            doors,
            options,
            assets: Assets::new(),
            cookie: format!("stead-{node}"),
        }))
    }

    /// The identity behind a session; `None` where its key was revoked.
    pub(crate) fn identity(&self, who: &Who) -> Option<Arc<Identity>> {
        let find = |key: &str| self.0.context.credentials().find(key).ok();
        match who {
            Who::Key(key) => find(key),
            Who::Owner => Some(find(&self.0.options.owner_key).unwrap_or_else(|| Identity::local("root"))),
        }
    }
}

impl Service for Web {
    type Body = Answer;

    async fn call(&self, peer: Peer, request: Request<Body>) -> http::Response<Answer> {
        self.answer(peer, request).await
    }
}

/// The console as a gateway: serves a listener.
pub struct WebGateway {
    web: Web,
    runtime: Runtime,
    drain: Duration,
}

impl WebGateway {
    /// Serves `web`; at shutdown, requests in flight get `drain`.
    pub fn new(web: Web, runtime: Runtime, drain: Duration) -> Self {
        Self { web, runtime, drain }
    }
}

#[async_trait]
impl Gateway for WebGateway {
    fn name(&self) -> &'static str {
        "web"
    }

    fn describe(&self) -> &'static str {
        "the web console: pages, sign-in, and the HTTP API for the browser that signed in"
    }

    async fn serve(self: Arc<Self>, listener: Listener) {
        let options = ListenOptions {
            drain: self.drain,
            ..ListenOptions::new("web")
        };
        listen::serve(listener, self.web.clone(), options, self.runtime.clone()).await;
    }
}
