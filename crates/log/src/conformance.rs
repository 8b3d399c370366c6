//! What every log driver must do; each driver's tests call [`log_conformance`].

use crate::{Log, Machine};
use std::sync::Arc;

/// Runs every check; `make` builds a fresh driver over the machine that it is given.
pub async fn log_conformance<L, F>(make: impl Fn(Box<dyn Machine>) -> F)
where
    L: Log + ?Sized,
    F: Future<Output = Arc<L>>,
{
    let _ = make;
    todo!()
}
