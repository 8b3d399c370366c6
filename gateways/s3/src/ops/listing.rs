//! Listings of objects and versions.

use super::buckets::limit;
use super::{checksum_type, failed, signed, small, tag, when};
use crate::owners::Owners;
use crate::service::S3Gateway;
use crate::target::query_value;
use crate::token::{self, Encoding};
use crate::xml::printable;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};
use stead_view::{ListQuery, ObjectRecord, Page, VersionEntry, VersionPage, VersionQuery};

/// The storage class of everything.
const STANDARD: &str = "STANDARD";

pub(super) fn prefixes(found: Vec<String>, encoding: Encoding) -> Option<CommonPrefixList> {
    let list: CommonPrefixList = found
        .iter()
        .map(|prefix| CommonPrefix {
            prefix: Some(encoding.text(prefix)),
        })
        .collect();
    Some(list).filter(|list| !list.is_empty())
}

fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

fn algorithms(record: &ObjectRecord) -> (Option<ChecksumAlgorithmList>, Option<ChecksumType>) {
    match &record.checksum {
        Some(checksum) => {
            let algorithm = ChecksumAlgorithm::from(checksum.algorithm.clone());
            (Some(vec![algorithm]), Some(checksum_type(checksum)))
        }
        None => (None, None),
    }
}

/// `allow-unordered`, which Ceph's clients know, allows an order and asks for none, so it changes nothing.
/// What they expect to be refused is: common prefixes need an order.
fn check_order(uri: &http::Uri, delimiter: Option<&str>) -> S3Result<()> {
    let unordered = query_value(uri.query(), "allow-unordered");
    let asked = unordered.is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if asked && delimiter.is_some_and(|delimiter| !delimiter.is_empty()) {
        return Err(s3_error!(
            InvalidArgument,
            "allow-unordered and delimiter cannot be used together."
        ));
    }
    Ok(())
}

/// The prefix as version 1 echoes it. Some clients decode it where an encoding was asked for (Java), some do
/// not (boto3): so it stays as it is where decoding changes nothing and a document can hold it.
fn echoed(prefix: &str, encoding: Encoding) -> String {
    let means_itself = !prefix.contains(['%', '+']) && printable(prefix) == prefix;
    match means_itself {
        true => prefix.to_owned(),
        false => encoding.text(prefix),
    }
}

impl S3Gateway {
    fn page(&self, bucket: &str, query: &ListQuery) -> S3Result<Page> {
        let names = self.names()?;
        if names.bucket(bucket).map_err(failed)?.is_none() {
            return Err(s3_error!(NoSuchBucket));
        }
        if query.max == 0 {
            return Ok(Page::default());
        }
        names.list(bucket, query).map_err(failed)
    }

    fn objects_of(
        page: Vec<(String, ObjectRecord)>,
        encoding: Encoding,
        owners: Option<&Owners>,
    ) -> ObjectList {
        page.into_iter()
            .map(|(key, record)| {
                let (checksum_algorithm, checksum_type) = algorithms(&record);
                Object {
                    checksum_algorithm,
                    checksum_type,
                    e_tag: Some(tag(&record.etag)),
                    key: Some(encoding.text(&key)),
                    last_modified: Some(when(record.at)),
                    owner: owners.map(|owners| owners.of(record.owner.as_deref())),
                    restore_status: None,
                    size: Some(signed(record.size)),
                    storage_class: Some(ObjectStorageClass::from_static(STANDARD)),
                }
            })
            .collect()
    }

