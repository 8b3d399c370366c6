//! Who asks: an access key's identity, what it may do, and the bounded cache of unsealed secrets.

use crate::access::{ADMINISTRATOR, ANONYMOUS, ANONYMOUS_ID};
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
    kind: Kind,
    /// The name of its access key, whatever name a token acts under.
    user: String,
    /// The scope of its access key, of which a token may have taken away.
    key_scope: Scope,
    secret: String,
}

/// How somebody comes to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// By the socket in the data directory.
    Local,
    /// Not at all.
    Anonymous,
    /// By an access key.
    Signed,
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
            kind: Kind::Local,
            user: String::new(),
            key_scope: Scope::default(),
            secret: String::new(),
        })
    }

    /// Whoever does not sign: what is open to everybody is open to it.
    pub fn anonymous() -> Arc<Self> {
        Arc::new(Self {
            principal: Principal(ANONYMOUS.to_owned()),
            access_key: String::new(),
            canonical_id: ANONYMOUS_ID.to_owned(),
            scope: Scope::default(),
            kind: Kind::Anonymous,
            user: String::new(),
            key_scope: Scope::default(),
            secret: String::new(),
        })
    }

    /// Whether it is the owner of the data directory, whom no rule of access binds.
    pub fn is_local(&self) -> bool {
        self.kind == Kind::Local
    }

    /// Whether nobody knows who it is.
    pub fn is_anonymous(&self) -> bool {
        self.kind == Kind::Anonymous
    }

    /// Whether its access key has a scope.
    pub fn is_restricted(&self) -> bool {
        self.scope.read_only || !self.scope.buckets.is_empty()
    }

    /// Whether it is the node's administrator, with a key that has no scope, or whoever opened the socket.
    pub fn is_administrator(&self) -> bool {
        match self.kind {
            Kind::Local => true,
            Kind::Anonymous => false,
            Kind::Signed => !self.is_restricted() && self.user == ADMINISTRATOR,
        }
    }

    /// Whether its access key, or the one that its token is bound to, is the administrator's.
    pub(crate) fn is_of_administrator(&self) -> bool {
        self.kind == Kind::Signed && self.user == ADMINISTRATOR
    }

    /// Whether it may look at the node as a whole: the administrator, also where it may only read.
    pub fn may_oversee(&self) -> bool {
        self.is_local() || (self.is_of_administrator() && self.scope.buckets.is_empty())
    }

    /// The scope that the administrator made its access key with; not what a token took away of it.
    pub(crate) fn key_scope(&self) -> &Scope {
        &self.key_scope
    }

    /// The same under a name for the log, and with no more than `scope` allows.
    pub(crate) fn narrowed(&self, name: &str, scope: Scope) -> Arc<Self> {
        Arc::new(Self {
            principal: Principal(name.to_owned()),
            access_key: self.access_key.clone(),
            canonical_id: self.canonical_id.clone(),
            scope,
            kind: self.kind,
            user: self.user.clone(),
            key_scope: self.key_scope.clone(),
            secret: self.secret.clone(),
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

    /// Whether it may create and delete buckets: only a key without any restriction.
    pub fn may_administer(&self) -> bool {
        !self.is_restricted() && !self.is_anonymous()
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

    /// [`Self::may_oversee`], as the error that a client gets.
    pub fn check_oversee(&self) -> Result<(), ObjectError> {
        if self.may_oversee() {
            Ok(())
        } else {
            Err(self.denied("oversee", "this node"))
        }
    }

    /// [`Self::is_administrator`], as the error that a client gets.
    pub fn check_administrator(&self) -> Result<(), ObjectError> {
        if self.is_administrator() {
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

#[cfg(test)]
impl Identity {
    /// A user of this name, with an id and without a scope.
    pub(crate) fn test(id: &str) -> Arc<Self> {
        Arc::new(Self {
            principal: Principal(id.to_owned()),
            access_key: String::new(),
            canonical_id: id.to_owned(),
            scope: Scope::default(),
            kind: Kind::Signed,
            user: id.to_owned(),
            key_scope: Scope::default(),
            secret: String::new(),
        })
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
            principal: Principal(record.name.clone()),
            access_key: record.access_key,
            canonical_id: record.canonical_id,
            user: record.name,
            key_scope: record.scope.clone(),
            scope: record.scope,
            kind: Kind::Signed,
            secret,
        })
    }
}
