//! What a request claims about its body: length, `Content-MD5`, checksums in headers or trailers.

use crate::errors;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, HeaderValue};
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::{S3Result, TrailingHeaders, s3_error};
use stead_gateway::objects::{Algorithm, ChecksumSpec, Verify};

/// The largest body of one request, in bytes (5 GiB).
const BODY_MAX: u64 = 5 << 30;

/// Reads the claims of a PUT's headers.
///
/// `trailers` gives the trailing headers once the body has ended, where there are any.
///
/// # Errors
/// `InvalidDigest`, `InvalidRequest`, `MissingContentLength` or `EntityTooLarge`: claims that contradict
/// themselves are refused before the body is read.
pub fn of_put(headers: &HeaderMap, trailers: Option<TrailingHeaders>) -> S3Result<Verify> {
    let content_length = length(headers)?;
    if content_length > BODY_MAX {
        return Err(s3_error!(EntityTooLarge));
    }
    let checksum = match trailing(headers)? {
        Some(algorithm) => {
            let value = move || {
                trailers?
                    .take()?
                    .get(algorithm.header())?
                    .to_str()
                    .ok()
                    .map(str::to_owned)
            };
            ChecksumSpec::Trailer(algorithm, Box::new(value))
        }
        None => in_headers(headers)?,
    };
    Ok(Verify {
        content_length: Some(content_length),
        md5: md5(headers)?,
        sha256: None,
        checksum,
    })
}

/// The length of the body, decoded.
fn length(headers: &HeaderMap) -> S3Result<u64> {
    let decoded = headers.get("x-amz-decoded-content-length");
    let Some(value) = decoded.or_else(|| headers.get(CONTENT_LENGTH)) else {
        return Err(s3_error!(MissingContentLength));
    };
    value
        .to_str()
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| s3_error!(InvalidArgument, "The length of the body is not a number."))
}

/// `Content-MD5`.
pub fn md5(headers: &HeaderMap) -> S3Result<Option<[u8; 16]>> {
    let Some(value) = headers.get("content-md5") else {
        return Ok(None);
    };
    let invalid = || s3_error!(InvalidDigest, "The Content-MD5 you specified is not valid.");
    let bytes = STANDARD
        .decode(value.as_bytes().trim_ascii())
        .map_err(|_| invalid())?;
    bytes.try_into().map(Some).map_err(|_| invalid())
}

/// The checksum that `x-amz-trailer` announces.
fn trailing(headers: &HeaderMap) -> S3Result<Option<Algorithm>> {
    let Some(value) = headers.get("x-amz-trailer") else {
        return Ok(None);
    };
    let name = value.to_str().unwrap_or_default().trim().to_ascii_lowercase();
    let Some(algorithm) = Algorithm::from_header(&name) else {
        return Err(s3_error!(
            InvalidRequest,
            "The value specified in the x-amz-trailer header is not supported"
        ));
    };
    if Algorithm::ALL
        .iter()
        .any(|other| headers.contains_key(other.header()))
    {
        return Err(s3_error!(
            InvalidRequest,
            "Expecting a single x-amz-checksum- header"
        ));
    }
    Ok(Some(algorithm))
}

/// The checksum in a header, or the algorithm that one is to be computed by.
pub fn in_headers(headers: &HeaderMap) -> S3Result<ChecksumSpec> {
    let mut found = Algorithm::ALL
        .into_iter()
        .filter(|a| headers.contains_key(a.header()));
    let named = named(headers)?;
    let Some(algorithm) = found.next() else {
        return Ok(named.map_or(ChecksumSpec::Default, ChecksumSpec::Compute));
    };
    if found.next().is_some() {
        return Err(s3_error!(
            InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        ));
    }
    if named.is_some_and(|named| named != algorithm) {
        return Err(s3_error!(
            InvalidRequest,
            "Value for x-amz-sdk-checksum-algorithm header is invalid."
        ));
    }
    let value = headers[algorithm.header()]
        .to_str()
        .unwrap_or_default()
        .trim()
        .to_owned();
    let right = STANDARD
        .decode(&value)
        .is_ok_and(|bytes| bytes.len() == algorithm.width());
    if !right {
        return Err(s3_error!(
            InvalidRequest,
            "Value for {} header is invalid.",
            algorithm.header()
        ));
    }
    Ok(ChecksumSpec::Expect(algorithm, value))
}

/// The algorithm that a request names without a value.
pub fn named(headers: &HeaderMap) -> S3Result<Option<Algorithm>> {
    let names = ["x-amz-sdk-checksum-algorithm", "x-amz-checksum-algorithm"];
    algorithm(names.iter().find_map(|name| headers.get(*name)))
}

