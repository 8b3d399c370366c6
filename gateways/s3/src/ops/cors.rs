//! A bucket's rules for pages of other origins, as documents.

use super::{caller, failed};
use crate::cors::{DOCUMENT, Rules};
use crate::errors::custom;
use crate::service::S3Gateway;
use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

impl S3Gateway {
    pub(crate) async fn get_bucket_cors(
        &self,
        request: S3Request<GetBucketCorsInput>,
    ) -> S3Result<S3Response<GetBucketCorsOutput>> {
        let bucket = &request.input.bucket;
        self.bucket(bucket)?;
        let rules = self.cors(bucket)?.ok_or_else(|| {
            custom(
                "NoSuchCORSConfiguration",
                StatusCode::NOT_FOUND,
                "The CORS configuration does not exist".into(),
            )
        })?;
        Ok(S3Response::new(GetBucketCorsOutput {
            cors_rules: Some(rules.to_s3()),
        }))
    }

    pub(crate) async fn put_bucket_cors(
        &self,
        request: S3Request<PutBucketCorsInput>,
    ) -> S3Result<S3Response<PutBucketCorsOutput>> {
        let caller = caller(&request)?;
        let rules = Rules::from_s3(request.input.cors_configuration)?;
        let kept = serde_json::to_string(&rules).map_err(|error| s3_error!(InternalError, "{error}"))?;
        self.objects
            .configure_bucket(&request.input.bucket, DOCUMENT, Some(kept), caller)
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutBucketCorsOutput {}))
    }

    pub(crate) async fn delete_bucket_cors(
        &self,
        request: S3Request<DeleteBucketCorsInput>,
    ) -> S3Result<S3Response<DeleteBucketCorsOutput>> {
        let caller = caller(&request)?;
        self.objects
            .configure_bucket(&request.input.bucket, DOCUMENT, None, caller)
            .await
            .map_err(failed)?;
        let status = StatusCode::NO_CONTENT;
        Ok(S3Response::with_status(DeleteBucketCorsOutput {}, status))
    }
}
