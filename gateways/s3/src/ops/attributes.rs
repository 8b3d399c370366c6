//! `GetObjectAttributes`, from HTTP to HTTP: `s3s` would put quotes around the ETag, S3 does not here.

use crate::data::Ask;
use crate::errors::{self, escape};
use crate::headers;
use crate::service::S3Gateway;
use crate::target::query_value;
use http::header::{CONTENT_TYPE, HeaderValue, LAST_MODIFIED};
use http::{HeaderMap, Response};
use s3s::{Body, S3Result, s3_error};
use std::fmt::Write as _;
use stead_event::body::Checksum;
use stead_gateway::access::Action;
use stead_gateway::objects::GetRequest;
use stead_view::ObjectRecord;

const KNOWN: [&str; 5] = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"];

impl S3Gateway {
    /// `GET key?attributes`.
    pub(crate) async fn attributes(&self, ask: &Ask<'_>) -> S3Result<Response<Body>> {
        let wanted = wanted(ask.headers)?;
        let version = query_value(ask.query, "versionId");
        let get = GetRequest {
            who: &ask.caller.identity,
            bucket: ask.bucket,
            key: ask.key,
            version: version.as_deref(),
            at: None,
            range: None,
        };
        let record = self.seen(ask, Action::GetObjectAttributes, &get)?;
        self.seen(ask, Action::GetObject, &get)?;
        let mut response = Response::new(Body::from(document(&record, &wanted, ask.headers)?));
        let answer = response.headers_mut();
        answer.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
        errors::insert(answer, LAST_MODIFIED, &crate::dates::http(record.at));
        headers::version(answer, record.version.as_deref());
        headers::stead(answer, record.cid.as_ref(), Some(record.seq));
        Ok(response)
    }
}

fn wanted(headers: &HeaderMap) -> S3Result<Vec<&str>> {
    let mut wanted = Vec::new();
    for value in headers.get_all("x-amz-object-attributes") {
        for name in value
            .to_str()
            .unwrap_or("?")
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            if !KNOWN.contains(&name) {
                return Err(s3_error!(InvalidArgument, "Invalid attribute name specified."));
            }
            wanted.push(name);
        }
    }
    if wanted.is_empty() {
        return Err(s3_error!(
            InvalidRequest,
            "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty"
        ));
    }
    Ok(wanted)
}

fn document(record: &ObjectRecord, wanted: &[&str], headers: &HeaderMap) -> S3Result<String> {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <GetObjectAttributesResponse xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
    );
    if wanted.contains(&"ETag") {
        let _ = write!(out, "<ETag>{}</ETag>", escape(&record.etag));
    }
    if wanted.contains(&"Checksum")
        && let Some(checksum) = &record.checksum
    {
        let kind = headers::checksum_type(checksum);
        let _ = write!(
            out,
            "<Checksum>{}<ChecksumType>{kind}</ChecksumType></Checksum>",
            element(checksum)
        );
    }
    if wanted.contains(&"ObjectParts") && !record.parts.is_empty() {
        parts(record, headers, &mut out)?;
    }
    if wanted.contains(&"StorageClass") {
        out.push_str("<StorageClass>STANDARD</StorageClass>");
    }
    if wanted.contains(&"ObjectSize") {
        let _ = write!(out, "<ObjectSize>{}</ObjectSize>", record.size);
    }
    out.push_str("</GetObjectAttributesResponse>");
    Ok(out)
}

fn element(checksum: &Checksum) -> String {
    let name = format!("Checksum{}", escape(&checksum.algorithm));
    format!("<{name}>{}</{name}>", escape(&checksum.value))
}

/// Parts are listed one by one only where they have checksums, as S3 does.
fn parts(record: &ObjectRecord, headers: &HeaderMap, out: &mut String) -> S3Result<()> {
    let max = number(headers, "x-amz-max-parts")?.unwrap_or(1000).min(1000);
    let marker = number(headers, "x-amz-part-number-marker")?.unwrap_or(0);
    let _ = write!(
        out,
        "<ObjectParts><PartsCount>{}</PartsCount>",
        record.parts.len()
    );
    if record.parts.iter().any(|part| part.checksum.is_some()) {
        let behind: Vec<_> = record.parts.iter().filter(|part| part.number > marker).collect();
        let shown = &behind[..behind.len().min(max as usize)];
        let next = shown.last().map_or(marker, |part| part.number);
        let truncated = shown.len() < behind.len();
        let _ = write!(
            out,
            "<PartNumberMarker>{marker}</PartNumberMarker><NextPartNumberMarker>{next}</NextPartNumberMarker>\
             <MaxParts>{max}</MaxParts><IsTruncated>{truncated}</IsTruncated>"
        );
        for part in shown {
            let checksum = part.checksum.as_ref().map(element).unwrap_or_default();
            let _ = write!(
                out,
                "<Part><PartNumber>{}</PartNumber><Size>{}</Size>{checksum}</Part>",
                part.number, part.size
            );
        }
    }
    out.push_str("</ObjectParts>");
    Ok(())
}

fn number(headers: &HeaderMap, name: &'static str) -> S3Result<Option<u32>> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let value = value.to_str().ok().and_then(|text| text.parse().ok());
    value
        .map(Some)
        .ok_or_else(|| s3_error!(InvalidArgument, "{name} must be a number."))
}
