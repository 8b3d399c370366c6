//! Tags of objects and buckets.

use super::{caller, failed};
use crate::facts::Facts;
use crate::service::S3Gateway;
use crate::tags;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use stead_event::TextMap;
use stead_gateway::Caller;
use stead_gateway::access::{Action, Ask};
use stead_gateway::objects::{GetRequest, TagRequest};

/// The configuration document that a bucket's tags are kept in.
const DOCUMENT: &str = "tagging";

impl S3Gateway {
    pub(crate) async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        let caller = caller(&request)?;
        let input = request.input;
        let get = GetRequest {
            who: &caller.identity,
            bucket: &input.bucket,
            key: &input.key,
            version: input.version_id.as_deref(),
            at: None,
            range: None,
        };
        let record = self.objects.head(&get).map_err(failed)?;
        let output = GetObjectTaggingOutput {
            tag_set: tags::to_set(&record.tags),
            version_id: record.version,
        };
        Ok(S3Response::new(output))
    }

    pub(crate) async fn put_object_tagging(
        &self,
        request: S3Request<PutObjectTaggingInput>,
    ) -> S3Result<S3Response<PutObjectTaggingOutput>> {
        let caller = caller(&request)?;
        let PutObjectTaggingInput {
            bucket,
            key,
            tagging,
            version_id: version,
            ..
        } = request.input;
        let tags = tags::from_set(tagging.tag_set, tags::OBJECT_MAX)?;
        let facts = Facts {
            tags: Some(&tags),
            ..self.keys.facts(&caller, &request.headers, request.uri.query())
        };
        let ask = Ask::object(&caller.identity, Action::PutObjectTagging, &bucket, &key);
        self.keys
            .permit(&ask.version(version.as_deref()).values(&facts))?;
        let version_id = self.tag(bucket, key, version, tags, caller).await?;
        Ok(S3Response::new(PutObjectTaggingOutput { version_id }))
    }

    pub(crate) async fn delete_object_tagging(
        &self,
        request: S3Request<DeleteObjectTaggingInput>,
    ) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
        let caller = caller(&request)?;
        let DeleteObjectTaggingInput {
            bucket,
            key,
            version_id: version,
            ..
        } = request.input;
        let version_id = self.tag(bucket, key, version, TextMap::new(), caller).await?;
        let output = DeleteObjectTaggingOutput { version_id };
        Ok(S3Response::with_status(output, http::StatusCode::NO_CONTENT))
    }

    async fn tag(
        &self,
        bucket: String,
        key: String,
        version: Option<String>,
        tags: TextMap,
        caller: Caller,
    ) -> S3Result<Option<String>> {
        self.objects
            .tag(TagRequest {
                bucket,
                key,
                version,
                tags,
                caller,
            })
            .await
            .map_err(failed)
    }

    pub(crate) async fn get_bucket_tagging(
        &self,
        request: S3Request<GetBucketTaggingInput>,
    ) -> S3Result<S3Response<GetBucketTaggingOutput>> {
        let bucket = &request.input.bucket;
        self.bucket(bucket)?;
        match self.names()?.config(bucket, DOCUMENT).map_err(failed)? {
            Some(kept) => {
                let tag_set = tags::to_set(&tags::from_query(&kept));
                Ok(S3Response::new(GetBucketTaggingOutput { tag_set }))
            }
            None => Err(s3_error!(NoSuchTagSet, "The TagSet does not exist")),
        }
    }

    pub(crate) async fn put_bucket_tagging(
        &self,
        request: S3Request<PutBucketTaggingInput>,
    ) -> S3Result<S3Response<PutBucketTaggingOutput>> {
        let caller = caller(&request)?;
        let PutBucketTaggingInput { bucket, tagging, .. } = request.input;
        let kept = tags::to_query(&tags::from_set(tagging.tag_set, tags::BUCKET_MAX)?);
        self.objects
            .configure_bucket(&bucket, DOCUMENT, Some(kept), caller)
            .await
            .map_err(failed)?;
        let status = http::StatusCode::NO_CONTENT;
        Ok(S3Response::with_status(PutBucketTaggingOutput {}, status))
    }

    pub(crate) async fn delete_bucket_tagging(
        &self,
        request: S3Request<DeleteBucketTaggingInput>,
    ) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
        let caller = caller(&request)?;
        let bucket = request.input.bucket;
        self.objects
            .configure_bucket(&bucket, DOCUMENT, None, caller)
            .await
            .map_err(failed)?;
        let status = http::StatusCode::NO_CONTENT;
        Ok(S3Response::with_status(DeleteBucketTaggingOutput {}, status))
    }
}
