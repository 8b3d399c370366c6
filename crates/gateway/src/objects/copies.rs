//! How the blocks of a bucket's objects are kept on several nodes: its configuration documents `copies`, a number of
//! copies (`3`) or data and parity pieces (`4+2`), and `writes`, when a writer is answered.

use super::{ObjectError, Objects};
use crate::Caller;
use stead_block::{Durability, Keep, Quorum, stripe};
use stead_event::Cid;
use stead_log::command::INLINE_MAX;
use stead_view::{Names, ObjectRecord, ViewError};

/// The documents' names.
const DOCUMENT: &str = "copies";
const WRITES: &str = "writes";

/// How a bucket wants its blocks kept; nothing where it leaves that to the cluster.
pub fn keep_wanted(names: &Names, bucket: &str) -> Result<Option<Keep>, ViewError> {
    let document = names.config(bucket, DOCUMENT)?;
    Ok(document.and_then(|text| text.parse().ok()))
}

/// When a bucket's writers are answered.
pub fn quorum_wanted(names: &Names, bucket: &str) -> Result<Quorum, ViewError> {
    let document = names.config(bucket, WRITES)?;
    Ok(document.and_then(|text| text.parse().ok()).unwrap_or_default())
}

impl Objects {
    /// Says when a bucket's writers are answered.
    ///
    /// # Errors
    /// Where the bucket is not there, or the caller may not configure it.
    pub async fn set_quorum(&self, bucket: &str, quorum: Quorum, caller: Caller) -> Result<(), ObjectError> {
        let document = (quorum != Quorum::default()).then(|| quorum.to_string());
        self.configure_bucket(bucket, WRITES, document, caller).await
    }

    /// Says how a bucket's blocks are to be kept; `None` leaves that to the cluster. What is there is changed in the
    /// background.
    ///
    /// # Errors
    /// Where the bucket is not there, or the caller may not configure it.
    pub async fn set_keep(
        &self,
        bucket: &str,
        keep: Option<Keep>,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        let document = keep.map(|keep| keep.to_string());
        self.configure_bucket(bucket, DOCUMENT, document, caller).await
    }

    /// How a body is kept at once: as is usual where it is small, and travels through the log.
    pub(super) fn durability_for(
        &self,
        bucket: &str,
        length: Option<u64>,
    ) -> Result<Durability, ObjectError> {
        if length.is_some_and(|length| length <= INLINE_MAX as u64) {
            return Ok(Durability::default());
        }
        let names = self.context().views.names()?;
        Ok(Durability {
            keep: keep_wanted(&names, bucket)?,
            quorum: quorum_wanted(&names, bucket)?,
        })
    }

    /// The stripes of a copy: its source's, where they have the same bytes under them and the bucket wants such.
    pub(super) fn stripes_of_copy(
        &self,
        bucket: &str,
        source: &ObjectRecord,
        cid: Cid,
    ) -> Result<Option<Cid>, ObjectError> {
        let Some(list) = source.stripes.filter(|_| source.cid == Some(cid)) else {
            return Ok(None);
        };
        let wanted = keep_wanted(&self.context().views.names()?, bucket)?;
        let listed = stripe::read_list(&list, &self.context().store.read(&list)?);
        let same = listed.is_some_and(|(scheme, _)| wanted == Some(Keep::Stripes(scheme)));
        Ok(same.then_some(list))
    }
}
