//! Bucket policies, public access blocks and object ownership.

use super::{caller, failed};
use crate::errors::custom;
use crate::service::S3Gateway;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, StatusCode};
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};
use stead_gateway::access::{Ownership, PublicAccessBlock, document};

fn not_found(code: &'static str, message: &str) -> S3Error {
    custom(code, StatusCode::NOT_FOUND, message.to_owned())
}

impl S3Gateway {
    pub(crate) async fn get_bucket_policy(
        &self,
        request: S3Request<GetBucketPolicyInput>,
    ) -> S3Result<S3Response<GetBucketPolicyOutput>> {
        let bucket = &request.input.bucket;
        self.bucket(bucket)?;
        let found = self.names()?.config(bucket, document::POLICY).map_err(failed)?;
        let Some(policy) = found else {
            return Err(not_found(
                "NoSuchBucketPolicy",
                "The bucket policy does not exist",
            ));
        };
        let output = GetBucketPolicyOutput { policy: Some(policy) };
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(S3Response::with_headers(output, headers))
    }

    pub(crate) async fn put_bucket_policy(
        &self,
        request: S3Request<PutBucketPolicyInput>,
    ) -> S3Result<S3Response<PutBucketPolicyOutput>> {
        let caller = caller(&request)?;
        let PutBucketPolicyInput { bucket, policy, .. } = request.input;
        self.objects
            .put_policy(&bucket, policy, caller)
            .await
            .map_err(failed)?;
        let status = StatusCode::NO_CONTENT;
        Ok(S3Response::with_status(PutBucketPolicyOutput {}, status))
    }

    pub(crate) async fn delete_bucket_policy(
        &self,
        request: S3Request<DeleteBucketPolicyInput>,
    ) -> S3Result<S3Response<DeleteBucketPolicyOutput>> {
        let caller = caller(&request)?;
        self.objects
            .configure_bucket(&request.input.bucket, document::POLICY, None, caller)
            .await
            .map_err(failed)?;
        let status = StatusCode::NO_CONTENT;
        Ok(S3Response::with_status(DeleteBucketPolicyOutput {}, status))
    }

    /// Whether the bucket is public, by its policy or its list.
    pub(crate) async fn get_bucket_policy_status(
        &self,
        request: S3Request<GetBucketPolicyStatusInput>,
    ) -> S3Result<S3Response<GetBucketPolicyStatusOutput>> {
        let is_public = self.access_of(&request.input.bucket)?.is_public();
        Ok(S3Response::new(GetBucketPolicyStatusOutput {
            policy_status: Some(PolicyStatus {
                is_public: Some(is_public),
            }),
        }))
    }

    pub(crate) async fn get_public_access_block(
        &self,
        request: S3Request<GetPublicAccessBlockInput>,
    ) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
        let Some(block) = self.access_of(&request.input.bucket)?.block else {
            return Err(not_found(
                "NoSuchPublicAccessBlockConfiguration",
                "The public access block configuration was not found",
            ));
        };
        Ok(S3Response::new(GetPublicAccessBlockOutput {
            public_access_block_configuration: Some(PublicAccessBlockConfiguration {
                block_public_acls: Some(block.block_public_acls),
                block_public_policy: Some(block.block_public_policy),
                ignore_public_acls: Some(block.ignore_public_acls),
                restrict_public_buckets: Some(block.restrict_public_buckets),
            }),
        }))
    }

    pub(crate) async fn put_public_access_block(
        &self,
        request: S3Request<PutPublicAccessBlockInput>,
    ) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
        let caller = caller(&request)?;
        let wanted = request.input.public_access_block_configuration;
        let block = PublicAccessBlock {
            block_public_acls: wanted.block_public_acls == Some(true),
            ignore_public_acls: wanted.ignore_public_acls == Some(true),
            block_public_policy: wanted.block_public_policy == Some(true),
            restrict_public_buckets: wanted.restrict_public_buckets == Some(true),
        };
        self.objects
            .set_public_access_block(&request.input.bucket, Some(block), caller)
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutPublicAccessBlockOutput {}))
    }

    pub(crate) async fn delete_public_access_block(
        &self,
        request: S3Request<DeletePublicAccessBlockInput>,
    ) -> S3Result<S3Response<DeletePublicAccessBlockOutput>> {
        let caller = caller(&request)?;
        self.objects
            .set_public_access_block(&request.input.bucket, None, caller)
            .await
            .map_err(failed)?;
        let status = StatusCode::NO_CONTENT;
        Ok(S3Response::with_status(DeletePublicAccessBlockOutput {}, status))
    }

    pub(crate) async fn get_bucket_ownership_controls(
        &self,
        request: S3Request<GetBucketOwnershipControlsInput>,
    ) -> S3Result<S3Response<GetBucketOwnershipControlsOutput>> {
        let Some(ownership) = self.access_of(&request.input.bucket)?.ownership else {
            return Err(not_found(
                "OwnershipControlsNotFoundError",
                "The bucket ownership controls were not found",
            ));
        };
        let rule = OwnershipControlsRule {
            object_ownership: ObjectOwnership::from_static(ownership.name()),
        };
        Ok(S3Response::new(GetBucketOwnershipControlsOutput {
            ownership_controls: Some(OwnershipControls { rules: vec![rule] }),
        }))
    }

    pub(crate) async fn put_bucket_ownership_controls(
        &self,
        request: S3Request<PutBucketOwnershipControlsInput>,
    ) -> S3Result<S3Response<PutBucketOwnershipControlsOutput>> {
        let caller = caller(&request)?;
        let ownership = match &request.input.ownership_controls.rules[..] {
            [rule] => Ownership::parse(rule.object_ownership.as_str()),
            _ => None,
        };
        let ownership = ownership.ok_or_else(|| s3_error!(MalformedXML))?;
        self.objects
            .set_ownership(&request.input.bucket, Some(ownership), caller)
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutBucketOwnershipControlsOutput {}))
    }

    pub(crate) async fn delete_bucket_ownership_controls(
        &self,
        request: S3Request<DeleteBucketOwnershipControlsInput>,
    ) -> S3Result<S3Response<DeleteBucketOwnershipControlsOutput>> {
        let caller = caller(&request)?;
        self.objects
            .set_ownership(&request.input.bucket, None, caller)
            .await
            .map_err(failed)?;
        let status = StatusCode::NO_CONTENT;
        Ok(S3Response::with_status(
            DeleteBucketOwnershipControlsOutput {},
            status,
        ))
    }
}
