//! Encryption of objects: AES-256 in counter mode, under a key of its own for each run of bytes.
//!
//! The key of a run (an object that is put whole, or one part) comes by HKDF-SHA-256 (RFC 5869) from the
//! holder's key and the run's random salt, so no two runs share a key stream and the counter begins at zero. Any
//! range can be read without what is before it. There is no authentication tag: what is stored is named by its
//! hash, in a chain of hashes, and checked whenever it is read.
//!
//! Whose key it is: the node's (S3's SSE-S3; `secret.key`, which lies outside the log), or one that comes with each
//! request (SSE-C) and is kept nowhere. The event has the salt, and a value derived from key and salt by which another
//! key is told before any byte is.

use super::ObjectError;
use crate::SecretBox;
use aes::Aes256;
use aes::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use bytes::{Bytes, BytesMut};
use ctr::Ctr64BE;
use hkdf::Hkdf;
use sha2::Sha256;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use stead_event::body::{Encryption, KeyHolder, Part};
use stead_runtime::Rng;
use stead_view::ObjectRecord;
use subtle::ConstantTimeEq;

const BYTES_INFO: &[u8] = b"stead object bytes 1";
/// Which of the node's derived keys it is.
const NODE_PURPOSE: &str = "object encryption";
const CHECK_INFO: &[u8] = b"stead object check 1";

/// A 256-bit key that a client sends with its request; prints nothing of itself.
#[derive(Clone)]
pub struct CustomerKey(Arc<[u8; 32]>);

impl CustomerKey {
    /// Of its 32 bytes.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Arc::new(key))
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey")
    }
}

/// How an object is to be encrypted.
#[derive(Clone, Debug, Default)]
pub enum Protect {
    /// As its bucket's configuration says; not at all where that says nothing.
    #[default]
    AsBucket,
    /// With the node's key.
    Node,
    /// With the client's.
    Customer(CustomerKey),
}

/// What keys are derived from.
#[derive(Clone)]
pub(super) enum Secret {
    Node(SecretBox),
    Customer(CustomerKey),
}

impl Secret {
    fn derive(&self, salt: &[u8], info: &[u8]) -> [u8; 32] {
        match self {
            Self::Node(secrets) => derive(&secrets.sign(NODE_PURPOSE, &[]), salt, info),
            Self::Customer(key) => derive(&*key.0, salt, info),
        }
    }

    fn check(&self, salt: &[u8]) -> String {
        hex::encode(&self.derive(salt, CHECK_INFO)[..16])
    }

    /// A new run's cipher, and its salt.
    pub(super) fn begin(&self, rng: &Rng) -> (Cipher, String) {
        let salt: [u8; 16] = rng.bytes();
        (self.cipher(&salt), hex::encode(salt))
    }

    fn cipher(&self, salt: &[u8]) -> Cipher {
        Cipher(Arc::new(self.derive(salt, BYTES_INFO)))
    }

    /// What an event says of a run of this salt.
    pub(super) fn describe(&self, salt: String) -> Encryption {
        let holder = match self {
            Self::Node(_) => KeyHolder::Node,
            Self::Customer(_) => KeyHolder::Customer,
        };
        let bytes = hex::decode(&salt).unwrap_or_default();
        Encryption {
            check: self.check(&bytes),
            holder,
            salt,
        }
    }
}

/// HKDF-SHA-256 of one output block.
fn derive(key: &[u8], salt: &[u8], info: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    // The only limit is 255 blocks of output.
    Hkdf::<Sha256>::new(Some(salt), key)
        .expand(info, &mut out)
        .expect("one block can be had");
    out
}

/// The key stream of one run.
#[derive(Clone)]
pub(super) struct Cipher(Arc<[u8; 32]>);

impl Cipher {
    /// Encrypts or decrypts the bytes that begin at `offset` of the run.
    pub(super) fn apply(&self, offset: u64, bytes: &mut [u8]) {
        let mut stream = Ctr64BE::<Aes256>::new((&*self.0).into(), &[0; 16].into());
        stream.seek(offset);
        stream.apply_keystream(bytes);
    }
}

/// The runs of an object, in order, as a reader goes through them.
pub(super) struct Runs {
    runs: Vec<(Range<u64>, Cipher)>,
    at: u64,
}

