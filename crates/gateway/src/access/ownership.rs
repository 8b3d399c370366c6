//! Object ownership: whose an object is that somebody else puts into a bucket.

use serde::{Deserialize, Serialize};

/// A bucket's object ownership, by S3's names.
///
/// A bucket that says nothing is [`Self::ObjectWriter`]: lists work, as in Ceph RGW and in buckets of Amazon
/// S3 from before April 2023. (Amazon makes new buckets `BucketOwnerEnforced`.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ownership {
    /// The writer's.
    #[default]
    ObjectWriter,
    /// The bucket owner's, where the writer grants it full control.
    BucketOwnerPreferred,
    /// The bucket owner's, always; lists do not count.
    BucketOwnerEnforced,
}

impl Ownership {
    /// By its name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "ObjectWriter" => Self::ObjectWriter,
            "BucketOwnerPreferred" => Self::BucketOwnerPreferred,
            "BucketOwnerEnforced" => Self::BucketOwnerEnforced,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ObjectWriter => "ObjectWriter",
            Self::BucketOwnerPreferred => "BucketOwnerPreferred",
            Self::BucketOwnerEnforced => "BucketOwnerEnforced",
        }
    }

    /// Whether lists count.
    pub fn has_lists(self) -> bool {
        self != Self::BucketOwnerEnforced
    }
}
