//! The gate: what a request must look like before it is authenticated.
//!
//! `s3s` would accept more than Amazon does (signed requests with unsigned `x-amz-*` headers, sub-resources
//! that it does not know and takes for the resource itself), and Signature Version 2 in a header. All that ends
//! here. Signature Version 2 in a query is passed on to [`crate::presigned`]; why the one and not the other
//! is said in [`stead_gateway::sigv2`].

use crate::target::{Target, check_new_key, check_version, query_pairs};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use s3s::{S3Error, S3Result, s3_error};
use stead_gateway::sigv2;

/// The longest time a presigned URL may be valid: a week, in seconds.
const PRESIGN_MAX: i64 = 604_800;

/// Looks at the head of a request; answers what it is about.
/// `host` is the bucket that the host says, if any.
pub fn enter(head: &Parts, host: Option<&str>) -> S3Result<Target> {
    method(head)?;
    let target = Target::parse(host, head.uri.path())?;
    if let Target::Object { key, .. } = &target
        && matches!(head.method, Method::PUT | Method::POST)
    {
        check_new_key(key)?;
    }
    let query: Vec<_> = head
        .uri
        .query()
        .map(|query| query_pairs(query).collect())
        .unwrap_or_default();
    signature(head, &query)?;
    if let (Target::Object { .. }, Some((_, version))) =
        (&target, query.iter().find(|(name, _)| name == "versionId"))
    {
        check_version(version)?;
    }
    sub_resource(&head.method, &target, &query)?;
    Ok(target)
}

fn method(head: &Parts) -> S3Result<()> {
    match head.method {
        Method::GET | Method::HEAD | Method::PUT | Method::POST | Method::DELETE => Ok(()),
        _ => Err(s3_error!(MethodNotAllowed)),
    }
}

type Query = [(String, String)];

fn has(query: &Query, name: &str) -> bool {
    query.iter().any(|(found, _)| found == name)
}

fn signature(head: &Parts, query: &Query) -> S3Result<()> {
    let presigned = has(query, "X-Amz-Signature") || has(query, "X-Amz-Algorithm");
    let presigned_v2 = sigv2::is_presigned(head.uri.query().unwrap_or_default());
    let header = head.headers.get(header::AUTHORIZATION);
    if header.is_some_and(|value| value.as_bytes().starts_with(b"AWS ")) {
        return Err(s3_error!(
            InvalidRequest,
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."
        ));
    }
    match (header, presigned, presigned_v2) {
        (Some(value), false, false) => in_header(&head.headers, value.to_str().unwrap_or_default()),
        (None, true, false) => in_query(&head.headers, query),
        // Unsigned, which is refused later; or Version 2, which is verified next.
        (None, false, _) => Ok(()),
        _ => Err(s3_error!(
            InvalidArgument,
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified"
        )),
    }
}

fn in_header(headers: &HeaderMap, value: &str) -> S3Result<()> {
    let Some(rest) = value.strip_prefix("AWS4-HMAC-SHA256") else {
        return Err(s3_error!(InvalidArgument, "Unsupported Authorization Type"));
    };
    let field = |name: &str| {
        rest.split(',')
            .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('=').map(str::trim))
    };
    let (Some(credential), Some(signed), Some(_)) =
        (field("Credential"), field("SignedHeaders"), field("Signature"))
    else {
        return Err(malformed("The authorization header is malformed."));
    };
    scope(credential).ok_or_else(|| {
        malformed("The authorization header is malformed; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
    })?;
    if !headers.contains_key("x-amz-date") && !headers.contains_key(header::DATE) {
        return Err(s3_error!(
            AccessDenied,
            "AWS authentication requires a valid Date or x-amz-date header"
        ));
    }
    all_signed(headers, signed, false)
}

fn malformed(text: &'static str) -> S3Error {
    S3Error::with_message(s3s::S3ErrorCode::AuthorizationHeaderMalformed, text)
}

/// Access key, date, region: only for the service `s3`.
fn scope(credential: &str) -> Option<()> {
    let mut parts = credential.rsplitn(5, '/');
    let [end, service, region, date, key] = std::array::from_fn(|_| parts.next());
    let date = date?;
    let right = end? == "aws4_request" && service? == "s3" && !region?.is_empty() && !key?.is_empty();
    (right && date.len() == 8 && date.bytes().all(|b| b.is_ascii_digit())).then_some(())
}

