//! Sealed segments: which parts of which log are kept as blocks.

use crate::ViewError;
use stead_event::Tenant;
use stead_event::body::LogSealed;

/// The sealed segments at one moment.
pub struct Segments {
    _snapshot: (),
}

impl Segments {
    /// Sealed segments of a tenant's log, by position.
    pub fn sealed(&self, tenant: &Tenant) -> Result<Vec<LogSealed>, ViewError> {
        let _ = tenant;
        todo!()
    }
}
