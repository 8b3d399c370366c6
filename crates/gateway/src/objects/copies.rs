//! How many nodes have the blocks of a bucket's objects: its configuration document `copies`, a number.

use super::{ObjectError, Objects};
use crate::Caller;
use stead_log::command::INLINE_MAX;
use stead_view::{Names, ViewError};

/// The document's name.
const DOCUMENT: &str = "copies";
/// Copies at most.
pub const MAX_COPIES: u8 = 5;

/// How many copies a bucket wants; nothing where it leaves that to the cluster.
pub fn copies_wanted(names: &Names, bucket: &str) -> Result<Option<u8>, ViewError> {
    let document = names.config(bucket, DOCUMENT)?;
    Ok(document
        .and_then(|text| text.parse().ok())
        .filter(|copies| (1..=MAX_COPIES).contains(copies)))
}

impl Objects {
    /// Says how many nodes are to have a bucket's blocks; `None` leaves that to the cluster. Copies of what is
    /// there are made or given up in the background.
    ///
    /// # Errors
    /// [`ObjectError::Invalid`] for a number of copies that cannot be.
    pub async fn set_copies(
        &self,
        bucket: &str,
        copies: Option<u8>,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        if copies.is_some_and(|copies| !(1..=MAX_COPIES).contains(&copies)) {
            return Err(ObjectError::Invalid(format!("copies are 1 to {MAX_COPIES}")));
        }
        let document = copies.map(|copies| copies.to_string());
        self.configure_bucket(bucket, DOCUMENT, document, caller).await
    }

    /// How many copies of a body are made at once: nothing where it is small, and travels through the log.
    pub(super) fn copies_for(&self, bucket: &str, length: Option<u64>) -> Result<Option<u8>, ObjectError> {
        if length.is_some_and(|length| length <= INLINE_MAX as u64) {
            return Ok(None);
        }
        Ok(copies_wanted(&self.context().views.names()?, bucket)?)
    }
}
