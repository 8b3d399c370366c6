//! A small S3 client: enough to load, check and damage a server, strict about every answer.

use crate::http::{Answer, Connection};
use crate::sign::{Key, Request, Signer, encode, sha256};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Bounds every single read and write.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a call has no good answer.
#[derive(Debug)]
pub enum CallError {
    /// The connection broke: whether the server did it is not known.
    Broken(std::io::Error),
    /// The server said no.
    Refused(u16, String),
    /// The server said yes, but not in a way that is right.
    Wrong(String),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Broken(why) => write!(out, "connection: {why}"),
            Self::Refused(status, body) => write!(out, "status {status}: {body}"),
            Self::Wrong(what) => write!(out, "wrong answer: {what}"),
        }
    }
}

impl std::error::Error for CallError {}

impl From<std::io::Error> for CallError {
    fn from(why: std::io::Error) -> Self {
        Self::Broken(why)
    }
}

/// What a call answers.
pub type Call<T> = Result<T, CallError>;

/// One client with one connection, opened when needed and again when it broke.
pub struct Client {
    address: SocketAddr,
    key: Key,
    service: &'static str,
    signer: Signer,
    signed_at: Instant,
    patience: Duration,
    connection: Option<Connection>,
}

/// The text between the first `<tag>` and its end.
pub fn element<'a>(xml: &'a str, tag: &str) -> Option<&'a str> {
    let start = xml.find(&format!("<{tag}>"))? + tag.len() + 2;
    let end = xml[start..].find(&format!("</{tag}>"))?;
    Some(&xml[start..start + end])
}

impl Client {
    /// For a server at `address`.
    pub fn new(address: SocketAddr, key: &Key) -> Self {
        Self::of_service(address, key, "s3")
    }

    /// For the HTTP API at `address`, with [`Self::send`].
    pub fn api(address: SocketAddr, key: &Key) -> Self {
        Self::of_service(address, key, "stead")
    }

    fn of_service(address: SocketAddr, key: &Key, service: &'static str) -> Self {
        let signer = Signer::of_service(key, &address.to_string(), service);
        let (key, signed_at) = (key.clone(), Instant::now());
        Self {
            address,
            key,
            service,
            signer,
            signed_at,
            patience: PATIENCE,
            connection: None,
        }
    }

    /// Another bound of every single read and write.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Connects, unless it is: where this fails, nothing has been asked.
    pub fn connect(&mut self) -> std::io::Result<()> {
        if self.connection.is_none() {
            self.connection = Some(Connection::open(self.address, self.patience)?);
        }
        Ok(())
    }

