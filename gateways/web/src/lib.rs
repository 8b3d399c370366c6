//! The web console: static pages, sign-in by a one-time link, cookie sessions, and the way to the API.
//!
//! Owns: the pages (`gateways/web/assets`, embedded in the binary), [`SignIn`] (links and sessions, in memory
//! only), and what a browser must be told so that nothing stored here can act in the console's name
//! ([`headers`]).
//! Promises: without a session nothing but the sign-in page is answered; whatever changes something needs
//! the session's own token besides the cookie and comes from this very origin; after sign-out the cookie is
//! worth nothing; stored content is never active content of this origin; nothing asks another host.
//! Never: reads or changes data by itself. What the console shows and does goes through [`Backend`], which is
//! the HTTP API that every program may use.

mod assets;
mod backend;
mod follow;
mod gateway;
mod guard;
pub mod headers;
mod service;
mod signin;

pub use backend::{Answer, Backend, Failure, boxed};
pub use gateway::{Web, WebGateway, WebOptions};
pub use signin::{Link, SignIn, Who};
