//! Object lock: a bucket's configuration, retention and legal holds of versions.

use super::{caller, failed};
use crate::facts::Facts;
use crate::lock::{self, BYPASS};
use crate::service::S3Gateway;
use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};
use stead_gateway::Caller;
use stead_gateway::access::{Action, Ask};
use stead_gateway::objects::{DefaultRetention, GetRequest, HoldRequest, LockConfig, Period, RetainRequest};
use stead_view::ObjectRecord;
use time::OffsetDateTime;

fn none_there() -> S3Error {
    let mut error = s3_error!(
        NoSuchObjectLockConfiguration,
        "The specified object does not have a ObjectLock configuration"
    );
    error.set_status_code(StatusCode::NOT_FOUND);
    error
}

impl S3Gateway {
    /// Whether the caller asks to pass over governance, and may. Whoever may not is treated as not asking: what
    /// is locked stays so.
    pub(super) fn bypasses(&self, facts: &Facts<'_>, bucket: &str, key: &str) -> bool {
        let asked = facts
            .headers
            .get(BYPASS)
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
        let ask = Ask::object(
            &facts.caller.identity,
            Action::BypassGovernanceRetention,
            bucket,
            key,
        );
        asked && self.context().access().check_new(&ask.values(facts)).is_ok()
    }

    pub(crate) async fn get_object_lock_configuration(
        &self,
        request: S3Request<GetObjectLockConfigurationInput>,
    ) -> S3Result<S3Response<GetObjectLockConfigurationOutput>> {
        let bucket = request.input.bucket;
        self.bucket(&bucket)?;
        let Some(config) = self.objects.lock_config(&bucket).map_err(failed)? else {
            let mut error = s3_error!(
                ObjectLockConfigurationNotFoundError,
                "Object Lock configuration does not exist for this bucket"
            );
            error.set_status_code(StatusCode::NOT_FOUND);
            return Err(error);
        };
        Ok(S3Response::new(GetObjectLockConfigurationOutput {
            object_lock_configuration: Some(ObjectLockConfiguration {
                object_lock_enabled: Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED)),
                rule: config.default.map(written),
            }),
        }))
    }

    pub(crate) async fn put_object_lock_configuration(
        &self,
        request: S3Request<PutObjectLockConfigurationInput>,
    ) -> S3Result<S3Response<PutObjectLockConfigurationOutput>> {
        let caller = caller(&request)?;
        let PutObjectLockConfigurationInput {
            bucket,
            object_lock_configuration,
            ..
        } = request.input;
        let config = read(object_lock_configuration.ok_or_else(|| s3_error!(MalformedXML))?)?;
        self.objects
            .configure_lock(&bucket, config, caller)
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutObjectLockConfigurationOutput::default()))
    }

    /// A version that can be locked: its bucket locks objects, and it is there.
    fn lockable(
        &self,
        caller: &Caller,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> S3Result<ObjectRecord> {
        self.objects.require_lock(bucket).map_err(failed)?;
        let get = GetRequest {
            who: &caller.identity,
            bucket,
            key,
            version,
            at: None,
            range: None,
        };
        self.objects.head(&get).map_err(failed)
    }

    pub(crate) async fn get_object_retention(
        &self,
        request: S3Request<GetObjectRetentionInput>,
    ) -> S3Result<S3Response<GetObjectRetentionOutput>> {
        let caller = caller(&request)?;
        let input = request.input;
        let record = self.lockable(&caller, &input.bucket, &input.key, input.version_id.as_deref())?;
        let retention = record.retention.ok_or_else(none_there)?;
        Ok(S3Response::new(GetObjectRetentionOutput {
            retention: Some(ObjectLockRetention {
                mode: Some(ObjectLockRetentionMode::from_static(lock::mode_name(
                    retention.mode,
                ))),
                retain_until_date: Some(super::when(retention.until)),
            }),
        }))
    }

    pub(crate) async fn put_object_retention(
        &self,
        request: S3Request<PutObjectRetentionInput>,
    ) -> S3Result<S3Response<PutObjectRetentionOutput>> {
        let caller = caller(&request)?;
        let PutObjectRetentionInput {
            bucket,
            key,
            retention,
            version_id: version,
            ..
        } = request.input;
        self.objects.require_lock(&bucket).map_err(failed)?;
        let wanted = retention.ok_or_else(|| s3_error!(MalformedXML))?;
        let retention = match (wanted.mode, wanted.retain_until_date) {
            // An empty document removes it.
            (None, None) => None,
            (Some(mode), Some(until)) => {
                let mode = lock::mode(mode.as_str()).ok_or_else(|| s3_error!(MalformedXML))?;
                let until = OffsetDateTime::from(until).into();
                Some(lock::retention(mode, until, self.context().now())?)
            }
            _ => return Err(s3_error!(MalformedXML)),
        };
        let facts = self.keys.facts(&caller, &request.headers, request.uri.query());
        let bypass = self.bypasses(&facts, &bucket, &key);
        self.objects
            .retain(RetainRequest {
                bucket,
                key,
                version,
                retention,
                bypass,
                caller: caller.clone(),
            })
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutObjectRetentionOutput::default()))
    }

    pub(crate) async fn get_object_legal_hold(
        &self,
        request: S3Request<GetObjectLegalHoldInput>,
    ) -> S3Result<S3Response<GetObjectLegalHoldOutput>> {
        let caller = caller(&request)?;
        let input = request.input;
        let record = self.lockable(&caller, &input.bucket, &input.key, input.version_id.as_deref())?;
        if !record.hold_said {
            return Err(none_there());
        }
        let status = ObjectLockLegalHoldStatus::from_static(lock::hold_name(record.hold));
        Ok(S3Response::new(GetObjectLegalHoldOutput {
            legal_hold: Some(ObjectLockLegalHold { status: Some(status) }),
        }))
    }

    pub(crate) async fn put_object_legal_hold(
        &self,
        request: S3Request<PutObjectLegalHoldInput>,
    ) -> S3Result<S3Response<PutObjectLegalHoldOutput>> {
        let caller = caller(&request)?;
        let PutObjectLegalHoldInput {
            bucket,
            key,
            legal_hold,
            version_id: version,
            ..
        } = request.input;
        self.objects.require_lock(&bucket).map_err(failed)?;
        let status = legal_hold.and_then(|hold| hold.status);
        let hold = status
            .and_then(|status| lock::hold(status.as_str()))
            .ok_or_else(|| s3_error!(MalformedXML))?;
        self.objects
            .hold(HoldRequest {
                bucket,
                key,
                version,
                hold,
                caller,
            })
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutObjectLegalHoldOutput::default()))
    }
}

