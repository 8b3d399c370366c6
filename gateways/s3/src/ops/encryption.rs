//! The encryption that a bucket gives to objects whose requests do not speak of any.

use super::{caller, failed};
use crate::service::S3Gateway;
use crate::{errors, sse};
use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use stead_gateway::objects::ENCRYPTION;

/// What the configuration document says: that there is one is all that counts yet.
const DOCUMENT: &str = r#"{"algorithm":"AES256"}"#;

impl S3Gateway {
    pub(crate) async fn get_bucket_encryption(
        &self,
        request: S3Request<GetBucketEncryptionInput>,
    ) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
        let bucket = &request.input.bucket;
        self.bucket(bucket)?;
        if self
            .names()?
            .config(bucket, ENCRYPTION)
            .map_err(failed)?
            .is_none()
        {
            return Err(errors::custom(
                "ServerSideEncryptionConfigurationNotFoundError",
                StatusCode::NOT_FOUND,
                "The server side encryption configuration was not found".into(),
            ));
        }
        let rule = ServerSideEncryptionRule {
            apply_server_side_encryption_by_default: Some(ServerSideEncryptionByDefault {
                kms_master_key_id: None,
                sse_algorithm: ServerSideEncryption::from_static(sse::AES256),
            }),
            bucket_key_enabled: Some(false),
        };
        Ok(S3Response::new(GetBucketEncryptionOutput {
            server_side_encryption_configuration: Some(ServerSideEncryptionConfiguration {
                rules: vec![rule],
            }),
        }))
    }

    pub(crate) async fn put_bucket_encryption(
        &self,
        request: S3Request<PutBucketEncryptionInput>,
    ) -> S3Result<S3Response<PutBucketEncryptionOutput>> {
        let caller = caller(&request)?;
        let input = request.input;
        let [rule] = &input.server_side_encryption_configuration.rules[..] else {
            return Err(s3_error!(MalformedXML));
        };
        let Some(default) = &rule.apply_server_side_encryption_by_default else {
            return Err(s3_error!(MalformedXML));
        };
        sse::check_method(default.sse_algorithm.as_str())?;
        if default.kms_master_key_id.is_some() {
            return Err(s3_error!(
                InvalidArgument,
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms"
            ));
        }
        self.objects
            .configure_bucket(&input.bucket, ENCRYPTION, Some(DOCUMENT.into()), caller)
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutBucketEncryptionOutput {}))
    }

    pub(crate) async fn delete_bucket_encryption(
        &self,
        request: S3Request<DeleteBucketEncryptionInput>,
    ) -> S3Result<S3Response<DeleteBucketEncryptionOutput>> {
        let caller = caller(&request)?;
        let bucket = &request.input.bucket;
        self.bucket(bucket)?;
        if self
            .names()?
            .config(bucket, ENCRYPTION)
            .map_err(failed)?
            .is_some()
        {
            self.objects
                .configure_bucket(bucket, ENCRYPTION, None, caller)
                .await
                .map_err(failed)?;
        }
        Ok(S3Response::with_status(
            DeleteBucketEncryptionOutput::default(),
            StatusCode::NO_CONTENT,
        ))
    }
}
