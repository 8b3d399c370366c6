//! A bucket's notifications, as documents.

use super::{caller, failed};
use crate::errors;
use crate::notify::cursor;
use crate::notify::document::{DOCUMENT, Notification};
use crate::service::S3Gateway;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use std::collections::BTreeSet;

impl S3Gateway {
    fn notification(&self, bucket: &str) -> S3Result<Notification> {
        let kept = self.names()?.config(bucket, DOCUMENT);
        let Some(kept) = kept.map_err(|error| errors::from_object(error.into()))? else {
            return Ok(Notification::default());
        };
        serde_json::from_str(&kept).map_err(|error| {
            s3_error!(
                InternalError,
                "the notifications of {bucket} cannot be read: {error}"
            )
        })
    }

    pub(crate) async fn get_bucket_notification_configuration(
        &self,
        request: S3Request<GetBucketNotificationConfigurationInput>,
    ) -> S3Result<S3Response<GetBucketNotificationConfigurationOutput>> {
        let bucket = &request.input.bucket;
        self.bucket(bucket)?;
        Ok(S3Response::new(self.notification(bucket)?.to_s3()))
    }

    /// Where a webhook is new to the bucket, it is first written down from where on it is told.
    pub(crate) async fn put_bucket_notification_configuration(
        &self,
        request: S3Request<PutBucketNotificationConfigurationInput>,
    ) -> S3Result<S3Response<PutBucketNotificationConfigurationOutput>> {
        let caller = caller(&request)?;
        let bucket = request.input.bucket;
        let rng = self.context().rng.clone();
        let wanted = Notification::from_s3(
            request.input.notification_configuration,
            &self.options.webhooks,
            || hex::encode(rng.bytes::<12>()),
        )?;
        self.bucket(&bucket)?;
        let before = self.notification(&bucket)?;
        let known: BTreeSet<_> = before.webhooks().collect();
        let new: BTreeSet<_> = wanted.webhooks().filter(|name| !known.contains(name)).collect();
        for webhook in new {
            let position = self.context().views.position(&self.context().tenant);
            self.objects
                .configure_bucket(
                    &bucket,
                    &cursor(webhook),
                    Some(position.to_string()),
                    caller.clone(),
                )
                .await
                .map_err(failed)?;
        }
        let kept = serde_json::to_string(&wanted).map_err(|error| s3_error!(InternalError, "{error}"))?;
        self.objects
            .configure_bucket(
                &bucket,
                DOCUMENT,
                Some(kept).filter(|_| !wanted.is_empty()),
                caller,
            )
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutBucketNotificationConfigurationOutput {}))
    }
}