fn in_query(headers: &HeaderMap, query: &Query) -> S3Result<()> {
    let value = |name: &str| {
        query
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    };
    let bad =
        |text: &'static str| S3Error::with_message(s3s::S3ErrorCode::AuthorizationQueryParametersError, text);
    let required = [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Signature",
        "X-Amz-Date",
        "X-Amz-SignedHeaders",
    ];
    let expires = value("X-Amz-Expires");
    if required.iter().any(|name| value(name).is_none()) || expires.is_none() {
        return Err(bad(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
             X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        ));
    }
    if value("X-Amz-Algorithm") != Some("AWS4-HMAC-SHA256") {
        return Err(bad("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
    }
    if scope(value("X-Amz-Credential").unwrap_or_default()).is_none() {
        return Err(bad(
            "Error parsing the X-Amz-Credential parameter; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        ));
    }
    match expires.and_then(|text| text.parse::<i64>().ok()) {
        None => return Err(bad("X-Amz-Expires should be a number")),
        Some(secs) if secs < 0 => return Err(bad("X-Amz-Expires must be non-negative")),
        Some(secs) if secs > PRESIGN_MAX => {
            return Err(bad(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
            ));
        }
        Some(_) => {}
    }
    all_signed(headers, value("X-Amz-SignedHeaders").unwrap_or_default(), true)
}

/// `host` and every `x-amz-*` header must be under the signature: otherwise whoever holds a presigned URL
/// could make a copy of a put, or tag what it stores.
fn all_signed(headers: &HeaderMap, signed: &str, presigned: bool) -> S3Result<()> {
    let is_signed = |name: &str| signed.split(';').any(|found| found == name);
    // These can only restrict what a presigned request does.
    let free =
        |name: &str| presigned && matches!(name, "x-amz-content-sha256" | "x-amz-date" | "x-amz-user-agent");
    let loose = headers
        .keys()
        .map(header::HeaderName::as_str)
        .any(|name| name.starts_with("x-amz-") && !is_signed(name) && !free(name));
    if !is_signed("host") || loose {
        return Err(s3_error!(
            AccessDenied,
            "There were headers present in the request which were not signed"
        ));
    }
    Ok(())
}

/// Queries that change what a PUT, POST or DELETE is about, and that are understood here.
const KNOWN: [&str; 28] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "publicAccessBlock",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "tagging",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
];
/// Queries that change nothing.
const SILENT: [&str; 5] = ["x-id", "id", "select-type", "website", "metadataTable"];

fn sub_resource(method: &Method, target: &Target, query: &Query) -> S3Result<()> {
    if matches!(*method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let presigned_v2 = has(query, "Signature") || has(query, "AWSAccessKeyId");
    let own = |name: &str| presigned_v2 && sigv2::is_own(name);
    let unknown = query.iter().map(|(name, _)| name.as_str()).find(|name| {
        !KNOWN.contains(name)
            && !SILENT.contains(name)
            && !name.starts_with("X-Amz-")
            && !name.starts_with("x-amz-")
            && !own(name)
    });
    if let Some(name) = unknown {
        return Err(s3_error!(
            NotImplemented,
            "The sub-resource {name:?} is not implemented."
        ));
    }
    // `s3s` takes a sub-resource that it does not expect there for the bucket or object itself.
    let only: &[&str] = match (method, target) {
        (&Method::DELETE, Target::Bucket(_)) => &[
            "acl",
            "versioning",
            "logging",
            "notification",
            "object-lock",
            "uploads",
            "delete",
            "requestPayment",
            "accelerate",
            "versionId",
            "uploadId",
            "partNumber",
            "retention",
            "legal-hold",
            "restore",
            "select",
        ],
        (&Method::DELETE, Target::Object { .. }) => &[
            "acl",
            "retention",
            "legal-hold",
            "uploads",
            "restore",
            "select",
            "delete",
            "cors",
            "lifecycle",
            "policy",
            "partNumber",
            "versioning",
            "encryption",
        ],
        (&Method::PUT, Target::Bucket(_)) => &[
            "uploads",
            "uploadId",
            "partNumber",
            "delete",
            "versionId",
            "restore",
            "select",
            "retention",
            "legal-hold",
        ],
        (&Method::PUT, Target::Object { .. }) => &[
            "uploads",
            "restore",
            "select",
            "delete",
            "versioning",
            "encryption",
            "cors",
            "policy",
        ],
        _ => &[],
    };
    if let Some(name) = only.iter().find(|name| has(query, name)) {
        return Err(s3_error!(
            MethodNotAllowed,
            "{method} is not allowed for the sub-resource {name:?}."
        ));
    }
    if *method == Method::PUT && has(query, "partNumber") != has(query, "uploadId") {
        return Err(s3_error!(
            InvalidArgument,
            "partNumber and uploadId must be given together."
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(method: &str, uri: &str, headers: &[(&str, &str)]) -> Result<Target, String> {
        let mut request = http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        enter(&head, None).map_err(|error| error.code().as_str().to_owned())
    }

    const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AK/20260101/us-east-1/s3/aws4_request, \
                          SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00";
    const DATE: (&str, &str) = ("x-amz-date", "20260101T000000Z");

    #[test]
    fn an_ordinary_request_enters() {
        let headers = [
            ("authorization", SIGNED),
            DATE,
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ];
        assert!(verdict("PUT", "/bucket/key", &headers).is_ok());
        assert!(verdict("GET", "/bucket?list-type=2", &headers).is_ok());
        assert!(verdict("PUT", "/bucket/key?x-id=PutObject", &headers).is_ok());
        assert!(
            verdict("GET", "/", &[]).is_ok(),
            "who is anonymous is refused later"
        );
    }

    #[test]
    fn old_and_broken_signatures_do_not() {
        assert_eq!(
            verdict("GET", "/b1b/k", &[("authorization", "AWS AK:sig")]).unwrap_err(),
            "InvalidRequest"
        );
        let v2 = "/b1b/k?AWSAccessKeyId=AK&Expires=1&%53ignature=s";
        assert!(verdict("GET", v2, &[]).is_ok(), "it is verified behind the gate");
        assert!(verdict("PUT", &format!("{v2}&content-type=a%2Fb"), &[]).is_ok());
        assert_eq!(
            verdict("GET", v2, &[("authorization", "AWS AK:sig")]).unwrap_err(),
            "InvalidRequest"
        );
        for other in ["&X-Amz-Signature=0", "&X-Amz-Algorithm=AWS4-HMAC-SHA256"] {
            let both = format!("{v2}{other}");
            assert_eq!(verdict("GET", &both, &[]).unwrap_err(), "InvalidArgument");
        }
        assert_eq!(
            verdict("GET", v2, &[("authorization", SIGNED), DATE]).unwrap_err(),
            "InvalidArgument"
        );
        assert_eq!(
            verdict("PUT", "/b1b/k?Expires=1", &[]).unwrap_err(),
            "NotImplemented"
        );
        assert_eq!(
            verdict("GET", "/b1b/k", &[("authorization", "Basic x")]).unwrap_err(),
            "InvalidArgument"
        );
        let half = [("authorization", "AWS4-HMAC-SHA256 Credential=x"), DATE];
        assert_eq!(
            verdict("GET", "/b1b/k", &half).unwrap_err(),
            "AuthorizationHeaderMalformed"
        );
        let sts = SIGNED.replace("/s3/", "/sts/");
        assert_eq!(
            verdict("GET", "/b1b/k", &[("authorization", &sts), DATE]).unwrap_err(),
            "AuthorizationHeaderMalformed"
        );
        assert_eq!(
            verdict("GET", "/b1b/k", &[("authorization", SIGNED)]).unwrap_err(),
            "AccessDenied"
        );
    }

    #[test]
    fn headers_that_matter_must_be_signed() {
        let sneaked = [
            ("authorization", SIGNED),
            DATE,
            ("x-amz-copy-source", "/other/secret"),
        ];
        assert_eq!(verdict("PUT", "/b1b/k", &sneaked).unwrap_err(), "AccessDenied");
        let presigned = "/b1b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20260101%2Fr%2Fs3%2Faws4_request\
                         &X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
        assert!(verdict("PUT", presigned, &[]).is_ok());
        assert_eq!(
            verdict("PUT", presigned, &[("x-amz-copy-source", "/o/s")]).unwrap_err(),
            "AccessDenied"
        );
        let long = presigned.replace("Expires=60", "Expires=604801");
        assert_eq!(
            verdict("PUT", &long, &[]).unwrap_err(),
            "AuthorizationQueryParametersError"
        );
        let hostless = presigned.replace("SignedHeaders=host", "SignedHeaders=date");
        assert_eq!(verdict("PUT", &hostless, &[]).unwrap_err(), "AccessDenied");
    }

    #[test]
    fn unknown_sub_resources_are_not_taken_for_the_resource() {
        assert_eq!(
            verdict("DELETE", "/bucket?acl", &[]).unwrap_err(),
            "MethodNotAllowed"
        );
        assert_eq!(
            verdict("DELETE", "/bucket?novelty", &[]).unwrap_err(),
            "NotImplemented"
        );
        assert_eq!(
            verdict("PUT", "/bucket/key?renameObject", &[]).unwrap_err(),
            "NotImplemented"
        );
        assert_eq!(
            verdict("PUT", "/bucket/key?partNumber=1", &[]).unwrap_err(),
            "InvalidArgument"
        );
        assert_eq!(
            verdict("PATCH", "/bucket/key", &[]).unwrap_err(),
            "MethodNotAllowed"
        );
    }
}
