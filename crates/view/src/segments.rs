//! Sealed segments: which parts of which log are kept as blocks. Folded from the tenant `system` alone.

use crate::error::ViewError;
use crate::projection::Projection;
use crate::tables::{Read, Snapshot, TableId, Tables};
use serde::{Deserialize, Serialize};
use stead_event::body::LogSealed;
use stead_event::{Body, Event, Position, Tenant};

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredSegment(pub(crate) LogSealed);

first_version!(StoredSegment, "sealed segment");

fn tenant_prefix(tenant: &Tenant) -> Vec<u8> {
    [tenant.as_str().as_bytes(), &[0]].concat()
}

fn row_key(tenant: &Tenant, first: Position) -> Vec<u8> {
    [&tenant_prefix(tenant)[..], &first.to_be_bytes()].concat()
}

/// Folds sealed segments.
#[derive(Default)]
pub(crate) struct SegmentsFold;

impl Projection for SegmentsFold {
    const NAME: &'static str = "segments";
    const TABLES: &'static [TableId] = &[TableId::Sealed];

    fn fold(&mut self, tables: &mut Tables<'_>, tenant: &Tenant, event: &Event) -> Result<(), ViewError> {
        let Body::LogSealed(sealed) = &event.body else {
            return Ok(());
        };
        if *tenant != Tenant::system() || is_sealed(tables, &sealed.tenant, sealed.first)? {
            return Ok(());
        }
        let key = row_key(&sealed.tenant, sealed.first);
        tables.set(TableId::Sealed, &key, &StoredSegment(sealed.clone()))
    }
}

/// Whether a tenant's segment is sealed.
pub(crate) fn is_sealed(read: &impl Read, tenant: &Tenant, first: Position) -> Result<bool, ViewError> {
    Ok(read
        .get(TableId::Sealed, &row_key(tenant, first), |_| Ok(()))?
        .is_some())
}

/// The sealed segments at one moment.
pub struct Segments {
    pub(crate) snapshot: Snapshot,
}

impl Segments {
    /// Sealed segments of a tenant's log, by position.
    pub fn sealed(&self, tenant: &Tenant) -> Result<Vec<LogSealed>, ViewError> {
        let rows = self.snapshot.prefixed(TableId::Sealed, &tenant_prefix(tenant))?;
        rows.map(|row| Ok(row?.value::<StoredSegment>()?.0)).collect()
    }
}
