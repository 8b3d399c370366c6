//! Signing: for clients of our own, and for tests.

use super::canonical::{ALGORITHM, basic, encode_into, request_hash, scope, string_to_sign};
use super::keys::{SigningKeys, hmac};
use super::{Claim, Signable, UNSIGNED_PAYLOAD};
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, InvalidHeaderValue};
use http::{HeaderMap, Method};
use stead_event::Timestamp;

/// Headers that a proxy or the HTTP library may change, and that are therefore not signed.
const UNSIGNED: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "expect",
    "user-agent",
];

/// Signs requests for one access key. Prints nothing of its secret.
pub struct Signer {
    access_key: String,
    secret: String,
    region: String,
    service: String,
    keys: SigningKeys,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer")
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

impl Signer {
    /// For an access key and its secret, in `region`, for `s3`.
    pub fn new(access_key: &str, secret: &str, region: &str) -> Self {
        Self {
            access_key: access_key.to_owned(),
            secret: secret.to_owned(),
            region: region.to_owned(),
            service: "s3".into(),
            keys: SigningKeys::new(),
        }
    }

    /// The same for another service, named in the scope of its signatures.
    pub fn for_service(self, service: &str) -> Self {
        Self {
            service: service.to_owned(),
            ..self
        }
    }

    fn claim(&self, signed_headers: Vec<String>, payload: &str, at: Timestamp) -> Claim {
        let date = basic(at)[..8].to_owned();
        Claim {
            access_key: self.access_key.clone(),
            date,
            region: self.region.clone(),
            service: self.service.clone(),
            signed_headers,
            signature: [0; 32],
            at,
            expires_secs: None,
            payload: payload.to_owned(),
        }
    }

    fn signature(&self, request: &Signable<'_>, claim: &Claim) -> String {
        let hash = request_hash(request, &claim.signed_headers, &claim.payload);
        let key = self.keys.get(&self.secret, claim);
        hex::encode(hmac(&key, string_to_sign(claim, &hash).as_bytes()))
    }

    /// Adds `x-amz-date`, `x-amz-content-sha256` and `authorization` to `headers` (which must have
    /// `host`). `payload` is the body's SHA-256 in hexadecimal, or [`UNSIGNED_PAYLOAD`].
    pub fn sign(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        headers: &mut HeaderMap,
        payload: &str,
        now: Timestamp,
    ) -> Result<(), InvalidHeaderValue> {
        headers.insert(
            HeaderName::from_static("x-amz-date"),
            HeaderValue::from_str(&basic(now))?,
        );
        headers.insert(
            HeaderName::from_static("x-amz-content-sha256"),
            HeaderValue::from_str(payload)?,
        );
        let mut names: Vec<String> = headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.retain(|name| !UNSIGNED.contains(&name.as_str()));
        names.sort_unstable();
        let claim = self.claim(names, payload, now);
        let signature = self.signature(
            &Signable {
                method,
                path,
                query,
                headers,
            },
            &claim,
        );
        let (access_key, scope, signed) = (&self.access_key, scope(&claim), claim.signed_headers.join(";"));
        let value = format!(
            "{ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={signed}, Signature={signature}"
        );
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&value)?);
        Ok(())
    }

    /// The query (without `?`) of a presigned URL for `host`, valid for `expires_secs`.
    pub fn presign(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        host: &str,
        expires_secs: u64,
        now: Timestamp,
    ) -> String {
        let claim = self.claim(vec!["host".into()], UNSIGNED_PAYLOAD, now);
        let mut credential = String::new();
        let plain = format!("{}/{}", self.access_key, scope(&claim));
        encode_into(&mut credential, plain.bytes(), false);
        let joint = if query.is_empty() { "" } else { "&" };
        let query = format!(
            "{query}{joint}X-Amz-Algorithm={ALGORITHM}&X-Amz-Credential={credential}&X-Amz-Date={}\
             &X-Amz-Expires={expires_secs}&X-Amz-SignedHeaders=host",
            basic(now)
        );
        let mut headers = HeaderMap::new();
        if let Ok(host) = HeaderValue::from_str(host) {
            headers.insert(http::header::HOST, host);
        }
        let request = Signable {
            method,
            path,
            query: &query,
            headers: &headers,
        };
        let signature = self.signature(&request, &claim);
        format!("{query}&X-Amz-Signature={signature}")
    }
}
