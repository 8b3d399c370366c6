//! The S3 gateway: S3 requests to objects and back.
//!
//! Owns: the S3 syntax — paths, headers, XML, error codes, listings' tokens — and nothing of what lies
//! below it.
//! Promises: a request that is refused has stored nothing; every answer carries a request id, and where
//! they apply the object's CID and the log position.
//! Never: keeps state of its own, listens on a socket, or decides what a version or a key is.

mod ops;

pub use ops::S3Gateway;
