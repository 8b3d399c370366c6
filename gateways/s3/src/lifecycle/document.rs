//! Lifecycle rules as S3 writes them: read with Amazon's rules and refusals, and written back in the form in
//! which they came.

use super::due;
use super::rules::{Due, Expiration, Filter, Form, Noncurrent, Rule, Rules};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use s3s::dto::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration,
    LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration, Tag,
};
use s3s::{S3Result, s3_error};
use std::collections::HashSet;
use stead_event::{TextMap, Timestamp};
use time::OffsetDateTime;

/// What of a rule's id does not fit between quotes in a header.
const ID: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b'\\');
/// How many rules a bucket may have.
const RULES_MAX: usize = 1000;
/// The longest id of a rule, in characters.
const ID_MAX: usize = 255;
/// The longest prefix, in bytes.
const PREFIX_MAX: usize = 1024;
/// As many noncurrent versions as a rule may keep.
const NEWER_MAX: i32 = 100;

/// Reads a configuration. `new_id` names a rule that has no id.
///
/// # Errors
/// `MalformedXML`, `InvalidArgument`, `InvalidRequest` and their like, as Amazon answers them.
pub fn read(
    configuration: BucketLifecycleConfiguration,
    mut new_id: impl FnMut() -> String,
) -> S3Result<Rules> {
    let found = configuration.rules;
    if found.is_empty() || found.len() > RULES_MAX {
        return Err(s3_error!(MalformedXML));
    }
    let mut ids = HashSet::new();
    let mut rules = Vec::with_capacity(found.len());
    for rule in found {
        let rule = rule_of(rule, &mut new_id)?;
        if !ids.insert(rule.id.clone()) {
            return Err(s3_error!(
                InvalidArgument,
                "Rule ID must be unique. Found same ID for more than one rule"
            ));
        }
        rules.push(rule);
    }
    Ok(Rules { rules })
}

fn rule_of(rule: LifecycleRule, new_id: &mut impl FnMut() -> String) -> S3Result<Rule> {
    let has = |list: bool| {
        if list {
            // To take it and never carry it out would be a promise that is not kept.
            return Err(s3_error!(
                InvalidStorageClass,
                "There is one storage class, STANDARD: objects do not move to another one."
            ));
        }
        Ok(())
    };
    let id = match rule.id.filter(|id| !id.is_empty()) {
        Some(id) if id.chars().count() > ID_MAX => {
            return Err(s3_error!(
                InvalidArgument,
                "ID length should not exceed allowed limit of {ID_MAX}"
            ));
        }
        Some(id) => id,
        None => new_id(),
    };
    let enabled = match rule.status.as_str() {
        ExpirationStatus::ENABLED => true,
        ExpirationStatus::DISABLED => false,
        _ => return Err(s3_error!(MalformedXML)),
    };
    let filter = filter(rule.prefix, rule.filter)?;
    has(rule.transitions.is_some_and(|list| !list.is_empty()))?;
    has(rule
        .noncurrent_version_transitions
        .is_some_and(|list| !list.is_empty()))?;
    let rule = Rule {
        id,
        enabled,
        expiration: rule.expiration.map(expiration).transpose()?,
        noncurrent: rule.noncurrent_version_expiration.map(noncurrent).transpose()?,
        abort_days: rule
            .abort_incomplete_multipart_upload
            .map(abort_days)
            .transpose()?,
        filter,
    };
    fits_together(&rule)?;
    Ok(rule)
}

/// What the parts of a rule rule out of each other.
fn fits_together(rule: &Rule) -> S3Result<()> {
    if rule.expiration.is_none() && rule.noncurrent.is_none() && rule.abort_days.is_none() {
        return Err(s3_error!(
            InvalidRequest,
            "At least one action needs to be specified in a rule"
        ));
    }
    let filter = &rule.filter;
    let sized = filter.larger_than.is_some() || filter.smaller_than.is_some();
    let clears = matches!(rule.expiration, Some(Expiration::Marker(_)));
    for (there, action) in [
        (rule.abort_days.is_some(), "AbortIncompleteMultipartUpload"),
        (clears, "ExpiredObjectDeleteMarker"),
    ] {
        let with = match (!filter.tags.is_empty(), sized) {
            (true, _) => "Tags",
            (_, true) => "ObjectSize",
            _ => continue,
        };
        if there {
            return Err(s3_error!(
                InvalidRequest,
                "{action} cannot be specified with {with}."
            ));
        }
    }
    Ok(())
}

