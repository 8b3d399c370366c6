//! Stead's HTTP API from the outside: its JSON, and a small typed client for it.
//!
//! Owns: [`wire`] (what goes over the wire, shared by the server, the command line and other programs),
//! [`Client`] (over a node's socket, or over TCP with a key), URLs without escaping mistakes, answers line by
//! line.
//! Never: knows a server's rooms; only `stead-event`, and `stead-runtime` for time and tasks.

mod client;
mod connect;
mod error;
mod lines;
mod request;
mod sign;
pub mod wire;

pub use client::{Answer, BodyError, Client, Transport, bytes_of, read};
pub use error::Error;
pub use lines::LinesOf;
pub use request::{Body, Url, body_of, empty, json_request, request, streamed};
pub use sign::Key;

/// Over the socket: the name of whoever acts, for the log, percent-encoded.
pub const ACTOR_HEADER: &str = "x-stead-actor";
