//! How commands speak to a node: over its socket, over TCP with a signature, or (where none runs) with the
//! API in this very process. The client itself is `stead-client`; here its errors become what a person reads.
//!
//! Never: knows what a command does with an answer.

mod find;

pub use find::{Needs, find};
pub use stead_client::{Answer, Body, Url, body_of, empty, streamed};

use crate::codes;
use crate::failure::Failure;
use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::header::USER_AGENT;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::BodyExt;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stead_client::{ACTOR_HEADER, BodyError, Error, Transport, wire};
use stead_gateway::listen::Peer;
use stead_gateway_api::Api;

/// The program's name to the other side.
const AGENT: &str = concat!("stead/", env!("CARGO_PKG_VERSION"));

/// A node, or a directory that is read without one.
pub struct Client {
    client: stead_client::Client,
    /// What names this node in state files: two nodes never have the same.
    pub identity: String,
}

/// The API in this very process.
struct Local(Box<Api>);

impl Transport for Local {
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Answer>, Error>> {
        Box::pin(async move {
            let response = self.0.answer(Peer { remote: None }, request).await;
            Ok(response.map(|body| body.map_err(BodyError::from).boxed_unsync()))
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(problem) => (*problem).into(),
            Error::Unreachable(why) => Self::new(codes::NOT_RUNNING, why),
            Error::Broken(_) => Self::new(codes::NOT_RUNNING, error.to_string())
                .next("repeat the command; if it happens again, look at the node's log"),
            Error::NotUnderstood(why) => Self::new(codes::PROTOCOL, why),
            Error::Invalid(why) => Self::usage(why),
            Error::Source(_) => Self::new(codes::FILE, error.to_string()),
        }
    }
}

/// An answer that broke off.
pub fn broken(error: &BodyError) -> Failure {
    Error::Broken(error.to_string()).into()
}

impl Client {
    fn new(client: stead_client::Client, identity: String) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        let actor = utf8_percent_encode(&user_name(), NON_ALPHANUMERIC).to_string();
        if let Ok(actor) = HeaderValue::from_str(&actor) {
            headers.insert(HeaderName::from_static(ACTOR_HEADER), actor);
        }
        Self {
            client: client.with_headers(headers),
            identity,
        }
    }

    /// Sends a request. An answer that is not a success is a [`Failure`].
    pub async fn send(&self, request: Request<Body>) -> Result<Response<Answer>, Failure> {
        Ok(self.client.send(request).await?)
    }

    /// What the headers of an object say.
    pub async fn head(&self, url: impl Fn() -> Url) -> Result<HeaderMap, Failure> {
        Ok(self.client.head(&url()).await?)
    }

    /// Sends a request without a body and reads the answer's JSON.
    pub async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, Failure> {
        Ok(self.client.get(&url).await?)
    }

    /// All pages of a list as one.
    pub async fn all<T: DeserializeOwned>(&self, url: Url) -> Result<wire::Page<T>, Failure> {
        Ok(self.client.all(&url).await?)
    }

    /// Sends JSON and reads JSON.
    pub async fn post<T: DeserializeOwned>(&self, url: Url, value: &impl Serialize) -> Result<T, Failure> {
        Ok(self.client.post(&url, value).await?)
    }

    /// Puts JSON where the answer does not matter.
    pub async fn put(&self, url: Url, value: &impl Serialize) -> Result<(), Failure> {
        Ok(self.client.put_json(&url, value).await?)
    }

    /// Sends a request without a body whose answer does not matter.
    pub async fn call(&self, method: Method, url: Url) -> Result<(), Failure> {
        Ok(self.client.call(method, &url).await?)
    }

    /// Sends DELETE and reads the answer's JSON.
    pub async fn delete<T: DeserializeOwned>(&self, url: Url) -> Result<T, Failure> {
        read(self.send(request(Method::DELETE, url, empty())?).await?).await
    }

    /// Sends a request whose answer is steps.
    pub async fn steps<T: DeserializeOwned>(
        &self,
        request: Request<Body>,
        progress: impl FnMut(wire::Progress),
    ) -> Result<T, Failure> {
        Ok(self.client.steps(request, progress).await?)
    }
}

/// A request.
pub fn request(method: Method, url: Url, body: Body) -> Result<Request<Body>, Failure> {
    Ok(stead_client::request(method, &url, body)?)
}

/// A request whose body is JSON.
pub fn json_request(method: Method, url: Url, value: &impl Serialize) -> Result<Request<Body>, Failure> {
    Ok(stead_client::json_request(method, &url, value)?)
}

/// The JSON of an answer.
pub async fn read<T: DeserializeOwned>(response: Response<Answer>) -> Result<T, Failure> {
    Ok(stead_client::read(response).await?)
}

/// All bytes of an answer.
pub async fn bytes_of(response: Response<Answer>) -> Result<Bytes, Failure> {
    Ok(stead_client::bytes_of(response).await?)
}

/// An answer, line by line.
pub struct LinesOf(stead_client::LinesOf);

impl LinesOf {
    /// Of an answer.
    pub fn new(response: Response<Answer>) -> Self {
        Self(stead_client::LinesOf::new(response))
    }

    /// The next line, without its line feed; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<BytesMut>, Failure> {
        Ok(self.0.next().await?)
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
