//! Access keys: who may sign requests.
//!
//! Keys are folded from the tenants `system` and `main`; a key is looked for in that order.

use crate::error::ViewError;
use crate::projection::Projection;
use crate::tables::{Read, Snapshot, TableId, Tables};
use serde::{Deserialize, Serialize};
use stead_event::body::{KeyCreated, Scope};
use stead_event::{Body, Event, Position, Tenant, Timestamp};

/// An access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The public half.
    pub access_key: String,
    /// The user's name.
    pub name: String,
    /// The user's canonical id: 64 hexadecimal digits.
    pub canonical_id: String,
    /// What it may do.
    pub scope: Scope,
    /// The secret half, encrypted with the node's storage key, base64.
    pub sealed_secret: String,
    /// Where in the log, and when, it was made.
    pub created: (Position, Timestamp),
    /// Where in the log, and when, it was revoked.
    pub revoked: Option<(Position, Timestamp)>,
}

#[derive(Serialize, Deserialize)]
struct StoredKey {
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "i")]
    canonical_id: String,
    #[serde(rename = "s")]
    scope: Scope,
    #[serde(rename = "x")]
    sealed_secret: String,
    #[serde(rename = "c")]
    created: (u64, i64),
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    revoked: Option<(u64, i64)>,
}

first_version!(StoredKey, "access key");

impl StoredKey {
    fn new(event: &Event, created: &KeyCreated) -> Self {
        Self {
            name: created.name.clone(),
            canonical_id: created.canonical_id.clone(),
            scope: created.scope.clone(),
            sealed_secret: created.sealed_secret.clone(),
            created: (event.seq, event.at.as_micros()),
            revoked: None,
        }
    }

    fn record(self, access_key: &str) -> KeyRecord {
        let moment = |(seq, micros)| (seq, Timestamp::from_micros(micros));
        KeyRecord {
            access_key: access_key.to_owned(),
            name: self.name,
            canonical_id: self.canonical_id,
            scope: self.scope,
            sealed_secret: self.sealed_secret,
            created: moment(self.created),
            revoked: self.revoked.map(moment),
        }
    }
}

/// The byte that keeps the keys of different tenants apart; `None` for a tenant that has none.
fn tenant_byte(tenant: &Tenant) -> Option<u8> {
    match tenant.as_str() {
        "system" => Some(b's'),
        "main" => Some(b'm'),
        _ => None,
    }
}

fn row_key(tenant: u8, access_key: &str) -> Vec<u8> {
    [&[tenant], access_key.as_bytes()].concat()
}

/// Folds access keys.
#[derive(Default)]
pub(crate) struct KeysFold;

impl Projection for KeysFold {
    const NAME: &'static str = "keys";
    const TABLES: &'static [TableId] = &[TableId::Keys];

    fn fold(&mut self, tables: &mut Tables<'_>, tenant: &Tenant, event: &Event) -> Result<(), ViewError> {
        let Some(tenant) = tenant_byte(tenant) else {
            return Ok(());
        };
        match &event.body {
            Body::KeyCreated(created) => {
                let key = row_key(tenant, &created.access_key);
                if tables.get(TableId::Keys, &key, |_| Ok(()))?.is_none() {
                    tables.set(TableId::Keys, &key, &StoredKey::new(event, created))?;
                }
            }
            Body::KeyRevoked(revoked) => {
                let key = row_key(tenant, &revoked.access_key);
                if let Some(mut stored) = tables.value::<StoredKey>(TableId::Keys, &key)?
                    && stored.revoked.is_none()
                {
                    stored.revoked = Some((event.seq, event.at.as_micros()));
                    tables.set(TableId::Keys, &key, &stored)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// A key, also one that was revoked.
pub(crate) fn find(read: &impl Read, access_key: &str) -> Result<Option<KeyRecord>, ViewError> {
    for tenant in [b's', b'm'] {
        if let Some(stored) = read.value::<StoredKey>(TableId::Keys, &row_key(tenant, access_key))? {
            return Ok(Some(stored.record(access_key)));
        }
    }
    Ok(None)
}

/// The access keys at one moment.
pub struct Keys {
    pub(crate) snapshot: Snapshot,
}

impl Keys {
    /// A key, also one that was revoked.
    pub fn key(&self, access_key: &str) -> Result<Option<KeyRecord>, ViewError> {
        find(&self.snapshot, access_key)
    }

    /// Every key ever made, by access key.
    pub fn keys(&self) -> Result<Vec<KeyRecord>, ViewError> {
        let mut keys = Vec::new();
        for row in self.snapshot.rows(TableId::Keys, &[], None)? {
            let row = row?;
            let access_key = row
                .key()
                .get(1..)
                .map(String::from_utf8_lossy)
                .unwrap_or_default();
            keys.push(row.value::<StoredKey>()?.record(&access_key));
        }
        keys.sort_by(|a, b| a.access_key.cmp(&b.access_key));
        Ok(keys)
    }
}
