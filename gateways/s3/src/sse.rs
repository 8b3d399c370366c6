//! Server-side encryption in headers: what a request asks for or brings along, and what an answer says.
//!
//! SSE-S3 is the node's key, SSE-C one that comes with each request. There is no key service, so SSE-KMS is refused.

use crate::errors;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use md5::{Digest as _, Md5};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};
use stead_event::body::KeyHolder;
use stead_gateway::ObjectError;
use stead_gateway::objects::{CustomerKey, Protect};
use subtle::ConstantTimeEq;

/// Asks for, and answers, encryption with the server's keys.
pub const ENCRYPTION: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");
const KMS_KEY: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-aws-kms-key-id");
const KMS_CONTEXT: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-context");
/// The only algorithm.
pub const AES256: &str = "AES256";

/// A trio of headers that bring a key.
pub struct Trio {
    algorithm: HeaderName,
    key: HeaderName,
    md5: HeaderName,
}

/// The key of the object that a request is about.
pub const OBJECT: Trio = Trio {
    algorithm: HeaderName::from_static("x-amz-server-side-encryption-customer-algorithm"),
    key: HeaderName::from_static("x-amz-server-side-encryption-customer-key"),
    md5: HeaderName::from_static("x-amz-server-side-encryption-customer-key-md5"),
};

/// The key of the object that is copied from.
pub const SOURCE: Trio = Trio {
    algorithm: HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-algorithm"),
    key: HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-key"),
    md5: HeaderName::from_static("x-amz-copy-source-server-side-encryption-customer-key-md5"),
};

fn invalid(text: &'static str) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidArgument, text)
}

impl Trio {
    /// The key that comes with a request.
    pub fn read(&self, headers: &HeaderMap) -> S3Result<Option<CustomerKey>> {
        let [algorithm, key, md5] = [&self.algorithm, &self.key, &self.md5].map(|name| headers.get(name));
        if algorithm.is_none() && key.is_none() && md5.is_none() {
            return Ok(None);
        }
        let Some(algorithm) = algorithm else {
            return Err(invalid(
                "Requests specifying Server Side Encryption with Customer provided keys must provide a valid \
                 encryption algorithm.",
            ));
        };
        if algorithm.as_bytes() != AES256.as_bytes() {
            return Err(errors::custom(
                "InvalidEncryptionAlgorithmError",
                http::StatusCode::BAD_REQUEST,
                "The encryption request you specified is not valid. The valid value is AES256.".into(),
            ));
        }
        let Some(key) = key else {
            return Err(invalid(
                "Requests specifying Server Side Encryption with Customer provided keys must provide an \
                 appropriate secret key.",
            ));
        };
        let Some(md5) = md5 else {
            return Err(invalid(
                "Requests specifying Server Side Encryption with Customer provided keys must provide the client \
                 calculated MD5 of the secret key.",
            ));
        };
        let bytes: Option<[u8; 32]> = BASE64
            .decode(key.as_bytes())
            .ok()
            .and_then(|key| key.try_into().ok());
        let Some(bytes) = bytes else {
            return Err(invalid("The secret key was invalid for the specified algorithm."));
        };
        let found = BASE64.encode(Md5::digest(bytes));
        if !bool::from(found.as_bytes().ct_eq(md5.as_bytes())) {
            return Err(invalid(
                "The calculated MD5 hash of the key did not match the hash that was provided.",
            ));
        }
        Ok(Some(CustomerKey::new(bytes)))
    }
}

/// How a new object is to be encrypted.
pub fn wanted(headers: &HeaderMap) -> S3Result<Protect> {
    let customer = OBJECT.read(headers)?;
    let method = headers.get(&ENCRYPTION).map(HeaderValue::as_bytes);
    let of_kms = [KMS_KEY, KMS_CONTEXT]
        .iter()
        .any(|name| headers.contains_key(name));
    if of_kms && !method.is_some_and(|method| method.starts_with(b"aws:kms")) {
        return Err(invalid(
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
        ));
    }
    match (headers.get(&ENCRYPTION), customer) {
        (None, None) => Ok(Protect::AsBucket),
        (None, Some(key)) => Ok(Protect::Customer(key)),
        (Some(_), Some(_)) => Err(invalid(
            "Server Side Encryption with Customer provided key is incompatible with the encryption method specified",
        )),
        (Some(method), None) => {
            check_method(method.to_str().unwrap_or_default())?;
            Ok(Protect::Node)
        }
    }
}

