//! Which actions of S3's access language an operation takes.

use crate::facts::Facts;
use crate::{acl, errors};
use s3s::S3Result;
use stead_gateway::access::{Access, Action, Ask};

/// What is to be checked of an operation before it is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// That this action is permitted.
    Is(Action),
    /// Nothing: the operation checks itself, key by key, or knowing what its document says.
    Own,
    /// It is not known here, and so only the administrator's.
    Unknown,
}

/// The rule of an operation, by `s3s`' name of it.
pub fn rule(operation: &str) -> Rule {
    use Action as A;
    let action = match operation {
        "DeleteObjects" | "PutObjectTagging" => return Rule::Own,
        "ListBuckets" | "ListDirectoryBuckets" => A::ListAllMyBuckets,
        "CreateBucket" => A::CreateBucket,
        "DeleteBucket" => A::DeleteBucket,
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => A::ListBucket,
        "ListObjectVersions" => A::ListBucketVersions,
        "ListMultipartUploads" => A::ListBucketMultipartUploads,
        "GetObject" | "HeadObject" | "SelectObjectContent" => A::GetObject,
        "GetObjectAttributes" => A::GetObjectAttributes,
        "GetObjectTorrent" => A::GetObjectTorrent,
        "PutObject"
        | "PostObject"
        | "CopyObject"
        | "CreateMultipartUpload"
        | "UploadPart"
        | "UploadPartCopy"
        | "CompleteMultipartUpload" => A::PutObject,
        "AbortMultipartUpload" => A::AbortMultipartUpload,
        "ListParts" => A::ListMultipartUploadParts,
        "DeleteObject" => A::DeleteObject,
        "RestoreObject" => A::RestoreObject,
        "GetObjectAcl" => A::GetObjectAcl,
        "PutObjectAcl" => A::PutObjectAcl,
        "GetObjectTagging" => A::GetObjectTagging,
        "DeleteObjectTagging" => A::DeleteObjectTagging,
        "GetObjectRetention" => A::GetObjectRetention,
        "PutObjectRetention" => A::PutObjectRetention,
        "GetObjectLegalHold" => A::GetObjectLegalHold,
        "PutObjectLegalHold" => A::PutObjectLegalHold,
        other => return bucket_rule(other),
    };
    Rule::Is(action)
}

/// As [`rule`], of what is about a bucket's configuration.
fn bucket_rule(operation: &str) -> Rule {
    use Action as A;
    let action = match operation {
        "GetBucketAcl" => A::GetBucketAcl,
        "PutBucketAcl" => A::PutBucketAcl,
        "GetBucketPolicy" => A::GetBucketPolicy,
        "PutBucketPolicy" => A::PutBucketPolicy,
        "DeleteBucketPolicy" => A::DeleteBucketPolicy,
        "GetBucketPolicyStatus" => A::GetBucketPolicyStatus,
        "GetPublicAccessBlock" => A::GetBucketPublicAccessBlock,
        "PutPublicAccessBlock" | "DeletePublicAccessBlock" => A::PutBucketPublicAccessBlock,
        "GetBucketOwnershipControls" => A::GetBucketOwnershipControls,
        "PutBucketOwnershipControls" | "DeleteBucketOwnershipControls" => A::PutBucketOwnershipControls,
        "GetBucketAccelerateConfiguration" => A::GetAccelerateConfiguration,
        "PutBucketAccelerateConfiguration" => A::PutAccelerateConfiguration,
        "GetBucketCors" => A::GetBucketCORS,
        "PutBucketCors" | "DeleteBucketCors" => A::PutBucketCORS,
        "GetBucketEncryption" => A::GetEncryptionConfiguration,
        "PutBucketEncryption" | "DeleteBucketEncryption" => A::PutEncryptionConfiguration,
        "GetBucketLifecycleConfiguration" => A::GetLifecycleConfiguration,
        "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle" => A::PutLifecycleConfiguration,
        "GetBucketLocation" => A::GetBucketLocation,
        "GetBucketLogging" => A::GetBucketLogging,
        "PutBucketLogging" => A::PutBucketLogging,
        "GetBucketNotificationConfiguration" => A::GetBucketNotification,
        "PutBucketNotificationConfiguration" => A::PutBucketNotification,
        "GetBucketReplication" => A::GetReplicationConfiguration,
        "PutBucketReplication" | "DeleteBucketReplication" => A::PutReplicationConfiguration,
        "GetBucketRequestPayment" => A::GetBucketRequestPayment,
        "PutBucketRequestPayment" => A::PutBucketRequestPayment,
        "GetBucketTagging" => A::GetBucketTagging,
        "PutBucketTagging" | "DeleteBucketTagging" => A::PutBucketTagging,
        "GetBucketVersioning" => A::GetBucketVersioning,
        "PutBucketVersioning" => A::PutBucketVersioning,
        "GetBucketWebsite" => A::GetBucketWebsite,
        "PutBucketWebsite" => A::PutBucketWebsite,
        "DeleteBucketWebsite" => A::DeleteBucketWebsite,
        "GetObjectLockConfiguration" => A::GetBucketObjectLockConfiguration,
        "PutObjectLockConfiguration" => A::PutBucketObjectLockConfiguration,
        other => return unimplemented_rule(other),
    };
    Rule::Is(action)
}

