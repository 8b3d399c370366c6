//! What every protocol needs and none should write twice: context, objects, signatures, listeners, limits,
//! drain, metrics, error codes.
//!
//! Owns: [`context`] (what a gateway may touch), [`objects`] (bodies to blocks and events, and back),
//! [`sigv4`], [`sigv2`] (presigned URLs only), [`listen`] (the only HTTP server loop), [`metrics`], [`codes`] (every stable error code),
//! [`secrets`], [`identity`] (access keys) and [`tokens`], [`access`] (who may do what), [`locks`].
//! Promises: nothing is stored unless everything that the client claimed about its bytes is true; an
//! answered write is durable; memory for one connection and one upload is bounded.
//! Never: knows a protocol's syntax. XML, JSON and query names belong to the gateways.

pub mod access;
pub mod codes;
pub mod context;
pub mod identity;
pub mod ipfs;
pub mod listen;
pub mod locks;
pub mod metrics;
pub mod objects;
pub mod protocol;
pub mod secrets;
pub mod sigv2;
pub mod sigv4;
pub mod tokens;

pub use codes::Code;
pub use context::{Limits, ReadContext, WriteContext};
pub use identity::{Caller, Credentials, Identity};
pub use listen::{ListenOptions, Listener, Peer, Service};
pub use metrics::Metrics;
pub use objects::{ObjectError, Objects};
pub use protocol::Gateway;
pub use secrets::SecretBox;
pub use stead_runtime::{TaskKind, blocking};
