//! Object lock: what a bucket's configuration says, and retention and holds of versions. That a lock is kept
//! is not up to this module: whoever applies an append refuses what one forbids.

use super::{GetRequest, HoldRequest, Lock, ObjectError, Objects, Reader, RetainRequest};
use crate::Caller;
use serde::{Deserialize, Serialize};
use stead_event::Timestamp;
use stead_event::body::{
    BucketConfigured, BucketVersioned, LockMode, ObjectHeld, ObjectRetained, Retention, Versioning,
};
use stead_log::Precondition;
use stead_view::{OBJECT_LOCK, ObjectRecord};

/// A day, in seconds.
const DAY: i64 = 86_400;

/// How long versions are retained that come without retention of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultRetention {
    /// How firmly.
    pub mode: LockMode,
    /// How long.
    #[serde(flatten)]
    pub period: Period,
}

/// A time in days or years, as it was given. A year has 365 days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Period {
    /// Of 24 hours.
    Days(u32),
    /// Of 365 days.
    Years(u32),
}

/// The configuration document of a bucket that locks objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockConfig {
    /// What new versions get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<DefaultRetention>,
}

impl DefaultRetention {
    /// The retention of a version that is made at `at`.
    pub fn from(self, at: Timestamp) -> Retention {
        let days = match self.period {
            Period::Days(days) => i64::from(days),
            Period::Years(years) => i64::from(years) * 365,
        };
        Retention {
            mode: self.mode,
            until: at.plus_secs(days * DAY),
        }
    }
}

impl LockConfig {
    /// From a kept document. One that does not parse locks without a default.
    fn read(document: &str) -> Self {
        serde_json::from_str(document).unwrap_or_else(|error| {
            tracing::warn!(%error, "a bucket's object lock configuration is not understood");
            Self::default()
        })
    }

    fn write(self) -> String {
        // Words and numbers always can be written.
        serde_json::to_string(&self).unwrap_or_else(|_| "{}".into())
    }
}

impl Reader {
    /// How a bucket locks objects; `None` where it does not.
    pub fn lock_config(&self, bucket: &str) -> Result<Option<LockConfig>, ObjectError> {
        let names = self.context().views.names()?;
        let document = names.config(bucket, OBJECT_LOCK)?;
        Ok(document.map(|document| LockConfig::read(&document)))
    }

    /// How a bucket locks objects, which it must.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchBucket`], [`ObjectError::NotLocking`].
    pub fn require_lock(&self, bucket: &str) -> Result<LockConfig, ObjectError> {
        match self.lock_config(bucket)? {
            Some(config) => Ok(config),
            None if self.context().views.names()?.bucket(bucket)?.is_none() => {
                Err(ObjectError::NoSuchBucket(bucket.to_owned()))
            }
            None => Err(ObjectError::NotLocking(bucket.to_owned())),
        }
    }
}

impl Objects {
    /// The events that make a bucket lock objects: it keeps versions from now on, for good.
    pub(super) fn locking(
        bucket: &str,
        config: LockConfig,
        via: &stead_event::Via,
    ) -> (BucketVersioned, BucketConfigured) {
        let versioned = BucketVersioned {
            bucket: bucket.to_owned(),
            state: Versioning::Enabled,
            via: via.clone(),
        };
        let configured = BucketConfigured {
            bucket: bucket.to_owned(),
            name: OBJECT_LOCK.to_owned(),
            document: Some(config.write()),
            via: via.clone(),
        };
        (versioned, configured)
    }

    /// Makes a bucket lock objects, or changes what new versions get. It must keep versions.
    ///
    /// # Errors
    /// [`ObjectError::BucketState`] where it does not keep versions.
    pub async fn configure_lock(
        &self,
        bucket: &str,
        config: LockConfig,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        let Caller { identity, via } = caller;
        identity.check_write(bucket)?;
        let Some(record) = self.context().views.names()?.bucket(bucket)? else {
            return Err(ObjectError::NoSuchBucket(bucket.to_owned()));
        };
        if record.versioning != Versioning::Enabled {
            return Err(ObjectError::BucketState(
                "versioning must be enabled on the bucket to lock its objects".into(),
            ));
        }
        let known = self.lock_config(bucket)?.is_some();
        let (versioned, configured) = Self::locking(bucket, config, &via);
        let mut events = vec![self.draft(&identity, configured)];
        if !known {
            // Versioning may be suspended before this is applied.
            events.insert(0, self.draft(&identity, versioned));
        }
        let require = vec![Precondition::BucketExists(bucket.to_owned())];
        self.append(require, events, Vec::new()).await?;
        Ok(())
    }

