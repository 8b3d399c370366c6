//! The web console in a real browser: Debian's Chromium, driven over its own protocol by `playwright-core`.
//!
//! Pictures of every page are left in `target/console-shots`.

use super::{Session, clients, tools};
use crate::{Outcome, paths};
use std::path::{Path, PathBuf};

/// The scripts of `tests/web`, with what they need.
pub fn scripts() -> Outcome<PathBuf> {
    tools::programs(&["chromium", "node", "npm"])?;
    tools::npm_below("web-js", &paths::root().join("tests/web"))
}

/// Sign-in to sign-out, beside the AWS command line as another client.
pub fn console(session: &Session) -> Outcome {
    tools::programs(&["aws"])?;
    let scripts = scripts()?;
    std::fs::create_dir_all(paths::target().join("console-shots"))?;
    let script = scripts.join("console.mjs");
    clients::against(
        session,
        "console",
        Path::new("node"),
        &[&script.to_string_lossy()],
    )
}
