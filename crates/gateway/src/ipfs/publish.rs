//! Making a bucket or prefix public to IPFS, and taking that back.

use super::{IpfsError, ipns};
use crate::access::{Action, Ask};
use crate::objects::{ObjectError, Objects, rules};
use crate::{Caller, Identity};
use ed25519_dalek::SigningKey;
use std::time::Duration;
use stead_event::Position;
use stead_event::body::{IpfsPublished, IpfsUnpublished};
use stead_log::Precondition;
use stead_view::Publication;

/// How often it is looked whether the follower has come there.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What publishing did.
#[derive(Clone, Debug)]
pub struct PublishDone {
    /// What is public now.
    pub publication: Publication,
    /// Whether it was not before.
    pub new: bool,
}

/// A prefix as publications have it: empty, or ending with a slash.
pub fn prefix_of(text: &str) -> Result<String, ObjectError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let prefix = [text.strip_suffix('/').unwrap_or(text), "/"].concat();
    // What no key can begin with cannot be published.
    rules::key(&[&prefix, "x"].concat())?;
    Ok(prefix)
}

impl Objects {
    /// Makes what is below a prefix of a bucket public, now and as it changes. Its IPNS name is the one that
    /// it had before, where it was public before. Publishing twice is publishing once.
    pub async fn publish(
        &self,
        bucket: &str,
        prefix: &str,
        caller: Caller,
    ) -> Result<PublishDone, ObjectError> {
        let Caller { identity, via } = caller;
        self.may_publish(&identity, bucket)?;
        let prefix = prefix_of(prefix)?;
        self.require_bucket(bucket)?;
        let context = self.context();
        let before = context.views.published()?.find(bucket, &prefix)?;
        if let Some(publication) = before.as_ref().filter(|known| known.active) {
            return Ok(PublishDone {
                publication: publication.clone(),
                new: false,
            });
        }
        let (ipns, sealed_seed) = match before {
            Some(known) => (known.ipns, known.sealed_seed),
            None => {
                let seed = context.rng.bytes::<32>();
                let ipns = ipns::name_of_seed(&seed);
                let sealed = context.secrets.seal(&ipns, &hex::encode(seed), &context.rng);
                (ipns, sealed)
            }
        };
        let published = IpfsPublished {
            bucket: bucket.to_owned(),
            ipns,
            prefix: prefix.clone(),
            sealed_seed,
            via,
        };
        let require = vec![Precondition::BucketExists(bucket.to_owned())];
        self.append_one(&identity, require, published).await?;
        let found = context.views.published()?.find(bucket, &prefix)?;
        let publication = found.ok_or_else(|| not_published(bucket, &prefix))?;
        Ok(PublishDone {
            publication,
            new: true,
        })
    }

    /// Takes it back. Answers where the log has it.
    pub async fn unpublish(
        &self,
        bucket: &str,
        prefix: &str,
        caller: Caller,
    ) -> Result<Position, ObjectError> {
        let Caller { identity, via } = caller;
        self.may_publish(&identity, bucket)?;
        let prefix = prefix_of(prefix)?;
        let known = self.context().views.published()?.find(bucket, &prefix)?;
        if !known.is_some_and(|known| known.active) {
            return Err(not_published(bucket, &prefix));
        }
        let gone = IpfsUnpublished {
            bucket: bucket.to_owned(),
            prefix,
            via,
        };
        let require = vec![Precondition::BucketExists(bucket.to_owned())];
        Ok(self.append_one(&identity, require, gone).await?.first)
    }

    /// Making public is a grant to everybody: it takes the right to grant, not only that to write.
    pub(crate) fn may_publish(&self, who: &Identity, bucket: &str) -> Result<(), ObjectError> {
        who.check_write(bucket)?;
        let ask = Ask::bucket(who, Action::PutBucketAcl, bucket);
        self.context().access().check(&ask)
    }

    /// Waits until what is public is as of a position, at most so long. Answers whether it is.
    pub async fn published_at(&self, position: Position, at_most: Duration) -> bool {
        let Some(index) = self.context().published() else {
            return false;
        };
        let began = self.context().clock.instant();
        while index.seen() < position {
            if self.context().clock.instant().saturating_duration_since(began) > at_most {
                return false;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        true
    }
}

fn not_published(bucket: &str, prefix: &str) -> ObjectError {
    IpfsError::NotPublished {
        bucket: bucket.to_owned(),
        prefix: prefix.to_owned(),
    }
    .into()
}

impl crate::ReadContext {
    /// The key that signs a publication's records.
    pub fn ipns_key(&self, publication: &Publication) -> Result<SigningKey, ObjectError> {
        let unopened =
            || ObjectError::Internal("a name's key does not open with this node's secret.key".into());
        let seed = self
            .secrets
            .unseal(&publication.ipns, &publication.sealed_seed)
            .map_err(|_| unopened())?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&seed, &mut bytes).map_err(|_| unopened())?;
        Ok(SigningKey::from_bytes(&bytes))
    }
}
