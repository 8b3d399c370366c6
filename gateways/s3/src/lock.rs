//! Object lock in headers: what a PUT, a copy or a new upload asks for, and what a GET and a HEAD answer.

use crate::errors;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use s3s::{S3Result, s3_error};
use stead_event::Timestamp;
use stead_event::body::{LockMode, Retention};
use stead_gateway::objects::Lock;
use stead_view::ObjectRecord;

/// Until when, and how, an object is retained; and whether it is held.
pub const MODE: HeaderName = HeaderName::from_static("x-amz-object-lock-mode");
/// See [`MODE`].
pub const UNTIL: HeaderName = HeaderName::from_static("x-amz-object-lock-retain-until-date");
/// See [`MODE`].
pub const HOLD: HeaderName = HeaderName::from_static("x-amz-object-lock-legal-hold");
/// Asks to pass over retention of the mode governance.
pub const BYPASS: HeaderName = HeaderName::from_static("x-amz-bypass-governance-retention");

/// A mode by S3's name.
pub fn mode(name: &str) -> Option<LockMode> {
    match name {
        "GOVERNANCE" => Some(LockMode::Governance),
        "COMPLIANCE" => Some(LockMode::Compliance),
        _ => None,
    }
}

/// S3's name of a mode.
pub fn mode_name(mode: LockMode) -> &'static str {
    match mode {
        LockMode::Governance => "GOVERNANCE",
        LockMode::Compliance => "COMPLIANCE",
    }
}

/// A hold's status by S3's name.
pub fn hold(name: &str) -> Option<bool> {
    match name {
        "ON" => Some(true),
        "OFF" => Some(false),
        _ => None,
    }
}

/// S3's name of a hold's status.
pub fn hold_name(hold: bool) -> &'static str {
    if hold { "ON" } else { "OFF" }
}

/// Retention, which ends in the future.
pub fn retention(mode: LockMode, until: Timestamp, now: Timestamp) -> S3Result<Retention> {
    if until <= now {
        return Err(s3_error!(
            InvalidArgument,
            "The retain until date must be in the future!"
        ));
    }
    Ok(Retention { mode, until })
}

/// The lock that a new object's headers ask for; `None` where they say nothing of one.
pub fn asked(headers: &HeaderMap, now: Timestamp) -> S3Result<Option<Lock>> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let (found, until, held) = (text(&MODE), text(&UNTIL), text(&HOLD));
    let retention = match (found, until) {
        (None, None) => None,
        (Some(found), Some(until)) => {
            let mode =
                mode(found).ok_or_else(|| s3_error!(InvalidArgument, "Unknown wormMode directive."))?;
            let until = until.trim().parse().map_err(|_| {
                s3_error!(
                    InvalidArgument,
                    "The retain until date must be provided in ISO 8601 format"
                )
            })?;
            Some(retention(mode, until, now)?)
        }
        _ => {
            return Err(s3_error!(
                InvalidArgument,
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
            ));
        }
    };
    let hold = held
        .map(|held| {
            hold(held).ok_or_else(|| s3_error!(InvalidArgument, "Legal Hold must be either of 'ON' or 'OFF'"))
        })
        .transpose()?;
    let none = retention.is_none() && hold.is_none();
    Ok((!none).then(|| Lock {
        retention,
        hold: hold == Some(true),
    }))
}

/// Puts an object's lock into an answer.
pub fn answer(headers: &mut HeaderMap, record: &ObjectRecord) {
    if let Some(retention) = record.retention {
        headers.insert(MODE, HeaderValue::from_static(mode_name(retention.mode)));
        errors::insert(headers, UNTIL, &crate::dates::millis(retention.until));
    }
    if record.hold_said {
        headers.insert(HOLD, HeaderValue::from_static(hold_name(record.hold)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(HeaderName, &'static str)]) -> Result<Option<Lock>, String> {
        let headers = pairs
            .iter()
            .cloned()
            .map(|(name, value)| (name, HeaderValue::from_static(value)));
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        asked(&headers.collect(), now).map_err(|error| error.message().unwrap_or_default().to_owned())
    }

    #[test]
    fn headers_ask_for_a_whole_lock_or_none() {
        assert_eq!(read(&[]).unwrap(), None);
        let lock = read(&[
            (MODE, "GOVERNANCE"),
            (UNTIL, "2026-01-02T00:00:00.5Z"),
            (HOLD, "ON"),
        ]);
        let lock = lock.unwrap().unwrap();
        let until = "2026-01-02T00:00:00.5Z".parse().unwrap();
        let mode = LockMode::Governance;
        assert_eq!(
            (lock.retention, lock.hold),
            (Some(Retention { mode, until }), true)
        );
        assert_eq!(read(&[(HOLD, "OFF")]).unwrap(), Some(Lock::default()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let both = "must both be supplied";
        for (pairs, said) in [
            (vec![(MODE, "GOVERNANCE")], both),
            (vec![(UNTIL, "2027-01-01T00:00:00Z")], both),
            (
                vec![(MODE, "governance"), (UNTIL, "2027-01-01T00:00:00Z")],
                "wormMode",
            ),
            (vec![(MODE, "GOVERNANCE"), (UNTIL, "tomorrow")], "ISO 8601"),
            (
                vec![(MODE, "COMPLIANCE"), (UNTIL, "2026-01-01T00:00:00Z")],
                "in the future",
            ),
            (vec![(HOLD, "on")], "Legal Hold"),
        ] {
            let error = read(&pairs).unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }
}
