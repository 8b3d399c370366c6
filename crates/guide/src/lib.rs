//! What the community knows, in its own taxonomy: guides, recommendations, and machines that were measured.
//!
//! Owns: the guides (`docs/guides`, embedded), how their pages are read and laid out for a terminal, which sections of
//! the one about outages fit the state that a node tells; the formats of recommendations and showcases.
//! Promises: pure functions over text and what they are given; a guide that is embedded is one that parses (a test
//! reads all).
//! Never: reads a file, asks a node, runs a command; the tests in `tests/guides` run what guides show.

mod blocks;
mod front;
mod library;
mod outage;
mod plain;
mod recommend;
pub mod showcase;

pub use blocks::blocks;
pub use front::FrontError;
pub use library::{Found, Guide, ROOMS, all, find, nearest, search};
pub use outage::{OUTAGE, Symptom, live, silent, with_present_first};
pub use plain::render;
pub use recommend::{Kind, Method, Recommendation, recommendations};
pub use showcase::Showcase;