impl Runs {
    /// Those of a stored object: an error where the key is missing or another one.
    pub(super) fn of(
        record: &ObjectRecord,
        secrets: &SecretBox,
        key: Option<&CustomerKey>,
    ) -> Result<Option<Self>, ObjectError> {
        let Some(encryption) = &record.encryption else {
            return match key {
                Some(_) => Err(ObjectError::NotEncrypted),
                None => Ok(None),
            };
        };
        let secret = open(encryption, secrets, key)?;
        let damaged = || ObjectError::Damaged("an object's salt".into());
        let cipher = |salt: &str| -> Result<Cipher, ObjectError> {
            Ok(secret.cipher(&hex::decode(salt).map_err(|_| damaged())?))
        };
        let runs = if record.parts.iter().all(|part| part.salt.is_none()) {
            vec![(0..record.size, cipher(&encryption.salt)?)]
        } else {
            let mut start = 0;
            let run = |part: &Part| {
                let range = start..start + part.size;
                start = range.end;
                Ok((range, cipher(part.salt.as_deref().ok_or_else(damaged)?)?))
            };
            record.parts.iter().map(run).collect::<Result<_, ObjectError>>()?
        };
        Ok(Some(Self { runs, at: 0 }))
    }

    /// From this byte of the object on.
    pub(super) fn from(mut self, offset: u64) -> Self {
        self.at = offset;
        self
    }

    /// Decrypts what comes next.
    pub(super) fn next(&mut self, bytes: Bytes) -> Bytes {
        let mut bytes = bytes
            .try_into_mut()
            .unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        let mut rest = &mut bytes[..];
        let first = self.runs.partition_point(|(range, _)| range.end <= self.at);
        for (range, cipher) in &self.runs[first..] {
            let here = (range.end - self.at).min(rest.len() as u64) as usize;
            let (now, later) = rest.split_at_mut(here);
            cipher.apply(self.at - range.start, now);
            self.at += here as u64;
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        bytes.freeze()
    }
}

/// What an object or an upload is encrypted from, where that is at hand and the right one.
pub(super) fn open(
    encryption: &Encryption,
    secrets: &SecretBox,
    key: Option<&CustomerKey>,
) -> Result<Secret, ObjectError> {
    let secret = match (encryption.holder, key) {
        (KeyHolder::Node, None) => Secret::Node(secrets.clone()),
        (KeyHolder::Node, Some(_)) => return Err(ObjectError::NotEncrypted),
        (KeyHolder::Customer, Some(key)) => Secret::Customer(key.clone()),
        (KeyHolder::Customer, None) => return Err(ObjectError::KeyNeeded),
    };
    let salt = hex::decode(&encryption.salt).unwrap_or_default();
    let right = secret.check(&salt).as_bytes().ct_eq(encryption.check.as_bytes());
    if bool::from(right) {
        Ok(secret)
    } else {
        Err(ObjectError::WrongKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_range_is_decrypted_alone() {
        let secret = Secret::Customer(CustomerKey::new([7; 32]));
        let (cipher, salt) = secret.begin(&Rng::seeded(1));
        let plain: Vec<u8> = (0..5000_u32).map(|n| n as u8).collect();
        let mut stored = plain.clone();
        for (at, chunk) in stored.chunks_mut(999).enumerate() {
            cipher.apply(at as u64 * 999, chunk);
        }
        assert_ne!(stored, plain);
        for start in [0, 1, 15, 16, 17, 999, 4998] {
            let mut part = stored[start..].to_vec();
            cipher.apply(start as u64, &mut part);
            assert_eq!(part, plain[start..], "{start}");
        }
        let again = secret.cipher(&hex::decode(salt).unwrap());
        again.apply(0, &mut stored);
        assert_eq!(stored, plain);
    }

    #[test]
    fn another_key_is_told() {
        let secrets = SecretBox::new([1; 32]);
        let key = CustomerKey::new([7; 32]);
        let secret = Secret::Customer(key.clone());
        let encryption = secret.describe(secret.begin(&Rng::seeded(1)).1);
        assert!(open(&encryption, &secrets, Some(&key)).is_ok());
        let other = CustomerKey::new([8; 32]);
        assert!(matches!(
            open(&encryption, &secrets, Some(&other)),
            Err(ObjectError::WrongKey)
        ));
        assert!(matches!(
            open(&encryption, &secrets, None),
            Err(ObjectError::KeyNeeded)
        ));
        let own = Secret::Node(secrets.clone());
        let encryption = own.describe(own.begin(&Rng::seeded(2)).1);
        assert!(open(&encryption, &secrets, None).is_ok());
        assert!(open(&encryption, &SecretBox::new([2; 32]), None).is_err());
    }
}
