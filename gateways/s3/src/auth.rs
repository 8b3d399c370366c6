//! Who asks, and what they may: the node's access keys behind `s3s`' two traits.

use crate::errors;
use crate::service::Arrival;
use http::Extensions;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{Credentials, S3Auth, SecretKey};
use s3s::{S3Result, s3_error};
use std::sync::Arc;
use stead_event::Via;
use stead_gateway::identity::CredentialError;
use stead_gateway::{Caller, Identity, ReadContext};

/// The node's access keys, for `s3s`.
#[derive(Clone)]
pub struct Keys(pub ReadContext);

impl Keys {
    /// The identity behind an access key.
    pub fn find(&self, access_key: &str) -> S3Result<Arc<Identity>> {
        self.0
            .credentials()
            .find(access_key)
            .map_err(|error| match error {
                CredentialError::Unknown(_) => s3_error!(InvalidAccessKeyId),
                CredentialError::View(error) => errors::from_object((*error).into()),
                other => {
                    tracing::error!(error = %other, "an access key cannot be used");
                    s3_error!(InternalError, "{other}")
                }
            })
    }
}

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        Ok(SecretKey::from(self.find(access_key)?.secret()))
    }
}

#[async_trait::async_trait]
impl S3Access for Keys {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let identity = self.signed_by(context.credentials())?;
        let bucket = context.s3_path().get_bucket_name().unwrap_or_default().to_owned();
        may(&identity, Act::of(context.s3_op().name()), &bucket)?;
        enter(context.extensions_mut(), identity);
        Ok(())
    }
}

impl Keys {
    /// Whoever signed, where anybody did.
    pub fn signed_or_anonymous(&self, signer: Option<Arc<Identity>>) -> S3Result<Arc<Identity>> {
        signer.ok_or_else(|| s3_error!(AccessDenied, "Requests must be signed."))
    }

    /// The identity that a verified signature names.
    pub fn signed_by(&self, credentials: Option<&Credentials>) -> S3Result<Arc<Identity>> {
        match credentials {
            Some(credentials) => self.find(&credentials.access_key),
            None => Err(s3_error!(AccessDenied, "Requests must be signed.")),
        }
    }
}

/// What an operation does, as far as a key's scope is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Lists buckets; the answer holds only those that the key may see.
    Look,
    /// Reads in a bucket.
    Read,
    /// Changes something in a bucket.
    Write,
    /// Makes or removes a bucket.
    Administer,
}

impl Act {
    /// By `s3s`' name of the operation. What is not known to read is taken to write.
    pub fn of(operation: &str) -> Self {
        let reads = ["Get", "Head", "List", "Select"]
            .iter()
            .any(|verb| operation.starts_with(verb));
        match operation {
            "ListBuckets" => Self::Look,
            "CreateBucket" | "DeleteBucket" => Self::Administer,
            _ if reads => Self::Read,
            _ => Self::Write,
        }
    }
}

/// Refuses what a key's scope does not cover.
pub fn may(identity: &Identity, act: Act, bucket: &str) -> S3Result<()> {
    let verdict = match act {
        Act::Look => Ok(()),
        Act::Read => identity.check_read(bucket),
        Act::Write => identity.check_write(bucket),
        Act::Administer => identity.check_administer(),
    };
    verdict.map_err(errors::from_object)
}

/// Leaves the caller where the operation finds it.
pub fn enter(extensions: &mut Extensions, identity: Arc<Identity>) {
    let via = extensions
        .get::<Arrival>()
        .map_or_else(Via::default, Arrival::via);
    extensions.insert(Caller::new(identity, via));
}

/// The caller that [`enter`] left.
pub fn caller(extensions: &Extensions) -> S3Result<Caller> {
    extensions
        .get::<Caller>()
        .cloned()
        .ok_or_else(|| s3_error!(AccessDenied, "Requests must be signed."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stead_event::body::Scope;

    #[test]
    fn operations_are_known_for_what_they_do() {
        assert_eq!(Act::of("ListBuckets"), Act::Look);
        assert_eq!(Act::of("GetObject"), Act::Read);
        assert_eq!(Act::of("ListObjectsV2"), Act::Read);
        assert_eq!(Act::of("DeleteBucket"), Act::Administer);
        assert_eq!(Act::of("PutBucketVersioning"), Act::Write);
        assert_eq!(Act::of("RestoreObject"), Act::Write);
    }

    #[test]
    fn the_local_owner_may_everything() {
        let owner = Identity::local("owner");
        for act in [Act::Look, Act::Read, Act::Write, Act::Administer] {
            assert!(may(&owner, act, "b").is_ok());
        }
        assert_eq!(owner.scope, Scope::default());
    }
}
