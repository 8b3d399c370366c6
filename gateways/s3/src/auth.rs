//! Who asks, and what they may: the node's access keys and rules of access behind `s3s`' two traits.

use crate::actions::{self, Rule};
use crate::errors;
use crate::facts::Facts;
use crate::service::Arrival;
use crate::target::query_value;
use http::{Extensions, HeaderMap};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{Credentials, S3Auth, SecretKey};
use s3s::{S3Result, s3_error};
use std::sync::Arc;
use stead_event::Via;
use stead_gateway::access::{Action, Ask};
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

    /// Whoever signed, or whoever did not.
    pub fn signed_or_anonymous(&self, signer: Option<Arc<Identity>>) -> Arc<Identity> {
        signer.unwrap_or_else(Identity::anonymous)
    }

    /// The identity that a verified signature names; anonymous, where there is none.
    pub fn signed_by(&self, credentials: Option<&Credentials>) -> S3Result<Arc<Identity>> {
        match credentials {
            Some(credentials) => self.find(&credentials.access_key),
            None => Ok(Identity::anonymous()),
        }
    }

    /// A request, to a condition.
    pub fn facts<'a>(&self, caller: &'a Caller, headers: &'a HeaderMap, query: Option<&'a str>) -> Facts<'a> {
        Facts {
            caller,
            headers,
            query,
            now: self.0.now(),
            tags: None,
            goes_on: false,
        }
    }

    /// Whether a request goes on with an upload that its caller began, where a policy may ask about it.
    pub fn goes_on(&self, caller: &Caller, bucket: &str, key: &str, upload: &str) -> S3Result<bool> {
        let known = self.0.access().bucket(bucket).map_err(errors::from_object)?;
        if caller.identity.is_anonymous() || known.is_none_or(|bucket| bucket.policy.is_none()) {
            return Ok(false);
        }
        let names = self.0.views.names();
        let found = names.and_then(|names| names.upload(bucket, key, upload));
        let found = found.map_err(|error| errors::from_object(error.into()))?;
        Ok(found.is_some_and(|upload| upload.actor == caller.identity.principal))
    }

    /// Refuses what is not permitted.
    pub fn permit(&self, ask: &Ask<'_>) -> S3Result<()> {
        self.0.access().check(ask).map_err(errors::from_object)
    }

    fn check_operation(
        &self,
        operation: &str,
        facts: &Facts<'_>,
        bucket: &str,
        key: Option<&str>,
    ) -> S3Result<()> {
        let who = &facts.caller.identity;
        let action = match actions::rule(operation) {
            Rule::Is(action) => action,
            Rule::Own => return Ok(()),
            Rule::Unknown => return who.check_administrator().map_err(errors::from_object),
        };
        let makes = matches!(operation, "PutObject" | "CopyObject" | "CreateMultipartUpload");
        if let Some(key) = key.filter(|_| makes) {
            return actions::check_put(self.0.access(), facts, bucket, key);
        }
        let version = query_value(facts.query, "versionId");
        let upload = query_value(facts.query, "uploadId");
        let ask = Ask {
            key,
            upload: upload.as_deref(),
            ..Ask::bucket(who, action, bucket)
        };
        let goes_on = match (key, &upload) {
            (Some(key), Some(upload)) if action == Action::PutObject => {
                self.goes_on(facts.caller, bucket, key, upload)?
            }
            _ => false,
        };
        let facts = Facts { goes_on, ..*facts };
        self.permit(&ask.version(version.as_deref()).values(&facts))
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
        let caller = enter(context.extensions_mut(), identity);
        let facts = self.facts(&caller, context.headers(), context.uri().query());
        let path = context.s3_path();
        let (bucket, key) = match path.as_object() {
            Some((bucket, key)) => (bucket, Some(key)),
            None => (path.as_bucket().unwrap_or_default(), None),
        };
        self.check_operation(context.s3_op().name(), &facts, bucket, key)
    }
}

/// Leaves the caller where the operation finds it.
pub fn enter(extensions: &mut Extensions, identity: Arc<Identity>) -> Caller {
    let via = extensions
        .get::<Arrival>()
        .map_or_else(Via::default, Arrival::via);
    let caller = Caller::new(identity, via);
    extensions.insert(caller.clone());
    caller
}

/// The caller that [`enter`] left.
pub fn caller(extensions: &Extensions) -> S3Result<Caller> {
    extensions
        .get::<Caller>()
        .cloned()
        .ok_or_else(|| s3_error!(AccessDenied, "Requests must be signed."))
}
