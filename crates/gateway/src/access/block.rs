//! The public access block: four switches that keep a bucket private, whatever lists and policies say.

use serde::{Deserialize, Serialize};

/// A bucket's switches. None is set unless somebody sets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PublicAccessBlock {
    /// A list that lets everybody in is refused.
    pub block_public_acls: bool,
    /// What lists grant to everybody does not count.
    pub ignore_public_acls: bool,
    /// A policy that lets everybody in is refused.
    pub block_public_policy: bool,
    /// Where the policy lets everybody in, it permits nothing to any but the bucket's owner.
    pub restrict_public_buckets: bool,
}