fn filter(prefix: Option<String>, found: Option<LifecycleRuleFilter>) -> S3Result<Filter> {
    let filter = match (prefix, found) {
        (Some(prefix), None) => Filter {
            form: Form::Prefix,
            prefix: Some(prefix),
            ..Filter::default()
        },
        (None, Some(found)) => conditions(found)?,
        _ => return Err(s3_error!(MalformedXML)),
    };
    if filter.prefix().len() > PREFIX_MAX {
        return Err(s3_error!(
            InvalidRequest,
            "The maximum size of a prefix is {PREFIX_MAX}."
        ));
    }
    if let (Some(larger), Some(smaller)) = (filter.larger_than, filter.smaller_than)
        && smaller <= larger
    {
        return Err(s3_error!(
            InvalidRequest,
            "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'."
        ));
    }
    Ok(filter)
}

fn conditions(found: LifecycleRuleFilter) -> S3Result<Filter> {
    let alone = [
        found.prefix.is_some(),
        found.tag.is_some(),
        found.object_size_greater_than.is_some(),
        found.object_size_less_than.is_some(),
        found.and.is_some(),
    ];
    if alone.into_iter().filter(|there| *there).count() > 1 {
        return Err(s3_error!(MalformedXML));
    }
    let and = found.and.is_some();
    let all = found.and.unwrap_or_else(|| LifecycleRuleAndOperator {
        object_size_greater_than: found.object_size_greater_than,
        object_size_less_than: found.object_size_less_than,
        prefix: found.prefix,
        tags: found.tag.map(|tag| vec![tag]),
    });
    let filter = Filter {
        form: if and { Form::And } else { Form::Filter },
        prefix: all.prefix,
        tags: tags(all.tags.unwrap_or_default())?,
        larger_than: size("ObjectSizeGreaterThan", all.object_size_greater_than)?,
        smaller_than: size("ObjectSizeLessThan", all.object_size_less_than)?,
    };
    let empty = Filter {
        form: Form::And,
        ..Filter::default()
    };
    if filter == empty {
        return Err(s3_error!(MalformedXML));
    }
    Ok(filter)
}

fn size(name: &str, found: Option<i64>) -> S3Result<Option<u64>> {
    found
        .map(|size| {
            u64::try_from(size).map_err(|_| {
                s3_error!(
                    InvalidArgument,
                    "'{name}' should be greater than or equal to zero"
                )
            })
        })
        .transpose()
}

fn tags(found: Vec<Tag>) -> S3Result<TextMap> {
    let mut tags = TextMap::new();
    for tag in found {
        let (Some(key), Some(value)) = (tag.key, tag.value) else {
            return Err(s3_error!(MalformedXML));
        };
        crate::tags::check(&key, &value)?;
        if tags.insert(key, value).is_some() {
            return Err(s3_error!(InvalidRequest, "Duplicate Tag Keys are not allowed."));
        }
    }
    Ok(tags)
}

fn days(action: &str, name: &str, found: Option<i32>) -> S3Result<u32> {
    let Some(days) = found else {
        return Err(s3_error!(MalformedXML));
    };
    u32::try_from(days).ok().filter(|days| *days > 0).ok_or_else(|| {
        s3_error!(
            InvalidArgument,
            "'{name}' for {action} action must be a positive integer"
        )
    })
}

fn expiration(found: LifecycleExpiration) -> S3Result<Expiration> {
    match (found.days, found.date, found.expired_object_delete_marker) {
        (Some(found), None, None) => Ok(Expiration::Days(days("Expiration", "Days", Some(found))?)),
        (None, Some(date), None) => {
            let date = Timestamp::from(OffsetDateTime::from(date));
            if due::is_midnight(date) {
                Ok(Expiration::Date(date))
            } else {
                Err(s3_error!(InvalidArgument, "'Date' must be at midnight GMT"))
            }
        }
        (None, None, Some(clears)) => Ok(Expiration::Marker(clears)),
        _ => Err(s3_error!(MalformedXML)),
    }
}