    /// One request, whatever its status.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Call<Answer> {
        if self.signed_at.elapsed() > Duration::from_secs(300) {
            self.signer = Signer::of_service(&self.key, &self.address.to_string(), self.service);
            self.signed_at = Instant::now();
        }
        let payload = sha256(body);
        let request = Request {
            method,
            path,
            query,
            payload: &payload,
            headers,
            length: body.len() as u64,
        };
        let head = self.signer.head(request);
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.address, self.patience)?,
        };
        let answer = connection.call(&head, body, method == "HEAD")?;
        let closes = answer
            .head
            .get("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if !closes {
            self.connection = Some(connection);
        }
        Ok(answer)
    }

    fn expect(
        &mut self,
        method: &str,
        path: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Call<Answer> {
        let answer = self.send(method, path, query, headers, body)?;
        match answer.head.status {
            200..=299 => Ok(answer),
            status => Err(CallError::Refused(
                status,
                String::from_utf8_lossy(&answer.body).into_owned(),
            )),
        }
    }

    /// Makes a bucket.
    pub fn create_bucket(&mut self, bucket: &str) -> Call<()> {
        self.expect("PUT", &format!("/{bucket}"), "", &[], b"").map(drop)
    }

    /// Puts an object; answers its headers.
    pub fn put(&mut self, bucket: &str, key: &str, body: &[u8]) -> Call<Answer> {
        self.expect("PUT", &path(bucket, key), "", &[], body)
    }

    /// Gets an object; `None` where there is none.
    pub fn get(&mut self, bucket: &str, key: &str) -> Call<Option<Answer>> {
        match self.expect("GET", &path(bucket, key), "", &[], b"") {
            Ok(answer) => Ok(Some(answer)),
            Err(CallError::Refused(404, _)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Deletes an object.
    pub fn delete(&mut self, bucket: &str, key: &str) -> Call<()> {
        self.expect("DELETE", &path(bucket, key), "", &[], b"").map(drop)
    }

    /// Every key and size in a bucket, page by page, in order.
    pub fn list(&mut self, bucket: &str) -> Call<Vec<(String, u64)>> {
        self.list_below(bucket, "")
    }

    /// The same of keys that begin with `prefix`.
    pub fn list_below(&mut self, bucket: &str, prefix: &str) -> Call<Vec<(String, u64)>> {
        let mut found: Vec<(String, u64)> = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut query = match &token {
                Some(token) => format!("continuation-token={}&list-type=2", encode(token, false)),
                None => "list-type=2".to_owned(),
            };
            if !prefix.is_empty() {
                query.push_str(&format!("&prefix={}", encode(prefix, false)));
            }
            let answer = self.expect("GET", &format!("/{bucket}"), &query, &[], b"")?;
            let xml = String::from_utf8_lossy(&answer.body).into_owned();
            for entry in xml.split("<Contents>").skip(1) {
                let key = element(entry, "Key").ok_or_else(|| CallError::Wrong(xml.clone()))?;
                let size = element(entry, "Size").and_then(|size| size.parse().ok());
                found.push((key.to_owned(), size.ok_or_else(|| CallError::Wrong(xml.clone()))?));
            }
            match element(&xml, "NextContinuationToken") {
                Some(next) if token.as_deref() != Some(next) => token = Some(next.to_owned()),
                Some(next) => return Err(CallError::Wrong(format!("the list does not go on after {next}"))),
                None => return Ok(found),
            }
        }
    }

    /// Starts a multipart upload; answers its id.
    pub fn start_upload(&mut self, bucket: &str, key: &str) -> Call<String> {
        let answer = self.expect("POST", &path(bucket, key), "uploads=", &[], b"")?;
        let xml = String::from_utf8_lossy(&answer.body).into_owned();
        element(&xml, "UploadId")
            .map(str::to_owned)
            .ok_or(CallError::Wrong(xml))
    }

    /// Uploads a part; answers its ETag.
    pub fn put_part(
        &mut self,
        bucket: &str,
        key: &str,
        upload: &str,
        number: usize,
        body: &[u8],
    ) -> Call<String> {
        let query = format!("partNumber={number}&uploadId={}", encode(upload, false));
        let answer = self.expect("PUT", &path(bucket, key), &query, &[], body)?;
        let etag = answer.head.get("etag").map(str::to_owned);
        etag.ok_or_else(|| CallError::Wrong("a part without an ETag".to_owned()))
    }

    /// Completes an upload. A 200 may still carry an error: S3 keeps the connection alive while it works.
    pub fn complete_upload(
        &mut self,
        bucket: &str,
        key: &str,
        upload: &str,
        etags: &[String],
    ) -> Call<Answer> {
        let mut xml = "<CompleteMultipartUpload>".to_owned();
        for (at, etag) in etags.iter().enumerate() {
            xml.push_str(&format!(
                "<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag></Part>",
                at + 1
            ));
        }
        xml.push_str("</CompleteMultipartUpload>");
        let query = format!("uploadId={}", encode(upload, false));
        let answer = self.expect("POST", &path(bucket, key), &query, &[], xml.as_bytes())?;
        let text = String::from_utf8_lossy(&answer.body);
        if text.contains("<CompleteMultipartUploadResult") {
            return Ok(answer);
        }
        Err(CallError::Refused(200, text.into_owned()))
    }
}

fn path(bucket: &str, key: &str) -> String {
    format!("/{bucket}/{}", encode(key, true))
}
