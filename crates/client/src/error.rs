//! What can go wrong between a client and a node.

use crate::wire::Problem;

/// Why there is no good answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The node said no, and why.
    #[error("{}: {}", .0.code, .0.detail)]
    Refused(Box<Problem>),
    /// Nobody answers there.
    #[error("{0}")]
    Unreachable(String),
    /// The answer broke off.
    #[error("the node's answer broke off: {0}")]
    Broken(String),
    /// The answer is none that this release knows.
    #[error("{0}")]
    NotUnderstood(String),
    /// The request cannot be made as it was asked for.
    #[error("{0}")]
    Invalid(String),
    /// What was to be sent cannot be read.
    #[error("what was to be sent cannot be read: {0}")]
    Source(String),
}
