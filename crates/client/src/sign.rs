//! AWS Signature Version 4 for what this client sends: service and region `stead`.
//!
//! After the AWS documentation ("Create a signed AWS API request"). Written apart from the server's, so that
//! one cannot hide a mistake of the other.

use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, HOST, InvalidHeaderValue};
use http::{HeaderMap, HeaderValue, Method};
use sha2::{Digest, Sha256};
use stead_event::Timestamp;

/// Of a body that is not hashed beforehand.
pub(crate) const UNSIGNED: &str = "UNSIGNED-PAYLOAD";
const SIGNED: &str = "host;x-amz-content-sha256;x-amz-date";
const SCOPE: &str = "stead/stead/aws4_request";

/// An access key and its secret. Prints nothing of the secret.
#[derive(Clone)]
pub struct Key {
    access_key: String,
    secret: String,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Key").field(&self.access_key).finish()
    }
}

fn hmac(key: &[u8], text: &str) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

impl Key {
    /// An access key and its secret.
    pub fn new(access_key: &str, secret: &str) -> Self {
        Self {
            access_key: access_key.to_owned(),
            secret: secret.to_owned(),
        }
    }

    /// Signs a request whose path and query are percent-encoded as RFC 3986 wants it, which
    /// [`Url`](crate::Url) sees to. `headers` must have the host; `payload` is the body's SHA-256 in
    /// hexadecimal, or [`UNSIGNED`].
    pub(crate) fn sign(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        headers: &mut HeaderMap,
        payload: &str,
        now: Timestamp,
    ) -> Result<(), InvalidHeaderValue> {
        let moment: String = now
            .to_string()
            .chars()
            .filter(|c| !matches!(c, '-' | ':'))
            .take(15)
            .collect();
        let moment = format!("{moment}Z");
        let date = &moment[..8];
        let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
        pairs.sort_unstable();
        let host = headers.get(HOST).map(HeaderValue::as_bytes).unwrap_or_default();
        let canonical = format!(
            "{method}\n{path}\n{}\nhost:{}\nx-amz-content-sha256:{payload}\nx-amz-date:{moment}\n\n{SIGNED}\n{payload}",
            pairs.join("&"),
            String::from_utf8_lossy(host),
        );
        let hash = hex::encode(Sha256::digest(canonical));
        let text = format!("AWS4-HMAC-SHA256\n{moment}\n{date}/{SCOPE}\n{hash}");
        let key = hmac(format!("AWS4{}", self.secret).as_bytes(), date);
        let key = SCOPE.split('/').fold(key, |key, part| hmac(&key, part));
        let signature = hex::encode(hmac(&key, &text));
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{date}/{SCOPE}, SignedHeaders={SIGNED}, Signature={signature}",
            self.access_key
        );
        headers.insert("x-amz-date", HeaderValue::from_str(&moment)?);
        headers.insert("x-amz-content-sha256", HeaderValue::from_str(payload)?);
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&value)?);
        Ok(())
    }
}
