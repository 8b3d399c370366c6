//! Who asks: an access key's identity, what it may do, and the bounded cache of unsealed secrets.

use crate::objects::ObjectError;
use crate::{Code, SecretBox};
use parking_lot::RwLock;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use stead_event::body::Scope;
use stead_event::{Position, Principal, Tenant, Via};
use stead_view::Views;

/// Someone who may ask for something.
pub struct Identity {
    /// Its name, as events carry it.
    pub principal: Principal,
    /// The access key it signs with; empty for [`Identity::local`].
    pub access_key: String,
    /// 64 hexadecimal digits, S3's owner id.
    pub canonical_id: String,
    /// What it may do.
    pub scope: Scope,
    secret: String,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

impl Identity {
    /// Whoever can open the socket in the data directory (mode 0600) is the node's owner.
    pub fn local(name: &str) -> Arc<Self> {
        Arc::new(Self {
            principal: Principal(name.to_owned()),
            access_key: String::new(),
            canonical_id: String::new(),
            scope: Scope::default(),
            secret: String::new(),
        })
    }

    /// The secret that it signs with.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether it may see `bucket`.
    pub fn may_read(&self, bucket: &str) -> bool {
        self.scope.buckets.is_empty() || self.scope.buckets.iter().any(|b| b == bucket)
    }

    /// Whether it may change what is in `bucket`.
    pub fn may_write(&self, bucket: &str) -> bool {
        !self.scope.read_only && self.may_read(bucket)
    }

    /// Whether it may create and delete buckets and keys: only a key without any restriction.
    pub fn may_administer(&self) -> bool {
        !self.scope.read_only && self.scope.buckets.is_empty()
    }

    /// [`Self::may_read`], as the error that a client gets.
    pub fn check_read(&self, bucket: &str) -> Result<(), ObjectError> {
        if self.may_read(bucket) {
            Ok(())
        } else {
            Err(self.denied("read", bucket))
        }
    }

    /// [`Self::may_write`], as the error that a client gets.
    pub fn check_write(&self, bucket: &str) -> Result<(), ObjectError> {
        if self.may_write(bucket) {
            Ok(())
        } else {
            Err(self.denied("change", bucket))
        }
    }

    /// [`Self::may_administer`], as the error that a client gets.
    pub fn check_administer(&self) -> Result<(), ObjectError> {
        if self.may_administer() {
            Ok(())
        } else {
            Err(self.denied("administer", "this node"))
        }
    }

    fn denied(&self, what: &str, on: &str) -> ObjectError {
        ObjectError::Denied {
            who: self.principal.0.clone(),
            what: what.to_owned(),
            on: on.to_owned(),
        }
    }
}

/// Who asks for a change, and through what.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Who.
    pub identity: Arc<Identity>,
    /// Through what; goes into the event.
    pub via: Via,
}

impl Caller {
    /// Who, through what.
    pub fn new(identity: Arc<Identity>, via: Via) -> Self {
        Self { identity, via }
    }
}

/// Why an access key gives no identity.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// No such key, or it is revoked.
    #[error("the access key {0} does not exist or was revoked")]
    Unknown(String),
    /// The sealed secret does not open: `secret.key` is not the one it was sealed with.
    #[error("the secret of access key {0} cannot be opened with this node's secret.key")]
    Sealed(String),
    /// The view cannot be read.
    #[error("{0}")]
    View(Box<stead_view::ViewError>),
}

impl CredentialError {
    /// Its stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Unknown(_) => crate::codes::UNKNOWN_KEY,
            Self::Sealed(_) => crate::codes::SECRET_KEY,
            Self::View(_) => crate::codes::STATE_DAMAGED,
        }
    }
}

impl From<stead_view::ViewError> for CredentialError {
    fn from(error: stead_view::ViewError) -> Self {
        Self::View(Box::new(error))
    }
}

/// Unsealed secrets in memory at most.
const CACHED: usize = 1024;

/// Access key → identity with its unsealed secret: a bounded cache over the `keys` view. It is emptied
/// whenever the system tenant's log, which has the keys, moves on: a revocation takes effect with the next
/// request.
pub struct Credentials {
    views: Views,
    secrets: SecretBox,
    cache: RwLock<Cache>,
}

#[derive(Default)]
struct Cache {
    folded: Position,
    identities: HashMap<String, Arc<Identity>>,
}

impl Credentials {
    /// Over the keys view.
    pub fn new(views: Views, secrets: SecretBox) -> Self {
        Self {
            views,
            secrets,
            cache: RwLock::default(),
        }
    }

    /// The identity behind an access key.
    pub fn find(&self, access_key: &str) -> Result<Arc<Identity>, CredentialError> {
        // Read before the view, so that an entry is never newer in name than in fact.
        let folded = self.views.position(&Tenant::system());
        {
            let cache = self.cache.read();
            if let Some(identity) = cache
                .identities
                .get(access_key)
                .filter(|_| cache.folded == folded)
            {
                return Ok(identity.clone());
            }
        }
        let identity = Arc::new(self.read(access_key)?);
        let mut cache = self.cache.write();
        if cache.folded != folded || cache.identities.len() >= CACHED {
            *cache = Cache {
                folded,
                identities: HashMap::new(),
            };
        }
        cache.identities.insert(access_key.to_owned(), identity.clone());
        Ok(identity)
    }

    fn read(&self, access_key: &str) -> Result<Identity, CredentialError> {
        let record = self
            .views
            .keys()?
            .key(access_key)?
            .filter(|record| record.revoked.is_none());
        let Some(record) = record else {
            return Err(CredentialError::Unknown(access_key.chars().take(128).collect()));
        };
        let secret = self
            .secrets
            .unseal(access_key, &record.sealed_secret)
            .map_err(|_| CredentialError::Sealed(access_key.to_owned()))?;
        Ok(Identity {
            principal: Principal(record.name),
            access_key: record.access_key,
            canonical_id: record.canonical_id,
            scope: record.scope,
            secret,
        })
    }
}
