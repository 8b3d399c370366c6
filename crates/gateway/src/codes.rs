//! The table of stable error codes.

use std::fmt;

/// A stable error code: `STEAD-0001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "STEAD-{:04}", self.0)
    }
}

/// What there is to say about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The code.
    pub code: Code,
    /// In a few words.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub next: &'static str,
}

/// The access key is unknown or revoked.
pub const UNKNOWN_KEY: Code = Code(201);
/// `secret.key` does not open a sealed secret.
pub const SECRET_KEY: Code = Code(204);
/// The state database is damaged.
pub const STATE_DAMAGED: Code = Code(30);

/// The page of a code: `STEAD-0001`, `stead-1` or `1`.
pub fn explain(code: &str) -> Option<&'static Page> {
    let _ = code;
    todo!()
}

/// Every page, by code.
pub fn pages() -> &'static [Page] {
    todo!()
}
