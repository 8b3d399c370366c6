//! Signing keys: derived by four HMACs, and kept, since they change once a day.

use super::Claim;
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::RwLock;
use sha2::Sha256;

/// Keys kept; the oldest gives way.
const KEPT: usize = 128;

pub(super) fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

fn derive(secret: &str, claim: &Claim) -> [u8; 32] {
    let date = hmac(format!("AWS4{secret}").as_bytes(), claim.date.as_bytes());
    let region = hmac(&date, claim.region.as_bytes());
    let service = hmac(&region, claim.service.as_bytes());
    hmac(&service, b"aws4_request")
}

struct Kept {
    access_key: String,
    secret: String,
    date: String,
    region: String,
    service: String,
    key: [u8; 32],
}

impl Kept {
    fn is(&self, secret: &str, claim: &Claim) -> bool {
        self.access_key == claim.access_key
            && self.date == claim.date
            && self.region == claim.region
            && self.service == claim.service
            && self.secret == secret
    }
}

/// A bounded cache of signing keys by (access key, date, region, service).
#[derive(Default)]
pub struct SigningKeys(RwLock<Vec<Kept>>);

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKeys")
    }
}

impl SigningKeys {
    /// None kept.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn get(&self, secret: &str, claim: &Claim) -> [u8; 32] {
        if let Some(kept) = self.0.read().iter().rev().find(|kept| kept.is(secret, claim)) {
            return kept.key;
        }
        let key = derive(secret, claim);
        let mut kept = self.0.write();
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Kept {
            access_key: claim.access_key.clone(),
            secret: secret.to_owned(),
            date: claim.date.clone(),
            region: claim.region.clone(),
            service: claim.service.clone(),
            key,
        });
        key
    }
}