    pub(crate) async fn list_objects(
        &self,
        request: S3Request<ListObjectsInput>,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        check_order(&request.uri, request.input.delimiter.as_deref())?;
        let input = request.input;
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let (max, max_keys) = limit("max-keys", input.max_keys)?;
        let query = ListQuery {
            prefix: input.prefix.clone().unwrap_or_default(),
            after: filled(input.marker.clone()),
            delimiter: filled(input.delimiter.clone()),
            max,
        };
        let page = self.page(&input.bucket, &query)?;
        let next = page.next.as_deref().filter(|_| query.delimiter.is_some());
        let owners = self.owners(&input.bucket)?;
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(echoed(&query.prefix, encoding)),
            marker: Some(encoding.text(input.marker.as_deref().unwrap_or_default())),
            max_keys: Some(max_keys),
            is_truncated: Some(page.next.is_some()),
            next_marker: next.map(|next| encoding.text(next)),
            contents: Some(Self::objects_of(page.objects, encoding, Some(&owners))),
            common_prefixes: prefixes(page.prefixes, encoding),
            delimiter: query.delimiter.map(|delimiter| encoding.text(&delimiter)),
            encoding_type: input.encoding_type,
            request_charged: None,
        }))
    }

    pub(crate) async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        check_order(&request.uri, request.input.delimiter.as_deref())?;
        let input = request.input;
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let (max, max_keys) = limit("max-keys", input.max_keys)?;
        // An empty one is what a client sends that has none yet: from the beginning.
        let after = match filled(input.continuation_token.clone()) {
            Some(token) => Some(token::read(&token)?),
            None => input.start_after.clone(),
        };
        let query = ListQuery {
            prefix: input.prefix.clone().unwrap_or_default(),
            after: filled(after),
            delimiter: filled(input.delimiter.clone()),
            max,
        };
        let page = self.page(&input.bucket, &query)?;
        let owners = match input.fetch_owner {
            Some(true) => Some(self.owners(&input.bucket)?),
            _ => None,
        };
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(encoding.text(&query.prefix)),
            max_keys: Some(max_keys),
            key_count: Some(small(page.objects.len() + page.prefixes.len())),
            continuation_token: input.continuation_token,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.as_deref().map(token::write),
            contents: Some(Self::objects_of(page.objects, encoding, owners.as_ref())),
            common_prefixes: prefixes(page.prefixes, encoding),
            delimiter: query.delimiter.map(|delimiter| encoding.text(&delimiter)),
            encoding_type: input.encoding_type,
            start_after: input.start_after.map(|start| encoding.text(&start)),
            request_charged: None,
        }))
    }

    pub(crate) async fn list_object_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let input = request.input;
        let encoding = Encoding::of(input.encoding_type.as_ref())?;
        let (max, max_keys) = limit("max-keys", input.max_keys)?;
        let query = VersionQuery {
            prefix: input.prefix.clone().unwrap_or_default(),
            key_marker: filled(input.key_marker.clone()),
            version_marker: filled(input.version_id_marker.clone()),
            delimiter: filled(input.delimiter.clone()),
            max,
        };
        if query.version_marker.is_some() && query.key_marker.is_none() {
            return Err(s3_error!(
                InvalidArgument,
                "A version-id marker cannot be specified without a key marker."
            ));
        }
        self.bucket(&input.bucket)?;
        let page = match max {
            0 => VersionPage::default(),
            _ => self
                .names()?
                .list_versions(&input.bucket, &query)
                .map_err(failed)?,
        };
        let (markers, versions): (Vec<_>, Vec<_>) =
            page.versions.into_iter().partition(|entry| entry.record.marker);
        let owners = self.owners(&input.bucket)?;
        let (next_key, next_version) = page.next.clone().unzip();
        Ok(S3Response::new(ListObjectVersionsOutput {
            common_prefixes: prefixes(page.prefixes, encoding),
            delete_markers: Some(
                markers
                    .into_iter()
                    .map(|entry| marker(entry, encoding, &owners))
                    .collect(),
            ),
            delimiter: query.delimiter.map(|delimiter| encoding.text(&delimiter)),
            encoding_type: input.encoding_type,
            is_truncated: Some(page.next.is_some()),
            key_marker: Some(encoding.text(input.key_marker.as_deref().unwrap_or_default())),
            max_keys: Some(max_keys),
            name: Some(input.bucket),
            next_key_marker: next_key.map(|key| encoding.text(&key)),
            next_version_id_marker: next_version.flatten(),
            prefix: Some(encoding.text(&query.prefix)),
            request_charged: None,
            version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
            versions: Some(
                versions
                    .into_iter()
                    .map(|entry| version(entry, encoding, &owners))
                    .collect(),
            ),
        }))
    }
}

fn marker(entry: VersionEntry, encoding: Encoding, owners: &Owners) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        is_latest: Some(entry.latest),
        key: Some(encoding.text(&entry.key)),
        last_modified: Some(when(entry.record.at)),
        owner: Some(owners.of(entry.record.owner.as_deref())),
        version_id: Some(entry.record.version_id().to_owned()),
    }
}

fn version(entry: VersionEntry, encoding: Encoding, owners: &Owners) -> ObjectVersion {
    let (checksum_algorithm, checksum_type) = algorithms(&entry.record);
    ObjectVersion {
        checksum_algorithm,
        checksum_type,
        e_tag: Some(tag(&entry.record.etag)),
        is_latest: Some(entry.latest),
        key: Some(encoding.text(&entry.key)),
        last_modified: Some(when(entry.record.at)),
        owner: Some(owners.of(entry.record.owner.as_deref())),
        restore_status: None,
        size: Some(signed(entry.record.size)),
        storage_class: Some(ObjectVersionStorageClass::from_static(STANDARD)),
        version_id: Some(entry.record.version_id().to_owned()),
    }
}
