//! A bucket's lifecycle rules: put, answered, removed; and what they say of an object in an answer's headers.

use super::{caller, failed};
use crate::errors;
use crate::lifecycle::document;
use crate::lifecycle::rules::{DOCUMENT, Rules};
use crate::service::S3Gateway;
use http::{HeaderMap, StatusCode};
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use stead_view::ObjectRecord;

impl S3Gateway {
    fn lifecycle_rules(&self, bucket: &str) -> S3Result<Option<Rules>> {
        let kept = self.names()?.config(bucket, DOCUMENT).map_err(failed)?;
        Ok(kept.map(|document| Rules::read(&document)))
    }

    /// When an upload that was started then will be given up, and by which rule.
    pub(crate) fn abort_due(
        &self,
        bucket: &str,
        key: &str,
        started: stead_event::Timestamp,
    ) -> S3Result<Option<(stead_event::Timestamp, String)>> {
        let rules = self.lifecycle_rules(bucket)?.unwrap_or_default();
        let due = rules.abort(key, started, self.options.lifecycle_day);
        Ok(due
            .filter(|due| crate::lifecycle::due::has_date(due.at))
            .map(|due| (due.at, due.rule.to_owned())))
    }

    /// Says in an answer when the current object of a key will expire, and by which rule.
    pub(crate) fn announce_expiry(
        &self,
        bucket: &str,
        key: &str,
        record: &ObjectRecord,
        answer: &mut HeaderMap,
    ) -> S3Result<()> {
        let Some(rules) = self.lifecycle_rules(bucket)? else {
            return Ok(());
        };
        let due = rules.expiry(key, record, self.options.lifecycle_day);
        if let Some(text) = due.and_then(document::header) {
            errors::insert(answer, document::X_AMZ_EXPIRATION, &text);
        }
        Ok(())
    }

    /// As [`Self::announce_expiry`], of what has just been made.
    pub(crate) fn announce_expiry_of_new(
        &self,
        bucket: &str,
        key: &str,
        answer: &mut HeaderMap,
    ) -> S3Result<()> {
        let names = self.names()?;
        if names.config(bucket, DOCUMENT).map_err(failed)?.is_none() {
            return Ok(());
        }
        match names.object(bucket, key).map_err(failed)? {
            Some(record) if !record.marker => self.announce_expiry(bucket, key, &record, answer),
            _ => Ok(()),
        }
    }

    pub(crate) async fn get_bucket_lifecycle_configuration(
        &self,
        request: S3Request<GetBucketLifecycleConfigurationInput>,
    ) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
        let bucket = request.input.bucket;
        self.bucket(&bucket)?;
        let Some(rules) = self.lifecycle_rules(&bucket)? else {
            return Err(errors::custom(
                "NoSuchLifecycleConfiguration",
                StatusCode::NOT_FOUND,
                "The lifecycle configuration does not exist".into(),
            ));
        };
        Ok(S3Response::new(GetBucketLifecycleConfigurationOutput {
            rules: Some(document::write(rules)),
            transition_default_minimum_object_size: None,
        }))
    }

    pub(crate) async fn put_bucket_lifecycle_configuration(
        &self,
        request: S3Request<PutBucketLifecycleConfigurationInput>,
    ) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
        let caller = caller(&request)?;
        let PutBucketLifecycleConfigurationInput {
            bucket,
            lifecycle_configuration,
            ..
        } = request.input;
        let configuration = lifecycle_configuration.ok_or_else(|| s3_error!(MalformedXML))?;
        let rng = &self.context().rng;
        let rules = document::read(configuration, || hex::encode(rng.bytes::<24>()))?;
        self.objects
            .configure_bucket(&bucket, DOCUMENT, Some(rules.write()), caller)
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutBucketLifecycleConfigurationOutput::default()))
    }

    pub(crate) async fn delete_bucket_lifecycle(
        &self,
        request: S3Request<DeleteBucketLifecycleInput>,
    ) -> S3Result<S3Response<DeleteBucketLifecycleOutput>> {
        let caller = caller(&request)?;
        let bucket = request.input.bucket;
        self.bucket(&bucket)?;
        if self.lifecycle_rules(&bucket)?.is_some() {
            self.objects
                .configure_bucket(&bucket, DOCUMENT, None, caller)
                .await
                .map_err(failed)?;
        }
        let status = StatusCode::NO_CONTENT;
        Ok(S3Response::with_status(DeleteBucketLifecycleOutput {}, status))
    }
}
