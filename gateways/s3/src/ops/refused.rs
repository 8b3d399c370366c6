//! What a server like this has no use for: the documented answer of a bucket or object without it, and a
//! refusal for whoever wants to set it. `docs/s3.md` says why for each.

use super::failed;
use crate::errors::custom;
use crate::service::S3Gateway;
use http::{HeaderValue, StatusCode};
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};
use stead_gateway::objects::GetRequest;

fn no_configuration() -> S3Error {
    custom(
        "NoSuchConfiguration",
        StatusCode::NOT_FOUND,
        "The specified configuration does not exist.".into(),
    )
}

/// Families of configurations that no bucket has: lists are empty, and none can be read or removed.
macro_rules! none {
    ($($name:ident: $input:ident => $output:ident, $answer:expr;)*) => {
        impl S3Gateway {
            $(pub(crate) async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                self.bucket(&request.input.bucket)?;
                $answer
            })*
        }
    };
}

fn empty<T: Default>() -> S3Result<S3Response<T>> {
    Ok(S3Response::new(T::default()))
}

none! {
    list_bucket_analytics_configurations:
        ListBucketAnalyticsConfigurationsInput => ListBucketAnalyticsConfigurationsOutput, empty();
    list_bucket_intelligent_tiering_configurations:
        ListBucketIntelligentTieringConfigurationsInput => ListBucketIntelligentTieringConfigurationsOutput, empty();
    list_bucket_inventory_configurations:
        ListBucketInventoryConfigurationsInput => ListBucketInventoryConfigurationsOutput, empty();
    list_bucket_metrics_configurations:
        ListBucketMetricsConfigurationsInput => ListBucketMetricsConfigurationsOutput, empty();
    get_bucket_analytics_configuration:
        GetBucketAnalyticsConfigurationInput => GetBucketAnalyticsConfigurationOutput, Err(no_configuration());
    get_bucket_intelligent_tiering_configuration:
        GetBucketIntelligentTieringConfigurationInput => GetBucketIntelligentTieringConfigurationOutput,
        Err(no_configuration());
    get_bucket_inventory_configuration:
        GetBucketInventoryConfigurationInput => GetBucketInventoryConfigurationOutput, Err(no_configuration());
    get_bucket_metrics_configuration:
        GetBucketMetricsConfigurationInput => GetBucketMetricsConfigurationOutput, Err(no_configuration());
    delete_bucket_analytics_configuration:
        DeleteBucketAnalyticsConfigurationInput => DeleteBucketAnalyticsConfigurationOutput,
        Err(no_configuration());
    delete_bucket_intelligent_tiering_configuration:
        DeleteBucketIntelligentTieringConfigurationInput => DeleteBucketIntelligentTieringConfigurationOutput,
        Err(no_configuration());
    delete_bucket_inventory_configuration:
        DeleteBucketInventoryConfigurationInput => DeleteBucketInventoryConfigurationOutput,
        Err(no_configuration());
    delete_bucket_metrics_configuration:
        DeleteBucketMetricsConfigurationInput => DeleteBucketMetricsConfigurationOutput, Err(no_configuration());
}

impl S3Gateway {
    /// What is off already may be turned off.
    pub(crate) async fn put_bucket_logging(
        &self,
        request: S3Request<PutBucketLoggingInput>,
    ) -> S3Result<S3Response<PutBucketLoggingOutput>> {
        self.bucket(&request.input.bucket)?;
        match request.input.bucket_logging_status.logging_enabled {
            None => empty(),
            Some(_) => Err(s3_error!(
                NotImplemented,
                "Access logs are not written into buckets: the log of this node has every change."
            )),
        }
    }

    /// As [`Self::put_bucket_logging`].
    pub(crate) async fn put_bucket_accelerate_configuration(
        &self,
        request: S3Request<PutBucketAccelerateConfigurationInput>,
    ) -> S3Result<S3Response<PutBucketAccelerateConfigurationOutput>> {
        self.bucket(&request.input.bucket)?;
        let status = request.input.accelerate_configuration.status;
        match status.as_ref().map(BucketAccelerateStatus::as_str) {
            Some(BucketAccelerateStatus::SUSPENDED) => empty(),
            Some(BucketAccelerateStatus::ENABLED) => Err(s3_error!(
                NotImplemented,
                "There is no transfer acceleration: this node is where it is."
            )),
            _ => Err(s3_error!(MalformedXML)),
        }
    }

    /// As [`Self::put_bucket_logging`].
    pub(crate) async fn put_bucket_request_payment(
        &self,
        request: S3Request<PutBucketRequestPaymentInput>,
    ) -> S3Result<S3Response<PutBucketRequestPaymentOutput>> {
        self.bucket(&request.input.bucket)?;
        match request.input.request_payment_configuration.payer.as_str() {
            Payer::BUCKET_OWNER => empty(),
            Payer::REQUESTER => Err(s3_error!(NotImplemented, "Nobody is billed for requests here.")),
            _ => Err(s3_error!(MalformedXML)),
        }
    }

    /// Nothing is archived, so nothing can be restored from an archive.
    pub(crate) async fn restore_object(
        &self,
        request: S3Request<RestoreObjectInput>,
    ) -> S3Result<S3Response<RestoreObjectOutput>> {
        let caller = super::caller(&request)?;
        let input = request.input;
        let get = GetRequest {
            who: &caller.identity,
            bucket: &input.bucket,
            key: &input.key,
            version: input.version_id.as_deref(),
            at: None,
            range: None,
        };
        self.objects.head(&get).map_err(failed)?;
        Err(s3_error!(
            InvalidObjectState,
            "Restore is not allowed for the object's current storage class"
        ))
    }

    /// Whether a request expects a bucket to be somebody else's.
    pub(crate) fn check_expected_owner(&self, bucket: &str, expected: Option<&HeaderValue>) -> S3Result<()> {
        let Some(expected) = expected else {
            return Ok(());
        };
        let Some(record) = self.names()?.bucket(bucket).map_err(failed)? else {
            return Ok(()); // which is said by the operation
        };
        let users = self.context().access().users().map_err(failed)?;
        let owner = record
            .owner_id
            .as_deref()
            .unwrap_or_else(|| users.administrator());
        if expected == owner {
            Ok(())
        } else {
            Err(s3_error!(AccessDenied, "Access Denied"))
        }
    }
}