/// Whether a method of SSE is one that there is.
pub fn check_method(method: &str) -> S3Result<()> {
    match method {
        AES256 => Ok(()),
        "aws:kms" | "aws:kms:dsse" => Err(s3_error!(
            NotImplemented,
            "There is no key management service here: encrypt with AES256 or with keys of your own."
        )),
        _ => Err(invalid("The encryption method specified is not supported")),
    }
}

/// The key that comes with a read, which may not ask for a method.
pub fn of_read(headers: &HeaderMap) -> S3Result<Option<CustomerKey>> {
    if headers.contains_key(&ENCRYPTION) {
        return Err(invalid(
            "x-amz-server-side-encryption header is not supported for this operation.",
        ));
    }
    OBJECT.read(headers)
}

/// Says in an answer how the object is encrypted. What is said of a client's key is what the request said.
pub fn answer(answer: &mut HeaderMap, holder: Option<KeyHolder>, request: &HeaderMap) {
    match holder {
        None => {}
        Some(KeyHolder::Node) => {
            answer.insert(ENCRYPTION, HeaderValue::from_static(AES256));
        }
        Some(KeyHolder::Customer) => {
            answer.insert(OBJECT.algorithm, HeaderValue::from_static(AES256));
            if let Some(md5) = request.get(&OBJECT.md5) {
                answer.insert(OBJECT.md5, md5.clone());
            }
        }
    }
}

/// The error of a part whose key is not its upload's.
pub fn of_part(error: ObjectError) -> S3Error {
    match error {
        ObjectError::KeyNeeded => s3_error!(
            InvalidRequest,
            "The multipart upload initiate requested encryption. Subsequent part requests must include the \
             appropriate encryption parameters."
        ),
        ObjectError::WrongKey => s3_error!(
            InvalidRequest,
            "The provided encryption parameters did not match the ones used originally."
        ),
        error => errors::from_object(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&HeaderName, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&HeaderName, &str)| ((*name).clone(), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_key_is_taken_whole_or_not_at_all() {
        let key = BASE64.encode([7; 32]);
        let md5 = BASE64.encode(Md5::digest([7; 32]));
        let Trio {
            algorithm,
            key: k,
            md5: m,
        } = &OBJECT;
        let code = |pairs: &[(&HeaderName, &str)]| match wanted(&headers(pairs)) {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.code().as_str().to_owned(),
        };
        assert_eq!(code(&[(algorithm, AES256), (k, &key), (m, &md5)]), "ok");
        assert_eq!(code(&[(k, &key), (m, &md5)]), "InvalidArgument");
        assert_eq!(code(&[(algorithm, AES256), (m, &md5)]), "InvalidArgument");
        assert_eq!(code(&[(algorithm, AES256), (k, &key)]), "InvalidArgument");
        assert_eq!(
            code(&[(algorithm, AES256), (k, "AAAA"), (m, &md5)]),
            "InvalidArgument"
        );
        assert_eq!(
            code(&[(algorithm, AES256), (k, &key), (m, "AAAA")]),
            "InvalidArgument"
        );
        assert_eq!(
            code(&[(algorithm, "AES128"), (k, &key), (m, &md5)]),
            "InvalidEncryptionAlgorithmError"
        );
        let both = [(algorithm, AES256), (k, &key), (m, &md5), (&ENCRYPTION, AES256)];
        assert_eq!(code(&both), "InvalidArgument");
    }

    #[test]
    fn a_method_is_there_or_refused() {
        assert!(matches!(
            wanted(&headers(&[(&ENCRYPTION, AES256)])),
            Ok(Protect::Node)
        ));
        assert!(matches!(wanted(&HeaderMap::new()), Ok(Protect::AsBucket)));
        let code = |method| check_method(method).unwrap_err().code().as_str().to_owned();
        assert_eq!(code("aws:kms"), "NotImplemented");
        assert_eq!(code("aes256"), "InvalidArgument");
        assert!(of_read(&headers(&[(&ENCRYPTION, AES256)])).is_err());
    }
}
