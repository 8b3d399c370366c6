//! Requests made ready before the clock starts, and one measured window of them.

use super::content::Content;
use super::load::{self, Expect, Measured, Request, Target};
use super::peers::Peer;
use crate::sign::{self, Signer, UNSIGNED};
use crate::{Outcome, process};
use std::time::Duration;

/// The one bucket.
pub const BUCKET: &str = "bench";

/// A measured window and what the server spent on it.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// What the clients saw.
    pub measured: Measured,
    /// Of the server, per request, in microseconds.
    pub cpu_us: f64,
}

/// The key of an object.
pub fn key(id: u64) -> String {
    format!("set-{:03}/object-{id:09}", id / 1_000 % 1_000)
}

/// An object with its digests, so that they are computed once for all peers.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its bytes.
    pub content: Content,
    etag: String,
    sha256: String,
}

impl Object {
    /// Computes the digests.
    pub fn new(id: u64, size: u64) -> Self {
        let content = Content { id, size };
        let (etag, sha256) = content.digests();
        Self {
            content,
            etag,
            sha256,
        }
    }

    /// Its SHA-256 in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// A signed PUT. `hashed` says whether the payload's SHA-256 is part of the signature.
    pub fn put(&self, signer: &Signer, hashed: bool) -> Request {
        self.put_at(signer, &format!("/{BUCKET}/{}", key(self.content.id)), hashed)
    }

    /// The same to any path.
    pub fn put_at(&self, signer: &Signer, path: &str, hashed: bool) -> Request {
        let payload = if hashed { &self.sha256 } else { UNSIGNED };
        let length = self.content.size;
        let request = sign::Request {
            method: "PUT",
            path,
            query: "",
            payload,
            headers: &[],
            length,
        };
        let head = signer.head(request);
        Request {
            head,
            body: Some(self.content),
            expect: Expect::Stored(self.etag.clone()),
        }
    }

    /// A signed GET.
    pub fn get(&self, signer: &Signer) -> Request {
        let path = format!("/{BUCKET}/{}", key(self.content.id));
        let request = sign::Request {
            method: "GET",
            path: &path,
            query: "",
            payload: UNSIGNED,
            headers: &[],
            length: 0,
        };
        Request {
            head: signer.head(request),
            body: None,
            expect: Expect::Content(self.content),
        }
    }
}

/// A signed listing of 1,000 keys after `after`.
pub fn list(signer: &Signer, after: &str) -> Request {
    let query = format!(
        "list-type=2&max-keys=1000&start-after={}",
        sign::encode(after, false)
    );
    let path = format!("/{BUCKET}");
    let request = sign::Request {
        method: "GET",
        path: &path,
        query: &query,
        payload: UNSIGNED,
        headers: &[],
        length: 0,
    };
    Request {
        head: signer.head(request),
        body: None,
        expect: Expect::Keys(1_000),
    }
}

/// The signer for a peer's requests from now on.
pub fn signer(peer: &Peer) -> Signer {
    Signer::new(&peer.key, &peer.address.to_string())
}

/// Makes the bucket, where the peer does not have it from the start.
pub fn make_bucket(peer: &Peer) -> Outcome {
    let mut client = crate::client::Client::new(peer.address, &peer.key);
    client.create_bucket(BUCKET).map_err(Into::into)
}

/// Runs the requests with so many clients, for at most `window`.
pub fn measure(
    peer: &Peer,
    clients: usize,
    window: Duration,
    requests: &mut dyn FnMut() -> Option<Request>,
) -> Outcome<Sample> {
    let target = Target {
        address: peer.address,
        clients,
        quick_ack: peer.quick_ack,
    };
    let before = process::cpu_us(peer.pid())?;
    let measured = load::run(target, window, requests).map_err(|why| format!("{}: {why}", peer.name))?;
    let spent = process::cpu_us(peer.pid())?.saturating_sub(before);
    let cpu_us = spent as f64 / measured.operations.max(1) as f64;
    Ok(Sample { measured, cpu_us })
}

/// Everything in `requests`, once, however long it takes.
pub fn all(peer: &Peer, clients: usize, requests: Vec<Request>) -> Outcome<Sample> {
    let mut requests = requests.into_iter();
    measure(peer, clients, Duration::from_secs(3_600), &mut || requests.next())
}
