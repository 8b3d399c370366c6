//! The S3 gateway: S3 requests to objects and back.
//!
//! Owns: the S3 syntax — paths, headers, XML, error codes, listings' tokens — and nothing of what lies
//! below it. A request comes in at [`service`], passes the gate ([`gate`]; presigned URLs of
//! the old kind, [`presigned`], too), is authenticated by `s3s`, and ends either in the data plane ([`data`]: bytes of
//! objects and parts) or in one of the operations on documents ([`ops`]).
//! Promises: a request that is refused has stored nothing; every answer carries a request id, and where
//! they apply the object's CID and the log position.
//! Never: keeps state of its own, listens on a socket, or decides what a version or a key is.

mod acl;
mod actions;
mod auth;
mod body;
mod claims;
mod conditions;
mod cors;
mod data;
mod dates;
mod errors;
mod facts;
mod gate;
mod headers;
mod host;
pub mod lifecycle;
mod lock;
pub mod notify;
mod ops;
mod owners;
mod post;
mod presigned;
mod range;
mod rfc2047;
mod route;
mod service;
mod signed_date;
mod sse;
mod tags;
mod target;
mod token;
mod website;
mod xml;

pub use service::Service;

use std::sync::Arc;
use stead_gateway::listen::{ListenOptions, Runtime};
use stead_gateway::{Gateway, Listener, WriteContext, listen};

/// Settings of the gateway.
#[derive(Clone, Debug)]
pub struct S3Options {
    /// The region that buckets say they are in. Signatures may name any region.
    pub region: String,
    /// Domains whose hosts are buckets: `photos.s3.localhost` for `s3.localhost`.
    pub domains: Vec<String>,
    /// Whom buckets may notify.
    pub webhooks: notify::Webhooks,
    /// How long a day of a lifecycle rule is.
    pub lifecycle_day: lifecycle::Day,
}

impl Default for S3Options {
    fn default() -> Self {
        Self {
            region: "us-east-1".into(),
            domains: vec!["s3.localhost".into(), "localhost".into()],
            webhooks: notify::Webhooks::default(),
            lifecycle_day: lifecycle::Day::default(),
        }
    }
}

/// The S3 protocol over a context, for [`listen::serve`].
pub fn service(context: WriteContext, options: S3Options) -> Service {
    Service::new(context, options)
}

/// The gateway with its listener's limits, for the binary's composition.
pub struct S3 {
    service: Service,
    limits: ListenOptions,
    runtime: Runtime,
}

impl S3 {
    /// Over a context.
    pub fn new(context: WriteContext, options: S3Options, limits: ListenOptions) -> Self {
        let runtime = Runtime {
            clock: context.clock.clone(),
            tasks: context.tasks.clone(),
            metrics: context.metrics.clone(),
        };
        Self {
            service: service(context, options),
            limits,
            runtime,
        }
    }
}

#[async_trait::async_trait]
impl Gateway for S3 {
    fn name(&self) -> &'static str {
        service::NAME
    }

    fn describe(&self) -> &'static str {
        "Amazon S3's REST API, path and virtual-host style, signed with Signature Version 4 (presigned URLs also with 2)"
    }

    async fn serve(self: Arc<Self>, listener: Listener) {
        listen::serve(
            listener,
            self.service.clone(),
            self.limits.clone(),
            self.runtime.clone(),
        )
        .await;
    }
}
