//! Configurations that Stead does not have yet: what clients probe for gets the answer that Amazon gives
//! for a bucket without such a configuration. Setting one is `NotImplemented`, by `s3s`' default.

use crate::errors::custom;
use crate::service::S3Gateway;
use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result};

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
    get_bucket_replication: GetBucketReplicationInput => GetBucketReplicationOutput,
        not_found("ReplicationConfigurationNotFoundError", "The replication configuration was not found");
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
    delete_bucket_replication: DeleteBucketReplicationInput => DeleteBucketReplicationOutput, NO_CONTENT;
}

impl S3Gateway {
    pub(crate) async fn get_bucket_request_payment(
        &self,
        request: S3Request<GetBucketRequestPaymentInput>,
    ) -> S3Result<S3Response<GetBucketRequestPaymentOutput>> {
        self.bucket(&request.input.bucket)?;
        let payer = Some(Payer::from_static(Payer::BUCKET_OWNER));
        Ok(S3Response::new(GetBucketRequestPaymentOutput { payer }))
    }
}