    /// Sets or removes the retention of a version. Answers its id.
    ///
    /// # Errors
    /// [`ObjectError::Locked`] where the retention there is forbids it.
    pub async fn retain(&self, request: RetainRequest) -> Result<String, ObjectError> {
        let RetainRequest {
            bucket,
            key,
            version,
            retention,
            bypass,
            caller,
        } = request;
        let record = self.lockable(&bucket, &key, version.as_deref(), &caller)?;
        let version = record.version_id().to_owned();
        let retained = ObjectRetained {
            bypass,
            retention,
            version: Some(version.clone()),
            via: caller.via,
            bucket: bucket.clone(),
            key: key.clone(),
        };
        let require = exists(bucket, key, &version);
        self.append_one(&caller.identity, require, retained).await?;
        Ok(version)
    }

    /// Places or lifts the legal hold on a version. Answers its id.
    pub async fn hold(&self, request: HoldRequest) -> Result<String, ObjectError> {
        let HoldRequest {
            bucket,
            key,
            version,
            hold,
            caller,
        } = request;
        let record = self.lockable(&bucket, &key, version.as_deref(), &caller)?;
        let version = record.version_id().to_owned();
        let held = ObjectHeld {
            hold,
            version: Some(version.clone()),
            via: caller.via,
            bucket: bucket.clone(),
            key: key.clone(),
        };
        let require = exists(bucket, key, &version);
        self.append_one(&caller.identity, require, held).await?;
        Ok(version)
    }

    fn lockable(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        caller: &Caller,
    ) -> Result<ObjectRecord, ObjectError> {
        caller.identity.check_write(bucket)?;
        self.require_lock(bucket)?;
        self.head(&GetRequest {
            who: &caller.identity,
            bucket,
            key,
            version,
            at: None,
            range: None,
        })
    }

    /// The lock that a new version made at `at` gets: what was asked for, else the bucket's default.
    pub(super) fn lock_of_put(&self, bucket: &str, asked: Lock, at: Timestamp) -> Result<Lock, ObjectError> {
        let config = if asked == Lock::default() {
            self.lock_config(bucket)?
        } else {
            Some(self.require_lock(bucket)?)
        };
        let default = || Some(config?.default?.from(at));
        Ok(Lock {
            retention: asked.retention.or_else(default),
            hold: asked.hold,
        })
    }
}

fn exists(bucket: String, key: String, version: &str) -> Vec<Precondition> {
    vec![
        Precondition::BucketExists(bucket.clone()),
        Precondition::VersionExists {
            bucket,
            key,
            version: version.to_owned(),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_kept_as_it_was_given() {
        let config = LockConfig {
            default: Some(DefaultRetention {
                mode: LockMode::Compliance,
                period: Period::Years(2),
            }),
        };
        assert_eq!(config.write(), r#"{"default":{"mode":"compliance","years":2}}"#);
        assert_eq!(LockConfig::read(&config.write()), config);
        assert_eq!(LockConfig::default().write(), "{}");
        assert_eq!(LockConfig::read("{}"), LockConfig::default());
        assert_eq!(LockConfig::read("nonsense"), LockConfig::default());
    }

    #[test]
    fn a_period_begins_with_the_version() {
        let at: Timestamp = "2026-01-01T10:00:00Z".parse().unwrap();
        let until = |period| {
            let mode = LockMode::Governance;
            DefaultRetention { mode, period }.from(at).until.to_string()
        };
        assert_eq!(until(Period::Days(1)), "2026-01-02T10:00:00.000000Z");
        assert_eq!(until(Period::Years(1)), "2027-01-01T10:00:00.000000Z");
    }
}
