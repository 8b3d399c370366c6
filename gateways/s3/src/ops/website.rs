//! A bucket's website, as a document.

use super::{caller, failed};
use crate::service::S3Gateway;
use crate::website::{DOCUMENT, Website};
use http::StatusCode;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

impl S3Gateway {
    pub(crate) async fn get_bucket_website(
        &self,
        request: S3Request<GetBucketWebsiteInput>,
    ) -> S3Result<S3Response<GetBucketWebsiteOutput>> {
        Ok(S3Response::new(self.website(&request.input.bucket)?.to_s3()))
    }

    pub(crate) async fn put_bucket_website(
        &self,
        request: S3Request<PutBucketWebsiteInput>,
    ) -> S3Result<S3Response<PutBucketWebsiteOutput>> {
        let caller = caller(&request)?;
        let site = Website::from_s3(request.input.website_configuration)?;
        let kept = serde_json::to_string(&site).map_err(|error| s3_error!(InternalError, "{error}"))?;
        self.objects
            .configure_bucket(&request.input.bucket, DOCUMENT, Some(kept), caller)
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutBucketWebsiteOutput {}))
    }

    pub(crate) async fn delete_bucket_website(
        &self,
        request: S3Request<DeleteBucketWebsiteInput>,
    ) -> S3Result<S3Response<DeleteBucketWebsiteOutput>> {
        let caller = caller(&request)?;
        self.objects
            .configure_bucket(&request.input.bucket, DOCUMENT, None, caller)
            .await
            .map_err(failed)?;
        let status = StatusCode::NO_CONTENT;
        Ok(S3Response::with_status(DeleteBucketWebsiteOutput {}, status))
    }
}
