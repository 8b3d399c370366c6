//! The settings that all nodes share, as an event of the system tenant's. What a document may say is not known here.

use super::{ObjectError, Objects};
use crate::Caller;
use stead_event::Tenant;
use stead_event::body::ConfigSet;
use stead_log::Precondition;

impl Objects {
    /// Sets another document, where the one that counts is still of the revision `over` (0: there is none). Answers the
    /// new revision.
    ///
    /// # Errors
    /// [`ObjectError::ConfigChanged`] where another document was set meanwhile.
    pub async fn set_config(
        &self,
        over: u64,
        (document, message): (String, String),
        caller: Caller,
    ) -> Result<u64, ObjectError> {
        let Caller { identity, via } = caller;
        identity.check_administrator()?;
        let revision = over + 1;
        let set = ConfigSet {
            document,
            message,
            revision,
            via,
        };
        let require = vec![Precondition::ConfigAt(over)];
        let draft = self.draft(&identity, set);
        self.append_to(Tenant::system(), require, vec![draft], Vec::new())
            .await?;
        Ok(revision)
    }
}
