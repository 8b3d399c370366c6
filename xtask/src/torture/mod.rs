//! Placeholder.
use crate::{Outcome, args::Args};
/// Runs.
pub fn run(_: Args) -> Outcome {
    Err("not yet".into())
}
