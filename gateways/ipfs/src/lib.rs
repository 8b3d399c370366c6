//! The IPFS gateway: what is public, over HTTP, by content path.
//!
//! Owns: the path gateway and the trustless gateway of <https://specs.ipfs.tech/http-gateways/>: paths,
//! formats, headers, listings.
//! Promises: only what is public is answered, and what is stored but not public cannot be told from what is
//! not there; memory for an answer is bounded; nothing of what people stored runs in an origin that anything
//! else of Stead has.
//! Never: writes, asks who somebody is, or fetches from anywhere. It has no context that could append.

mod answer;
mod car;
mod data;
mod format;
mod gateway;
mod listing;
mod media;
mod name;
mod path;
mod raw;
mod redirects;
mod request;
mod rewrite;
mod routing;
mod subdomain;
mod tar;
mod uri;

pub use answer::IpfsBody;
pub use gateway::{Ipfs, IpfsGateway};

/// The gateway's name in metrics and settings.
pub const NAME: &str = "ipfs";
