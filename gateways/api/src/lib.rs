//! Stead's own HTTP API: what the command line and programs ask a node beyond a storage protocol.
//!
//! Owns: the endpoints under `/api/v1`, `/healthz` and `/metrics`, their JSON ([`wire`]) and who may call them.
//! Promises: over the Unix socket of the data directory (which only the owner can open) no signature is
//! needed; over TCP every request but those that tell nothing of anybody's data is signed (SigV4, service
//! `stead`) or carries a token, and the key's scope holds. Every error is a problem document (RFC 9457) with
//! a stable code, every list comes in pages, and `/api/v1/openapi.json` describes what the router has.
//! Never: keeps state of its own, or does by itself what [`Operations`] or `stead_gateway::objects` do.

mod auth;
mod body;
mod buckets;
mod cluster;
mod config;
mod console;
mod error;
mod events;
mod explain;
mod filter;
mod gateway;
mod guides;
mod ipfs;
mod keys;
mod listing;
mod locks;
mod log;
mod meta;
mod objects;
mod openapi;
pub mod operations;
mod overview;
mod paging;
mod permit;
mod presign;
mod proof;
mod provenance;
mod restore;
mod routes;
mod series;
mod steps;
mod time;
mod tokens;
mod upkeep;
mod uploads;
mod zip;

/// The JSON of requests and answers.
pub use stead_client::wire;

pub use auth::Vouched;
pub use body::ApiBody;
pub use error::ApiError;
pub use gateway::{Api, ApiGateway, Components};
pub use operations::{Operations, Progress};

/// The service name in the scope of signatures.
pub const SERVICE: &str = "stead";
/// The region in the scope of signatures.
pub const REGION: &str = "stead";
/// Over the Unix socket: the name of whoever acts, for the log.
pub const ACTOR_HEADER: &str = "x-stead-actor";
/// On every answer: the request's id, which events that it led to carry as `via.request`.
pub const REQUEST_HEADER: &str = "x-stead-request";
