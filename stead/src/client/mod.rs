//! How commands speak to a node: over its socket, over TCP with a signature, or (where none runs) with the
//! API in this very process.
//!
//! Owns: connections, requests, answers and errors of the client side.
//! Never: knows what a command does with an answer.

mod connect;
mod find;
mod request;
mod steps;

pub use find::{Needs, find};
pub use request::{Body, Url, body_of, empty, streamed};
pub use steps::LinesOf;

use crate::codes;
use crate::failure::Failure;
use bytes::Bytes;
use connect::Server;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stead_client::wire;
use stead_gateway::listen::Peer;
use stead_gateway_api::{ACTOR_HEADER, Api};

/// The error of a body, whatever it came through.
pub type BodyFailure = Box<dyn std::error::Error + Send + Sync>;
/// The body of an answer.
pub type Answer = UnsyncBoxBody<Bytes, BodyFailure>;

/// The program's name to the other side.
const AGENT: &str = concat!("stead/", env!("CARGO_PKG_VERSION"));

enum Transport {
    Server(Box<Server>),
    Local(Box<Api>),
}

/// A node, or a directory that is read without one.
pub struct Client {
    transport: Transport,
    /// What names this node in state files: two nodes never have the same.
    pub identity: String,
}

impl Client {
    /// Sends a request. An answer that is not a success is a [`Failure`].
    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Answer>, Failure> {
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let actor = utf8_percent_encode(&user_name(), NON_ALPHANUMERIC).to_string();
        if let Ok(actor) = HeaderValue::from_str(&actor) {
            headers.insert(HeaderName::from_static(ACTOR_HEADER), actor);
        }
        let response = match &self.transport {
            Transport::Server(server) => server.send(request).await?,
            Transport::Local(api) => {
                let response = api.answer(Peer { remote: None }, request).await;
                response.map(|body| body.map_err(BodyFailure::from).boxed_unsync())
            }
        };
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response).await)
    }

    /// What the headers of an object say.
    pub async fn head(&self, url: impl Fn() -> Url) -> Result<HeaderMap, Failure> {
        match self.send(request(Method::HEAD, url(), empty())?).await {
            Ok(response) => Ok(response.into_parts().0.headers),
            // An answer to HEAD has no body that could say why; the answer to GET has.
            Err(_) => Ok(self
                .send(request(Method::GET, url(), empty())?)
                .await?
                .into_parts()
                .0
                .headers),
        }
    }

    /// Sends a request without a body and reads the answer's JSON.
    pub async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, Failure> {
        let response = self.send(request(Method::GET, url, empty())?).await?;
        read(response).await
    }

    /// All pages of a list as one.
    pub async fn all<T: DeserializeOwned>(&self, url: Url) -> Result<wire::Page<T>, Failure> {
        let url = url.with("limit", "1000");
        let mut all: wire::Page<T> = self.get(url.clone()).await?;
        while let Some(next) = all.next.take() {
            let page: wire::Page<T> = self.get(url.clone().with("cursor", &next)).await?;
            all.items.extend(page.items);
            all.next = page.next;
        }
        Ok(all)
    }

    /// Sends JSON and reads JSON.
    pub async fn post<T: DeserializeOwned>(&self, url: Url, value: &impl Serialize) -> Result<T, Failure> {
        let response = self.send(json_request(Method::POST, url, value)?).await?;
        read(response).await
    }

    /// Sends a request without a body whose answer does not matter.
    pub async fn call(&self, method: Method, url: Url) -> Result<(), Failure> {
        let response = self.send(request(method, url, empty())?).await?;
        // Read to the end, so that the connection can be used again.
        drop(response.into_body().collect().await);
        Ok(())
    }
}

/// A request.
pub fn request(method: Method, url: Url, body: Body) -> Result<Request<Body>, Failure> {
    Request::builder()
        .method(method)
        .uri(url.to_string())
        .body(body)
        .map_err(|e| Failure::usage(format!("this does not make a request: {e}")))
}

/// A request whose body is JSON.
pub fn json_request(method: Method, url: Url, value: &impl Serialize) -> Result<Request<Body>, Failure> {
    let text = serde_json::to_vec(value).map_err(|e| Failure::new(codes::INTERNAL, e.to_string()))?;
    let mut request = request(method, url, body_of(text.into()))?;
    request
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(request)
}

/// The JSON of an answer.
pub async fn read<T: DeserializeOwned>(response: Response<Answer>) -> Result<T, Failure> {
    let bytes = bytes_of(response).await?;
    serde_json::from_slice(&bytes).map_err(|e| {
        Failure::new(
            codes::PROTOCOL,
            format!("the node's answer is not understood: {e}"),
        )
    })
}

/// All bytes of an answer.
pub async fn bytes_of(response: Response<Answer>) -> Result<Bytes, Failure> {
    let body = response.into_body().collect().await.map_err(|e| broken(&e))?;
    Ok(body.to_bytes())
}

/// An answer that broke off.
pub fn broken(error: &BodyFailure) -> Failure {
    Failure::new(
        codes::NOT_RUNNING,
        format!("the node's answer broke off: {error}"),
    )
    .next("repeat the command; if it happens again, look at the node's log")
}

async fn refusal(response: Response<Answer>) -> Failure {
    let status = response.status();
    match bytes_of(response)
        .await
        .map(|bytes| serde_json::from_slice::<wire::Problem>(&bytes))
    {
        Ok(Ok(error)) => error.into(),
        _ => Failure::new(
            codes::PROTOCOL,
            format!("the node answered {status} and no reason"),
        ),
    }
}

/// Who this is, for the log: the name of the user who runs the command.
fn user_name() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .or_else(account)
        .unwrap_or_else(|| format!("uid-{}", rustix::process::geteuid().as_raw()))
}

/// The account's name, where the environment does not say it.
fn account() -> Option<String> {
    let own = rustix::process::geteuid().as_raw().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == own).then(|| name.to_owned())
    })
}
