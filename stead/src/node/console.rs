//! The web console put in front of the API: gateways do not know each other, this does.

use crate::codes;
use crate::settings::Settings;
use async_trait::async_trait;
use http::{Request, Response, StatusCode};
use std::sync::Arc;
use std::time::Duration;
use stead_client::wire;
use stead_event::Timestamp;
use stead_gateway::listen::{Body, Peer, Runtime};
use stead_gateway::{Identity, ReadContext};
use stead_gateway_api::{Api, ApiError, Vouched};
use stead_gateway_web::{Answer, Backend, SignIn, Web, WebGateway, WebOptions, Who, boxed};

/// The API, asked in the name of whoever signed in.
struct ThroughApi(Api);

#[async_trait]
impl Backend for ThroughApi {
    async fn call(
        &self,
        identity: Arc<Identity>,
        peer: Peer,
        mut request: Request<Body>,
    ) -> Response<Answer> {
        request.extensions_mut().insert(Vouched(identity));
        self.0.answer(peer, request).await.map(boxed)
    }
}

/// The console over `api`. `owner_key` is the administrator's access key.
pub(super) fn gateway(
    context: &ReadContext,
    api: Api,
    doors: SignIn,
    settings: &Settings,
    owner_key: String,
    drain: Duration,
) -> Arc<WebGateway> {
    let options = WebOptions {
        hosts: settings.web.hosts.clone(),
        owner_key,
    };
    let runtime = Runtime {
        clock: context.clock.clone(),
        tasks: context.tasks.clone(),
        metrics: context.metrics.clone(),
    };
    let web = Web::new(context.clone(), Arc::new(ThroughApi(api)), doors, options);
    Arc::new(WebGateway::new(web, runtime, drain))
}

/// A one-time link in `who`'s name. Whoever can open the node's socket is its owner.
pub(super) fn link(
    doors: &SignIn,
    url: Option<&String>,
    who: &Identity,
) -> Result<wire::ConsoleLink, ApiError> {
    let Some(url) = url else {
        let message = "this node has no web console";
        return Err(ApiError::new(StatusCode::NOT_FOUND, codes::START, message));
    };
    let who = match who.access_key.as_str() {
        "" => Who::Owner,
        key => Who::Key(key.to_owned()),
    };
    let link = doors.link(who);
    Ok(wire::ConsoleLink {
        // Behind the hash, so that it is in no request line and in no log.
        url: format!("{url}/signin#{}", link.token),
        expires: Timestamp::from_micros(link.expires_micros),
    })
}
