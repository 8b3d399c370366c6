//! How to add a protocol.
//!
//! 1. A crate of its own under `gateways/`; it may use this crate, `stead-view` and `stead-event`, and
//!    whatever library knows its protocol's syntax.
//! 2. A type that holds a [`ReadContext`](crate::ReadContext) (reads only) or an
//!    [`Objects`](crate::Objects) (writes too) and implements [`Gateway`].
//! 3. For HTTP: implement [`listen::Service`](crate::listen::Service) for a cloneable type and let `serve`
//!    call [`listen::serve`](crate::listen::serve), which owns limits, timeouts and drain.
//! 4. One line in the binary's composition, which binds the address and spawns `serve`.
//!
//! Errors that people see come from [`ObjectError`](crate::ObjectError) and its
//! [`code`](crate::ObjectError::code); a gateway only puts them in its protocol's clothes.

use crate::Listener;
use async_trait::async_trait;
use std::sync::Arc;

/// One protocol over one context.
#[async_trait]
pub trait Gateway: Send + Sync + 'static {
    /// Its name in events (`via.protocol`), metrics and settings: `s3`, `api`, …
    fn name(&self) -> &'static str;

    /// What it speaks, in one sentence for people.
    fn describe(&self) -> &'static str;

    /// Serves clients of `listener` until shutdown is asked for and every request in flight is answered.
    async fn serve(self: Arc<Self>, listener: Listener);
}