/// As [`rule`], of what only answers that it is not implemented.
fn unimplemented_rule(operation: &str) -> Rule {
    use Action as A;
    let families = [
        (
            "Analytics",
            A::GetAnalyticsConfiguration,
            A::PutAnalyticsConfiguration,
        ),
        (
            "IntelligentTiering",
            A::GetIntelligentTieringConfiguration,
            A::PutIntelligentTieringConfiguration,
        ),
        (
            "Inventory",
            A::GetInventoryConfiguration,
            A::PutInventoryConfiguration,
        ),
        ("Metrics", A::GetMetricsConfiguration, A::PutMetricsConfiguration),
    ];
    let reads = operation.starts_with("Get") || operation.starts_with("List");
    let found = families.iter().find(|(name, ..)| operation.contains(name));
    match found {
        Some((_, get, _)) if reads => Rule::Is(*get),
        Some((_, _, put)) => Rule::Is(*put),
        None => Rule::Unknown,
    }
}

/// Checks a put into `bucket` under `key`, with what its headers bring along.
///
/// # Errors
/// `AccessDenied`; `NoSuchBucket`.
pub fn check_put(access: &Access, facts: &Facts<'_>, bucket: &str, key: &str) -> S3Result<()> {
    let who = &facts.caller.identity;
    let ask = |action| Ask::object(who, action, bucket, key).values(facts);
    let has = |name: &str| facts.header(name).is_some();
    access
        .check(&ask(Action::PutObject))
        .map_err(errors::from_object)?;
    // Whose the object will be may say what is with it, unless a policy forbids just that.
    if has("x-amz-tagging") {
        access
            .check_not_denied(&ask(Action::PutObjectTagging))
            .map_err(errors::from_object)?;
    }
    if acl::is_asked(facts) {
        access
            .check_not_denied(&ask(Action::PutObjectAcl))
            .map_err(errors::from_object)?;
    }
    if has("x-amz-object-lock-mode") || has("x-amz-object-lock-retain-until-date") {
        access
            .check_new(&ask(Action::PutObjectRetention))
            .map_err(errors::from_object)?;
    }
    if has("x-amz-object-lock-legal-hold") {
        access
            .check_new(&ask(Action::PutObjectLegalHold))
            .map_err(errors::from_object)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_known_for_what_they_do() {
        assert_eq!(rule("ListBuckets"), Rule::Is(Action::ListAllMyBuckets));
        assert_eq!(rule("HeadObject"), Rule::Is(Action::GetObject));
        assert_eq!(
            rule("DeleteBucketLifecycle"),
            Rule::Is(Action::PutLifecycleConfiguration)
        );
        assert_eq!(
            rule("DeleteBucketMetricsConfiguration"),
            Rule::Is(Action::PutMetricsConfiguration)
        );
        assert_eq!(
            rule("ListBucketInventoryConfigurations"),
            Rule::Is(Action::GetInventoryConfiguration)
        );
        assert_eq!(rule("DeleteObjects"), Rule::Own);
        assert_eq!(rule("Novelty"), Rule::Unknown);
    }
}
