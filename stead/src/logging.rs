//! Structured logs on standard error: for people on a terminal, one JSON object a line otherwise.
//!
//! Never: writes a secret; nothing that holds one implements a form that could be logged.

use crate::failure::Failure;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// What `up` logs where nobody says otherwise. `s3s` would log every refused request as an error.
pub const NODE: &str = "info,openraft=warn,s3s=off";
/// What other commands log where nobody says otherwise.
pub const COMMAND: &str = "error,openraft=off";

/// Starts logging. `filter` is `--log`; without it `RUST_LOG` is used, then `default`.
pub fn start(filter: Option<&str>, default: &str) -> Result<(), Failure> {
    let from_environment = std::env::var("RUST_LOG").ok().filter(|text| !text.is_empty());
    let text = filter.or(from_environment.as_deref()).unwrap_or(default);
    let filter = EnvFilter::try_new(text)
        .map_err(|e| Failure::usage(format!("the log filter {text:?} is not understood: {e}")))?;
    let terminal = std::io::stderr().is_terminal();
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if terminal {
        builder.with_ansi(true).with_target(false).init();
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .init();
    }
    Ok(())
}
