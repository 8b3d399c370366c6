//! Access control lists of buckets and objects.

use super::{caller, failed};
use crate::data::Ask;
use crate::facts::Facts;
use crate::service::S3Gateway;
use crate::{acl, headers};
use http::HeaderMap;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use stead_event::body::Grant as Kept;
use stead_gateway::access::{Action, BucketAccess, Wanted, grants};
use stead_gateway::objects::{GetRequest, GrantRequest};

impl S3Gateway {
    pub(crate) async fn get_bucket_acl(
        &self,
        request: S3Request<GetBucketAclInput>,
    ) -> S3Result<S3Response<GetBucketAclOutput>> {
        let known = self.access_of(&request.input.bucket)?;
        let users = self.users()?;
        let shown = shown(&known, &known.acl, &known.owner);
        Ok(S3Response::new(GetBucketAclOutput {
            grants: Some(acl::shown(&shown, &users)),
            owner: Some(acl::owner(&known.owner, &users)),
        }))
    }

    pub(crate) async fn put_bucket_acl(
        &self,
        request: S3Request<PutBucketAclInput>,
    ) -> S3Result<S3Response<PutBucketAclOutput>> {
        let caller = caller(&request)?;
        let PutBucketAclInput {
            bucket,
            access_control_policy: document,
            ..
        } = request.input;
        let known = self.access_of(&bucket)?;
        let facts = self.keys.facts(&caller, &request.headers, request.uri.query());
        let list = self.list_put(&facts, document, &known.owner)?;
        self.objects
            .grant_bucket(&bucket, &list, caller.clone())
            .await
            .map_err(failed)?;
        Ok(S3Response::new(PutBucketAclOutput {}))
    }

    pub(crate) async fn get_object_acl(
        &self,
        request: S3Request<GetObjectAclInput>,
    ) -> S3Result<S3Response<GetObjectAclOutput>> {
        let caller = caller(&request)?;
        let input = &request.input;
        let get = GetRequest {
            who: &caller.identity,
            bucket: &input.bucket,
            key: &input.key,
            version: input.version_id.as_deref(),
            at: None,
            range: None,
        };
        let record = self.objects.head(&get).map_err(failed)?;
        let known = self.access_of(&input.bucket)?;
        let users = self.users()?;
        let owner = known.owner_of(record.owner.as_deref());
        let shown = shown(&known, &record.acl, owner);
        let output = GetObjectAclOutput {
            grants: Some(acl::shown(&shown, &users)),
            owner: Some(acl::owner(owner, &users)),
            request_charged: None,
        };
        let mut answer = HeaderMap::new();
        headers::version(&mut answer, record.version.as_deref());
        Ok(S3Response::with_headers(output, answer))
    }

    pub(crate) async fn put_object_acl(
        &self,
        request: S3Request<PutObjectAclInput>,
    ) -> S3Result<S3Response<PutObjectAclOutput>> {
        let caller = caller(&request)?;
        let PutObjectAclInput {
            bucket,
            key,
            version_id: version,
            access_control_policy: document,
            ..
        } = request.input;
        let get = GetRequest {
            who: &caller.identity,
            bucket: &bucket,
            key: &key,
            version: version.as_deref(),
            at: None,
            range: None,
        };
        let ask = Ask {
            headers: &request.headers,
            query: request.uri.query(),
            bucket: &bucket,
            key: &key,
            caller: &caller,
        };
        let record = self.seen(&ask, Action::PutObjectAcl, &get)?;
        let known = self.access_of(&bucket)?;
        let owner = known.owner_of(record.owner.as_deref());
        let list = self.list_put(&ask.facts(self), document, owner)?;
        let version = self
            .objects
            .grant(GrantRequest {
                bucket: bucket.clone(),
                key: key.clone(),
                version: version.clone(),
                list,
                caller: caller.clone(),
            })
            .await
            .map_err(failed)?;
        let mut answer = HeaderMap::new();
        headers::version(&mut answer, version.as_deref());
        let output = PutObjectAclOutput {
            request_charged: None,
        };
        Ok(S3Response::with_headers(output, answer))
    }

    /// The list that a request brings: in its headers, or in its document.
    fn list_put(
        &self,
        facts: &Facts<'_>,
        document: Option<AccessControlPolicy>,
        owner: &str,
    ) -> S3Result<Wanted> {
        match (acl::is_asked(facts), document) {
            (true, Some(_)) => Err(s3_error!(
                UnexpectedContent,
                "This request does not support content: the list is in its headers already."
            )),
            (true, None) => self.list_asked(facts),
            (false, Some(document)) => acl::in_document(document, owner, &*self.users()?),
            (false, None) => Err(s3_error!(
                MissingSecurityHeader,
                "Your request was missing a required header: x-amz-acl"
            )),
        }
    }
}

/// A list as it is shown: the owner's alone, where lists do not count.
fn shown(bucket: &BucketAccess, kept: &[Kept], owner: &str) -> Vec<Kept> {
    let kept = if bucket.owns().has_lists() { kept } else { &[] };
    grants::from_kept(kept, owner)
}