/// The algorithm that a header's value names.
pub fn algorithm(value: Option<&HeaderValue>) -> S3Result<Option<Algorithm>> {
    let Some(value) = value else {
        return Ok(None);
    };
    let value = value.to_str().unwrap_or_default();
    if value.is_empty() {
        return Ok(None);
    }
    value.parse().map(Some).map_err(|_| {
        s3_error!(
            InvalidRequest,
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: \
             [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
        )
    })
}

/// The checksum of a whole document, in base64.
pub fn of(algorithm: Algorithm, document: &[u8]) -> String {
    match algorithm {
        Algorithm::Crc32 => STANDARD.encode(Crc32::checksum(document)),
        Algorithm::Crc32c => STANDARD.encode(Crc32c::checksum(document)),
        Algorithm::Crc64Nvme => STANDARD.encode(Crc64Nvme::checksum(document)),
        Algorithm::Sha1 => STANDARD.encode(Sha1::checksum(document)),
        Algorithm::Sha256 => STANDARD.encode(Sha256::checksum(document)),
    }
}

/// A base64 checksum of one algorithm, or the error that names its header.
pub fn value(algorithm: Algorithm, text: &str) -> S3Result<String> {
    // A composite value ends in `-N`.
    let bare = text.split('-').next().unwrap_or(text);
    match STANDARD.decode(bare) {
        Ok(bytes) if bytes.len() == algorithm.width() => Ok(text.to_owned()),
        _ => Err(errors::from_object(stead_gateway::ObjectError::ChecksumText {
            algorithm,
            value: text.to_owned(),
        })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(n, v)| (n.parse().unwrap(), v.parse().unwrap()))
            .collect()
    }

    fn claims(pairs: &[(&'static str, &str)]) -> Result<Verify, String> {
        of_put(&from(pairs), None).map_err(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn lengths() {
        assert_eq!(
            claims(&[("content-length", "7")]).unwrap().content_length,
            Some(7)
        );
        let chunked = [("content-length", "99"), ("x-amz-decoded-content-length", "7")];
        assert_eq!(claims(&chunked).unwrap().content_length, Some(7));
        assert_eq!(claims(&[]).unwrap_err(), "MissingContentLength");
        assert_eq!(
            claims(&[("content-length", "-7")]).unwrap_err(),
            "InvalidArgument"
        );
        assert_eq!(
            claims(&[("content-length", "5368709121")]).unwrap_err(),
            "EntityTooLarge"
        );
    }

    #[test]
    fn md5_must_be_one() {
        let with = |md5| claims(&[("content-length", "7"), ("content-md5", md5)]);
        assert!(with("1B2M2Y8AsgTpgAmY7PhCfg==").unwrap().md5.is_some());
        for bad in ["", "abc", "1B2M2Y8AsgTpgAmY7PhC"] {
            assert_eq!(with(bad).unwrap_err(), "InvalidDigest", "{bad}");
        }
    }

    #[test]
    fn checksums() {
        let with = |pairs: &[(&'static str, &str)]| {
            in_headers(&from(pairs)).map_err(|e| e.code().as_str().to_owned())
        };
        assert!(matches!(with(&[]), Ok(ChecksumSpec::Default)));
        let named = [("x-amz-sdk-checksum-algorithm", "SHA256")];
        assert!(matches!(
            with(&named),
            Ok(ChecksumSpec::Compute(Algorithm::Sha256))
        ));
        let crc = ("x-amz-checksum-crc32", "AAAAAA==");
        assert!(matches!(
            with(&[crc]),
            Ok(ChecksumSpec::Expect(Algorithm::Crc32, _))
        ));
        assert_eq!(with(&[crc, named[0]]).unwrap_err(), "InvalidRequest");
        assert_eq!(
            with(&[crc, ("x-amz-checksum-crc32c", "AAAAAA==")]).unwrap_err(),
            "InvalidRequest"
        );
        assert_eq!(
            with(&[("x-amz-checksum-crc32", "AAAA")]).unwrap_err(),
            "InvalidRequest"
        );
        assert_eq!(
            with(&[("x-amz-sdk-checksum-algorithm", "MD4")]).unwrap_err(),
            "InvalidRequest"
        );
        let length = ("content-length", "1");
        let trailer = claims(&[length, ("x-amz-trailer", "x-amz-checksum-crc32c")]).unwrap();
        assert!(matches!(
            trailer.checksum,
            ChecksumSpec::Trailer(Algorithm::Crc32c, _)
        ));
        assert_eq!(
            claims(&[length, ("x-amz-trailer", "expires")]).unwrap_err(),
            "InvalidRequest"
        );
        assert_eq!(
            claims(&[length, crc, ("x-amz-trailer", "x-amz-checksum-crc32")]).unwrap_err(),
            "InvalidRequest"
        );
    }
}
