//! The operations, as `s3s` names them.

/// Translates S3 operations into operations on objects.
#[derive(Clone, Debug)]
pub struct S3Gateway;

impl s3s::S3 for S3Gateway {}
