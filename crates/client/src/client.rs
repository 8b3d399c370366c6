//! A node as a program sees it.

use crate::connect::{Address, Connections};
use crate::request::{Body, Url, empty, json_request, request};
use crate::wire::{self, Problem};
use crate::{Error, Key, LinesOf};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;

/// The error of a body, whatever it came through.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;
/// The body of an answer.
pub type Answer = UnsyncBoxBody<Bytes, BodyError>;

/// What requests go through: connections to a node, or a node within the same process.
pub trait Transport: Send + Sync {
    /// Sends a request; any answer is a success here.
    fn send(&self, request: Request<Body>) -> BoxFuture<'_, Result<Response<Answer>, Error>>;
}

/// A node. Cheap to clone; connections are kept and used again.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    headers: HeaderMap,
}

impl Client {
    /// Over a transport.
    pub fn new(transport: Arc<dyn Transport>) -> Self {
        Self {
            transport,
            headers: HeaderMap::new(),
        }
    }

    /// The node whose socket this is (`<data>/stead.sock`), if it answers.
    pub async fn at_socket(path: &Path) -> std::io::Result<Self> {
        Self::at(Address::Socket(path.to_owned())).await
    }

    /// The node at `HOST:PORT`, asked with a key, if it answers.
    pub async fn at_address(authority: &str, key: Key) -> std::io::Result<Self> {
        Self::at(Address::Tcp(authority.to_owned(), key)).await
    }

    async fn at(address: Address) -> std::io::Result<Self> {
        let connections = Connections::new(address);
        connections.probe().await?;
        Ok(Self::new(Arc::new(connections)))
    }

    /// The same, with these headers on every request: who asks (`user-agent`), in whose name.
    pub fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers = headers;
        self
    }

    /// Sends a request. An answer that is not a success is [`Error::Refused`].
    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Answer>, Error> {
        for (name, value) in &self.headers {
            request.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        let response = self.transport.send(request).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response).await)
    }

    /// What the headers of an object say.
    pub async fn head(&self, url: &Url) -> Result<HeaderMap, Error> {
        match self.send(request(Method::HEAD, url, empty())?).await {
            Ok(response) => Ok(response.into_parts().0.headers),
            // An answer to HEAD has no body that could say why; the answer to GET has.
            Err(_) => {
                let response = self.send(request(Method::GET, url, empty())?).await?;
                Ok(response.into_parts().0.headers)
            }
        }
    }

    /// Sends a request without a body and reads the answer's JSON.
    pub async fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<T, Error> {
        read(self.send(request(Method::GET, url, empty())?).await?).await
    }

    /// All pages of a list as one.
    pub async fn all<T: DeserializeOwned>(&self, url: &Url) -> Result<wire::Page<T>, Error> {
        let url = url.clone().with("limit", "1000");
        let mut all: wire::Page<T> = self.get(&url).await?;
        while let Some(next) = all.next.take() {
            let page: wire::Page<T> = self.get(&url.clone().with("cursor", &next)).await?;
            all.items.extend(page.items);
            all.next = page.next;
        }
        Ok(all)
    }

    /// Sends JSON and reads JSON.
    pub async fn post<T: DeserializeOwned>(&self, url: &Url, value: &impl Serialize) -> Result<T, Error> {
        read(self.send(json_request(Method::POST, url, value)?).await?).await
    }

    /// Puts JSON where the answer does not matter.
    pub async fn put_json(&self, url: &Url, value: &impl Serialize) -> Result<(), Error> {
        let response = self.send(json_request(Method::PUT, url, value)?).await?;
        drop(response.into_body().collect().await);
        Ok(())
    }

    /// Sends a request without a body whose answer does not matter.
    pub async fn call(&self, method: Method, url: &Url) -> Result<(), Error> {
        let response = self.send(request(method, url, empty())?).await?;
        // Read to the end, so that the connection can be used again.
        drop(response.into_body().collect().await);
        Ok(())
    }

    /// Sends a request whose answer is steps: progress as it comes, then the result.
    pub async fn steps<T: DeserializeOwned>(
        &self,
        request: Request<Body>,
        mut progress: impl FnMut(wire::Progress),
    ) -> Result<T, Error> {
        let mut lines = LinesOf::new(self.send(request).await?);
        while let Some(line) = lines.next().await? {
            match serde_json::from_slice(&line).map_err(not_understood)? {
                wire::Step::Progress(step) => progress(step),
                wire::Step::Result(result) => return Ok(result),
                wire::Step::Error(problem) => return Err(Error::Refused(Box::new(problem))),
            }
        }
        Err(Error::Broken("it ended without a result".into()))
    }

    /// How the node is.
    pub async fn status(&self) -> Result<wire::Status, Error> {
        self.get(&Url::new("/api/v1/status")).await
    }

    /// What a person wants to see first.
    pub async fn overview(&self) -> Result<wire::Overview, Error> {
        self.get(&Url::new("/api/v1/overview")).await
    }

    /// Every bucket that the caller may see.
    pub async fn buckets(&self) -> Result<Vec<wire::Bucket>, Error> {
        Ok(self.all(&Url::new("/api/v1/buckets")).await?.items)
    }

    /// Everything that is known about an object.
    pub async fn meta(&self, bucket: &str, key: &str) -> Result<wire::Meta, Error> {
        self.get(&Url::new("/api/v1/meta").segment(bucket).key(key)).await
    }

    /// Stores an object.
    pub async fn put(&self, bucket: &str, key: &str, body: Body) -> Result<wire::Stored, Error> {
        let url = Url::new("/api/v1/objects").segment(bucket).key(key);
        read(self.send(request(Method::PUT, &url, body)?).await?).await
    }

    /// An object's bytes, as they come.
    pub async fn open(&self, bucket: &str, key: &str) -> Result<Response<Answer>, Error> {
        let url = Url::new("/api/v1/objects").segment(bucket).key(key);
        self.send(request(Method::GET, &url, empty())?).await
    }
}

fn not_understood(error: serde_json::Error) -> Error {
    Error::NotUnderstood(format!("the node's answer is not understood: {error}"))
}

/// The JSON of an answer.
pub async fn read<T: DeserializeOwned>(response: Response<Answer>) -> Result<T, Error> {
    serde_json::from_slice(&bytes_of(response).await?).map_err(not_understood)
}

/// All bytes of an answer.
pub async fn bytes_of(response: Response<Answer>) -> Result<Bytes, Error> {
    let body = response.into_body().collect().await;
    Ok(body.map_err(|e| Error::Broken(e.to_string()))?.to_bytes())
}

async fn refusal(response: Response<Answer>) -> Error {
    let status = response.status();
    match bytes_of(response)
        .await
        .map(|bytes| serde_json::from_slice::<Problem>(&bytes))
    {
        Ok(Ok(problem)) => Error::Refused(Box::new(problem)),
        _ => Error::NotUnderstood(format!("the node answered {status} and no reason")),
    }
}
