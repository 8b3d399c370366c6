//! Configurations that Stead does not have yet: what clients probe for gets the answer that Amazon gives
//! for a bucket without such a configuration. Setting one is `NotImplemented`, by `s3s`' default.

use super::{caller, failed};
use crate::errors::custom;
use crate::headers;
use crate::service::S3Gateway;
use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};
use stead_gateway::objects::GetRequest;

fn not_found(code: &'static str, message: &str) -> S3Error {
    custom(code, StatusCode::NOT_FOUND, message.to_owned())
}

/// Operations that fail with a fixed error, once the bucket is there.
macro_rules! absent {
    ($($name:ident: $input:ident => $output:ident, $error:expr;)*) => {
        impl S3Gateway {
            $(pub(crate) async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                self.bucket(&request.input.bucket)?;
                Err($error)
            })*
        }
    };
}

absent! {
    get_bucket_encryption: GetBucketEncryptionInput => GetBucketEncryptionOutput,
        not_found(
            "ServerSideEncryptionConfigurationNotFoundError",
            "The server side encryption configuration was not found",
        );
    get_bucket_ownership_controls: GetBucketOwnershipControlsInput => GetBucketOwnershipControlsOutput,
        not_found("OwnershipControlsNotFoundError", "The bucket ownership controls were not found");
    get_bucket_policy: GetBucketPolicyInput => GetBucketPolicyOutput,
        not_found("NoSuchBucketPolicy", "The bucket policy does not exist");
    get_bucket_policy_status: GetBucketPolicyStatusInput => GetBucketPolicyStatusOutput,
        not_found("NoSuchBucketPolicy", "The bucket policy does not exist");
    get_bucket_replication: GetBucketReplicationInput => GetBucketReplicationOutput,
        not_found("ReplicationConfigurationNotFoundError", "The replication configuration was not found");
    get_public_access_block: GetPublicAccessBlockInput => GetPublicAccessBlockOutput,
        not_found("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found");
}

/// Operations whose answer is empty, once the bucket is there.
macro_rules! empty {
    ($($name:ident: $input:ident => $output:ident, $status:ident;)*) => {
        impl S3Gateway {
            $(pub(crate) async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                self.bucket(&request.input.bucket)?;
                Ok(S3Response::with_status($output::default(), StatusCode::$status))
            })*
        }
    };
}

empty! {
    get_bucket_accelerate_configuration:
        GetBucketAccelerateConfigurationInput => GetBucketAccelerateConfigurationOutput, OK;
    get_bucket_logging: GetBucketLoggingInput => GetBucketLoggingOutput, OK;
    get_bucket_notification_configuration:
        GetBucketNotificationConfigurationInput => GetBucketNotificationConfigurationOutput, OK;
    delete_bucket_encryption: DeleteBucketEncryptionInput => DeleteBucketEncryptionOutput, NO_CONTENT;
    delete_bucket_ownership_controls:
        DeleteBucketOwnershipControlsInput => DeleteBucketOwnershipControlsOutput, NO_CONTENT;
    delete_bucket_policy: DeleteBucketPolicyInput => DeleteBucketPolicyOutput, NO_CONTENT;
    delete_bucket_replication: DeleteBucketReplicationInput => DeleteBucketReplicationOutput, NO_CONTENT;
    delete_public_access_block: DeletePublicAccessBlockInput => DeletePublicAccessBlockOutput, NO_CONTENT;
}

impl S3Gateway {
    /// The only access control list there is: the owner may everything.
    fn grants(&self) -> Grants {
        let owner = self.owner();
        let grantee = Grantee {
            display_name: owner.display_name,
            email_address: None,
            id: owner.id,
            type_: Type::from_static(Type::CANONICAL_USER),
            uri: None,
        };
        vec![Grant {
            grantee: Some(grantee),
            permission: Some(Permission::from_static(Permission::FULL_CONTROL)),
        }]
    }

    pub(crate) async fn get_bucket_acl(
        &self,
        request: S3Request<GetBucketAclInput>,
    ) -> S3Result<S3Response<GetBucketAclOutput>> {
        self.bucket(&request.input.bucket)?;
        Ok(S3Response::new(GetBucketAclOutput {
            grants: Some(self.grants()),
            owner: Some(self.owner()),
        }))
    }

    pub(crate) async fn put_bucket_acl(
        &self,
        request: S3Request<PutBucketAclInput>,
    ) -> S3Result<S3Response<PutBucketAclOutput>> {
        self.bucket(&request.input.bucket)?;
        headers::refuse_access_lists(&request.headers)?;
        self.only_owner(request.input.access_control_policy)?;
        Ok(S3Response::new(PutBucketAclOutput {}))
    }

    pub(crate) async fn get_object_acl(
        &self,
        request: S3Request<GetObjectAclInput>,
    ) -> S3Result<S3Response<GetObjectAclOutput>> {
        let caller = caller(&request)?;
        let GetObjectAclInput {
            bucket,
            key,
            version_id,
            ..
        } = request.input;
        self.must_be_there(&caller, &bucket, &key, version_id.as_deref())?;
        let (grants, owner) = (Some(self.grants()), Some(self.owner()));
        Ok(S3Response::new(GetObjectAclOutput {
            grants,
            owner,
            request_charged: None,
        }))
    }

    pub(crate) async fn put_object_acl(
        &self,
        request: S3Request<PutObjectAclInput>,
    ) -> S3Result<S3Response<PutObjectAclOutput>> {
        let caller = caller(&request)?;
        headers::refuse_access_lists(&request.headers)?;
        let PutObjectAclInput {
            bucket,
            key,
            version_id,
            access_control_policy,
            ..
        } = request.input;
        self.must_be_there(&caller, &bucket, &key, version_id.as_deref())?;
        self.only_owner(access_control_policy)?;
        Ok(S3Response::new(PutObjectAclOutput {
            request_charged: None,
        }))
    }

    fn must_be_there(
        &self,
        caller: &stead_gateway::Caller,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> S3Result<()> {
        let get = GetRequest {
            who: &caller.identity,
            bucket,
            key,
            version,
            at: None,
            range: None,
        };
        self.objects.head(&get).map(drop).map_err(failed)
    }

    /// Accepts a list that changes nothing.
    fn only_owner(&self, policy: Option<AccessControlPolicy>) -> S3Result<()> {
        let owner = self.owner().id;
        let others = policy
            .and_then(|policy| policy.grants)
            .unwrap_or_default()
            .into_iter()
            .any(|grant| {
                grant.grantee.is_none_or(|grantee| grantee.id != owner)
                    || grant
                        .permission
                        .is_none_or(|p| p.as_str() != Permission::FULL_CONTROL)
            });
        if others {
            return Err(s3_error!(
                NotImplemented,
                "Access control lists are not implemented: what is stored is private."
            ));
        }
        Ok(())
    }

    pub(crate) async fn get_bucket_request_payment(
        &self,
        request: S3Request<GetBucketRequestPaymentInput>,
    ) -> S3Result<S3Response<GetBucketRequestPaymentOutput>> {
        self.bucket(&request.input.bucket)?;
        let payer = Some(Payer::from_static(Payer::BUCKET_OWNER));
        Ok(S3Response::new(GetBucketRequestPaymentOutput { payer }))
    }
}
