//! Buckets: list, create, head, delete, location, versioning.

use super::{at, caller, failed, small, when};
use crate::acl;
use crate::service::S3Gateway;
use crate::token;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use stead_event::body::Versioning;
use stead_gateway::access::{Canned, Ownership, Wanted};
use stead_gateway::objects::NewBucket;

impl S3Gateway {
    pub(crate) async fn list_buckets(
        &self,
        request: S3Request<ListBucketsInput>,
    ) -> S3Result<S3Response<ListBucketsOutput>> {
        let identity = caller(&request)?.identity;
        let input = request.input;
        let prefix = input.prefix.clone().unwrap_or_default();
        let after = input.continuation_token.as_deref().map(token::read).transpose()?;
        let max = match input.max_buckets {
            None => 10_000,
            Some(max) => usize::try_from(max)
                .ok()
                .filter(|max| (1..=10_000).contains(max))
                .ok_or_else(|| {
                    s3_error!(
                        InvalidArgument,
                        "Argument max-buckets must be an integer between 1 and 10000"
                    )
                })?,
        };
        let mut found = self.names()?.buckets().map_err(failed)?;
        let access = self.context().access();
        let mut fault = None;
        found.retain(|(name, record)| {
            let wanted = name.starts_with(&prefix) && after.as_ref().is_none_or(|after| name > after);
            wanted
                && access
                    .lists(&identity, name, record.owner_id.as_deref())
                    .unwrap_or_else(|error| {
                        fault = Some(error);
                        false
                    })
        });
        if let Some(error) = fault {
            return Err(failed(error));
        }
        let more = found.len() > max;
        found.truncate(max);
        let next = found.last().filter(|_| more).map(|(name, _)| token::write(name));
        let buckets = found.into_iter().map(|(name, record)| Bucket {
            bucket_region: Some(self.options.region.clone()),
            creation_date: Some(when(record.created)),
            name: Some(name),
        });
        Ok(S3Response::new(ListBucketsOutput {
            buckets: Some(buckets.collect()),
            continuation_token: next,
            owner: Some(acl::owner(&identity.canonical_id, &*self.users()?)),
            prefix: input.prefix,
        }))
    }

    pub(crate) async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let caller = caller(&request)?;
        let list = self.list_asked(&self.keys.facts(&caller, &request.headers, request.uri.query()))?;
        let options = NewBucket {
            locks: request.input.object_lock_enabled_for_bucket == Some(true),
            ownership: ownership(request.input.object_ownership.as_ref(), &list)?,
            list,
        };
        let bucket = request.input.bucket;
        self.objects
            .create_bucket_with(&bucket, options, caller)
            .await
            .map_err(failed)?;
        let made = self.bucket(&bucket)?;
        Ok(at(
            CreateBucketOutput {
                location: Some(format!("/{bucket}")),
            },
            Some(made.id),
        ))
    }

    pub(crate) async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.bucket(&request.input.bucket)?;
        let region = self.options.region.clone();
        Ok(S3Response::new(HeadBucketOutput {
            bucket_region: Some(region),
            ..Default::default()
        }))
    }

    pub(crate) async fn delete_bucket(
        &self,
        request: S3Request<DeleteBucketInput>,
    ) -> S3Result<S3Response<DeleteBucketOutput>> {
        let caller = caller(&request)?;
        self.objects
            .delete_bucket(&request.input.bucket, caller)
            .await
            .map_err(failed)?;
        Ok(S3Response::with_status(
            DeleteBucketOutput {},
            http::StatusCode::NO_CONTENT,
        ))
    }

    pub(crate) async fn get_bucket_location(
        &self,
        request: S3Request<GetBucketLocationInput>,
    ) -> S3Result<S3Response<GetBucketLocationOutput>> {
        self.bucket(&request.input.bucket)?;
        let region = &self.options.region;
        // S3 says nothing for its first region.
        let location_constraint =
            (region != "us-east-1").then(|| BucketLocationConstraint::from(region.clone()));
        Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
    }

    pub(crate) async fn get_bucket_versioning(
        &self,
        request: S3Request<GetBucketVersioningInput>,
    ) -> S3Result<S3Response<GetBucketVersioningOutput>> {
        let status = match self.bucket(&request.input.bucket)?.versioning {
            Versioning::Off => None,
            Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
            Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
        };
        let status = status.map(BucketVersioningStatus::from_static);
        Ok(S3Response::new(GetBucketVersioningOutput {
            status,
            ..Default::default()
        }))
    }

    pub(crate) async fn put_bucket_versioning(
        &self,
        request: S3Request<PutBucketVersioningInput>,
    ) -> S3Result<S3Response<PutBucketVersioningOutput>> {
        let caller = caller(&request)?;
        let PutBucketVersioningInput {
            bucket,
            versioning_configuration: wanted,
            ..
        } = request.input;
        if wanted
            .mfa_delete
            .is_some_and(|mfa| mfa.as_str() == MFADelete::ENABLED)
        {
            return Err(s3_error!(NotImplemented, "MFA delete is not implemented."));
        }
        let state = match wanted.status.as_ref().map(BucketVersioningStatus::as_str) {
            Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
            Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
            _ => return Err(s3_error!(MalformedXML)),
        };
        self.objects
            .set_versioning(&bucket, state, caller)
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutBucketVersioningOutput {}))
    }
}

/// The object ownership that a new bucket is to have; lists that open it need one that has lists.
fn ownership(asked: Option<&ObjectOwnership>, list: &Wanted) -> S3Result<Option<Ownership>> {
    let Some(asked) = asked else { return Ok(None) };
    let Some(ownership) = Ownership::parse(asked.as_str()) else {
        return Err(s3_error!(
            InvalidArgument,
            "Invalid x-amz-object-ownership header: {}",
            asked.as_str()
        ));
    };
    let plain = matches!(
        list,
        Wanted::Unsaid | Wanted::Canned(Canned::Private | Canned::BucketOwnerFullControl)
    );
    if !ownership.has_lists() && !plain {
        return Err(s3_error!(
            InvalidBucketAclWithObjectOwnership,
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        ));
    }
    Ok(Some(ownership))
}

/// A limit of a listing as S3 reads it: up to 1,000, and what is above counts as 1,000.
pub(crate) fn limit(name: &str, asked: Option<i32>) -> S3Result<(usize, i32)> {
    let max = usize::try_from(asked.unwrap_or(1000))
        .map_err(|_| {
            s3_error!(
                InvalidArgument,
                "Argument {name} must be an integer between 0 and 2147483647"
            )
        })?
        .min(1000);
    Ok((max, small(max)))
}