/// Reads a bucket's configuration.
fn read(found: ObjectLockConfiguration) -> S3Result<LockConfig> {
    let malformed = || s3_error!(MalformedXML);
    let enabled = found.object_lock_enabled.ok_or_else(malformed)?;
    if enabled.as_str() != ObjectLockEnabled::ENABLED {
        return Err(malformed());
    }
    let Some(rule) = found.rule else {
        return Ok(LockConfig::default());
    };
    let default = rule.default_retention.ok_or_else(malformed)?;
    let mode = default
        .mode
        .and_then(|mode| lock::mode(mode.as_str()))
        .ok_or_else(malformed)?;
    let period = match (default.days, default.years) {
        (Some(days), None) => Period::Days(positive(days)?),
        (None, Some(years)) => Period::Years(positive(years)?),
        _ => return Err(malformed()),
    };
    Ok(LockConfig {
        default: Some(DefaultRetention { mode, period }),
    })
}

fn positive(number: i32) -> S3Result<u32> {
    u32::try_from(number)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| {
            crate::errors::custom(
                "InvalidRetentionPeriod",
                StatusCode::BAD_REQUEST,
                "Default retention period must be a positive integer value.".into(),
            )
        })
}

fn written(default: DefaultRetention) -> ObjectLockRule {
    let number = |number: u32| Some(i32::try_from(number).unwrap_or(i32::MAX));
    let (days, years) = match default.period {
        Period::Days(days) => (number(days), None),
        Period::Years(years) => (None, number(years)),
    };
    ObjectLockRule {
        default_retention: Some(s3s::dto::DefaultRetention {
            days,
            mode: Some(ObjectLockRetentionMode::from_static(lock::mode_name(
                default.mode,
            ))),
            years,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stead_event::body::LockMode;

    fn config(
        enabled: &str,
        mode: &str,
        days: Option<i32>,
        years: Option<i32>,
    ) -> Result<LockConfig, String> {
        let default_retention = s3s::dto::DefaultRetention {
            days,
            mode: Some(ObjectLockRetentionMode::from(mode.to_owned())),
            years,
        };
        read(ObjectLockConfiguration {
            object_lock_enabled: Some(ObjectLockEnabled::from(enabled.to_owned())),
            rule: Some(ObjectLockRule {
                default_retention: Some(default_retention),
            }),
        })
        .map_err(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn a_default_has_a_mode_and_one_period() {
        let good = config("Enabled", "GOVERNANCE", Some(3), None)
            .unwrap()
            .default
            .unwrap();
        assert_eq!((good.mode, good.period), (LockMode::Governance, Period::Days(3)));
        let good = config("Enabled", "COMPLIANCE", None, Some(1))
            .unwrap()
            .default
            .unwrap();
        assert_eq!((good.mode, good.period), (LockMode::Compliance, Period::Years(1)));
        for (enabled, mode, days, years) in [
            ("Disabled", "GOVERNANCE", Some(1), None),
            ("Enabled", "governance", Some(1), None),
            ("Enabled", "GOVERNANCE", None, None),
            ("Enabled", "GOVERNANCE", Some(1), Some(1)),
        ] {
            assert_eq!(config(enabled, mode, days, years).unwrap_err(), "MalformedXML");
        }
        for days in [0, -1] {
            let code = config("Enabled", "GOVERNANCE", Some(days), None).unwrap_err();
            assert_eq!(code, "InvalidRetentionPeriod");
        }
    }
}
