//! Server-side encryption, which Stead does not do: what asks for it is refused, and what asks for it wrongly gets
//! the error that Amazon has for that. Nobody is left to believe that something is encrypted.

use crate::service::S3Gateway;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::HeaderMap;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

const METHOD: &str = "x-amz-server-side-encryption";
const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const KMS_CONTEXT: &str = "x-amz-server-side-encryption-context";
const CUSTOMER: &str = "x-amz-server-side-encryption-customer-";
const SOURCE: &str = "x-amz-copy-source-server-side-encryption-customer-";
/// The methods that S3 knows.
const METHODS: [&str; 3] = ["AES256", "aws:kms", "aws:kms:dsse"];

fn not_done() -> S3Error {
    s3_error!(NotImplemented, "Server-side encryption is not implemented.")
}

fn has(headers: &HeaderMap, prefix: &str) -> bool {
    headers.keys().any(|name| name.as_str().starts_with(prefix))
}

/// Refuses a new object that is to be encrypted.
pub fn refuse(headers: &HeaderMap) -> S3Result<()> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let method = text(METHOD);
    if has(headers, CUSTOMER) {
        if method.is_some() {
            return Err(s3_error!(
                InvalidArgument,
                "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
            ));
        }
        customer_key(headers)?;
        return Err(not_done());
    }
    let with_kms = method.is_some_and(|method| method.starts_with("aws:kms"));
    if (text(KMS_KEY).is_some() || text(KMS_CONTEXT).is_some()) && !with_kms {
        return Err(s3_error!(
            InvalidArgument,
            "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms"
        ));
    }
    match method {
        None => Ok(()),
        Some(method) if METHODS.contains(&method) => Err(not_done()),
        Some(_) => Err(s3_error!(
            InvalidArgument,
            "The encryption method specified is not supported"
        )),
    }
}

/// Whether the three headers of a customer's key fit each other.
fn customer_key(headers: &HeaderMap) -> S3Result<()> {
    let text = |name: &str| {
        headers
            .get(format!("{CUSTOMER}{name}"))
            .map(|value| value.to_str().unwrap_or_default())
    };
    let wrong = |what: &'static str| s3_error!(InvalidArgument, "{what}");
    let algorithm = text("algorithm").ok_or_else(|| {
        wrong(
            "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption \
             algorithm.",
        )
    })?;
    if algorithm != "AES256" {
        return Err(s3_error!(
            InvalidEncryptionAlgorithmError,
            "The encryption request you specified is not valid. Supported value: AES256."
        ));
    }
    let key = text("key").ok_or_else(|| {
        wrong(
            "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret \
             key.",
        )
    })?;
    let key = BASE64.decode(key).ok().filter(|key| key.len() == 32);
    let key = key.ok_or_else(|| wrong("The secret key was invalid for the specified algorithm."))?;
    let md5 = text("key-md5").ok_or_else(|| {
        wrong(
            "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated \
             MD5 of the secret key.",
        )
    })?;
    if md5 != BASE64.encode(Md5::checksum(&key)) {
        return Err(wrong(
            "The calculated MD5 hash of the key did not match the hash that was provided.",
        ));
    }
    Ok(())
}

/// Refuses to read with a key what is not encrypted.
pub fn refuse_key(headers: &HeaderMap) -> S3Result<()> {
    if has(headers, CUSTOMER) || has(headers, SOURCE) {
        return Err(s3_error!(
            InvalidRequest,
            "The encryption parameters are not applicable to this object."
        ));
    }
    Ok(())
}

impl S3Gateway {
    pub(crate) async fn put_bucket_encryption(
        &self,
        request: S3Request<PutBucketEncryptionInput>,
    ) -> S3Result<S3Response<PutBucketEncryptionOutput>> {
        let input = request.input;
        self.bucket(&input.bucket)?;
        let rules = input.server_side_encryption_configuration.rules;
        let known = rules.iter().all(|rule| {
            let default = rule.apply_server_side_encryption_by_default.as_ref();
            default.is_some_and(|default| METHODS.contains(&default.sse_algorithm.as_str()))
        });
        if rules.len() != 1 || !known {
            return Err(s3_error!(MalformedXML));
        }
        Err(not_done())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn code(pairs: &[(&'static str, &'static str)]) -> Option<String> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        let refused = refuse(&headers.collect());
        refused.err().map(|error| error.code().as_str().to_owned())
    }

    const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
    const KEY: &str = "x-amz-server-side-encryption-customer-key";
    const MD5: &str = "x-amz-server-side-encryption-customer-key-md5";

    #[test]
    fn what_is_whole_is_not_done_and_what_is_not_is_wrong() {
        assert_eq!(code(&[]), None);
        let not_done = Some("NotImplemented".to_owned());
        let wrong = Some("InvalidArgument".to_owned());
        for method in METHODS {
            assert_eq!(code(&[(METHOD, method)]), not_done);
        }
        assert_eq!(code(&[(METHOD, "ROT13")]), wrong);
        assert_eq!(code(&[(KMS_KEY, "k")]), wrong);
        assert_eq!(code(&[(METHOD, "AES256"), (KMS_KEY, "k")]), wrong);
        assert_eq!(code(&[(METHOD, "aws:kms"), (KMS_KEY, "k")]), not_done);
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        let md5 = "cLyPS3KoaSFGi/joRB3OUQ==";
        assert_eq!(code(&[(KEY, key), (MD5, md5)]), wrong);
        assert_eq!(code(&[(ALGORITHM, "AES256"), (MD5, md5)]), wrong);
        assert_eq!(code(&[(ALGORITHM, "AES256"), (KEY, key)]), wrong);
        assert_eq!(code(&[(ALGORITHM, "AES256"), (KEY, "AAAA"), (MD5, md5)]), wrong);
        assert_eq!(code(&[(ALGORITHM, "AES256"), (KEY, key), (MD5, "AAAA")]), wrong);
        assert_eq!(code(&[(ALGORITHM, "AES256"), (KEY, key), (MD5, md5)]), not_done);
        let unknown = Some("InvalidEncryptionAlgorithmError".to_owned());
        assert_eq!(code(&[(ALGORITHM, "DES"), (KEY, key), (MD5, md5)]), unknown);
        assert_eq!(code(&[(METHOD, "AES256"), (ALGORITHM, "AES256")]), wrong);
    }
}