fn noncurrent(found: NoncurrentVersionExpiration) -> S3Result<Noncurrent> {
    let action = "NoncurrentVersionExpiration";
    let newer = found.newer_noncurrent_versions.map(|newer| {
        u32::try_from(newer)
            .ok()
            .filter(|_| (1..=NEWER_MAX).contains(&newer))
            .ok_or_else(|| {
                s3_error!(
                    InvalidArgument,
                    "'NewerNoncurrentVersions' for {action} action must be an integer from 1 to {NEWER_MAX}"
                )
            })
    });
    Ok(Noncurrent {
        days: days(action, "NoncurrentDays", found.noncurrent_days)?,
        newer: newer.transpose()?,
    })
}

fn abort_days(found: AbortIncompleteMultipartUpload) -> S3Result<u32> {
    days(
        "AbortIncompleteMultipartUpload",
        "DaysAfterInitiation",
        found.days_after_initiation,
    )
}

/// As S3 writes rules.
pub fn write(rules: Rules) -> Vec<LifecycleRule> {
    rules.rules.into_iter().map(written).collect()
}

/// A number that came in as an `i32`.
fn number(number: u32) -> Option<i32> {
    Some(i32::try_from(number).unwrap_or(i32::MAX))
}

fn written(rule: Rule) -> LifecycleRule {
    let status = if rule.enabled {
        ExpirationStatus::ENABLED
    } else {
        ExpirationStatus::DISABLED
    };
    let (prefix, filter) = written_filter(rule.filter);
    let mut expiration = rule.expiration.as_ref().map(|_| LifecycleExpiration::default());
    match (&mut expiration, rule.expiration) {
        (Some(out), Some(Expiration::Days(days))) => out.days = number(days),
        (Some(out), Some(Expiration::Date(date))) => out.date = Some(crate::dates::s3(date)),
        (Some(out), Some(Expiration::Marker(clears))) => out.expired_object_delete_marker = Some(clears),
        _ => {}
    }
    LifecycleRule {
        abort_incomplete_multipart_upload: rule.abort_days.map(|days| AbortIncompleteMultipartUpload {
            days_after_initiation: number(days),
        }),
        expiration,
        filter,
        id: Some(rule.id),
        noncurrent_version_expiration: rule.noncurrent.map(|noncurrent| NoncurrentVersionExpiration {
            newer_noncurrent_versions: noncurrent.newer.and_then(number),
            noncurrent_days: number(noncurrent.days),
        }),
        noncurrent_version_transitions: None,
        prefix,
        status: ExpirationStatus::from_static(status),
        transitions: None,
    }
}

fn written_filter(filter: Filter) -> (Option<String>, Option<LifecycleRuleFilter>) {
    let size = |size: Option<u64>| size.map(crate::ops::signed);
    let mut tags = filter.tags.into_iter().map(|(key, value)| Tag {
        key: Some(key),
        value: Some(value),
    });
    let mut out = LifecycleRuleFilter::default();
    match filter.form {
        Form::Prefix => return (filter.prefix, None),
        Form::Filter => {
            out.tag = tags.next();
            out.prefix = filter.prefix;
            out.object_size_greater_than = size(filter.larger_than);
            out.object_size_less_than = size(filter.smaller_than);
        }
        Form::And => {
            let tags: Vec<_> = tags.collect();
            out.and = Some(LifecycleRuleAndOperator {
                object_size_greater_than: size(filter.larger_than),
                object_size_less_than: size(filter.smaller_than),
                prefix: filter.prefix,
                tags: Some(tags).filter(|tags| !tags.is_empty()),
            });
        }
    }
    (None, Some(out))
}

/// When the object of the answer will expire.
pub const X_AMZ_EXPIRATION: http::HeaderName = http::HeaderName::from_static("x-amz-expiration");

/// What [`X_AMZ_EXPIRATION`] says; nothing where the moment has no date.
pub fn header(due: Due<'_>) -> Option<String> {
    due::has_date(due.at).then(|| {
        let rule = utf8_percent_encode(due.rule, ID);
        format!(
            "expiry-date=\"{}\", rule-id=\"{rule}\"",
            crate::dates::http(due.at)
        )
    })
}
