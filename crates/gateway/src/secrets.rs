//! Secrets at rest: sealed with XChaCha20-Poly1305 under the node's storage key.
//!
//! The log is readable text, so a secret in an event is a sealed one. The key that opens it lies outside
//! the log, in `<data>/secret.key`, mode 0600: who has only the log (a backup, a replica) has no secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{Key, KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use stead_runtime::Rng;

const NONCE_BYTES: usize = 24;

/// Why a secret cannot be sealed or opened, or the storage key not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// `secret.key` cannot be read or made.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// The system's words.
        source: io::Error,
    },
    /// `secret.key` is not 32 bytes.
    #[error("{0} does not hold a 32-byte key")]
    Malformed(String),
    /// What was sealed does not open: it was sealed under another key, or changed.
    #[error("the sealed secret does not open with this node's secret.key")]
    Unopened,
}

/// Seals and opens secrets. Cheap to clone; prints nothing of its key.
#[derive(Clone)]
pub struct SecretBox(Arc<Inner>);

struct Inner {
    cipher: XChaCha20Poly1305,
    /// Derived, so that what is signed with it says nothing about the cipher's key.
    signing: [u8; 32],
}

impl std::fmt::Debug for SecretBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBox")
    }
}

impl SecretBox {
    /// Under a key that is known already.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Arc::new(Inner {
            cipher: XChaCha20Poly1305::new(&Key::from(key)),
            signing: hmac(&key, b"stead signing key 1"),
        }))
    }

    /// HMAC-SHA256 of `text` under a key of this node that signs and does nothing else. `purpose` keeps
    /// what is signed for one thing from being taken for another.
    pub fn sign(&self, purpose: &str, text: &[u8]) -> [u8; 32] {
        hmac(&hmac(&self.0.signing, purpose.as_bytes()), text)
    }

    /// Under the key in `path` (`<data>/secret.key`), which is made, mode 0600, where it is missing.
    pub fn open(path: &Path, rng: &Rng) -> Result<Self, SecretError> {
        let failed = |source| SecretError::File {
            path: path.display().to_string(),
            source,
        };
        match Self::read(path) {
            Err(SecretError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                make(path, rng.bytes()).map_err(failed)?;
                Self::read(path)
            }
            read => read,
        }
    }

    /// Under the key in `path`, which must be there.
    pub fn read(path: &Path) -> Result<Self, SecretError> {
        let failed = |source| SecretError::File {
            path: path.display().to_string(),
            source,
        };
        let mut bytes = Vec::with_capacity(33);
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(33).read_to_end(&mut bytes).map_err(failed)?;
        let key = bytes
            .try_into()
            .map_err(|_| SecretError::Malformed(path.display().to_string()))?;
        Ok(Self::new(key))
    }

    /// Seals `secret` for `access_key` (which it is bound to): base64 of nonce and ciphertext.
    pub fn seal(&self, access_key: &str, secret: &str, rng: &Rng) -> String {
        let nonce: [u8; NONCE_BYTES] = rng.bytes();
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: access_key.as_bytes(),
        };
        let sealed = self.0.cipher.encrypt(&XNonce::from(nonce), payload);
        // The cipher's only limit is 256 GiB a message.
        let sealed = sealed.expect("a secret is short");
        BASE64.encode([&nonce[..], &sealed].concat())
    }

    /// Opens what [`Self::seal`] made for the same access key.
    pub fn unseal(&self, access_key: &str, sealed: &str) -> Result<String, SecretError> {
        let sealed = BASE64.decode(sealed).map_err(|_| SecretError::Unopened)?;
        let (nonce, sealed) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SecretError::Unopened)?;
        let payload = Payload {
            msg: sealed,
            aad: access_key.as_bytes(),
        };
        let opened = self
            .0
            .cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| SecretError::Unopened)?;
        String::from_utf8(opened).map_err(|_| SecretError::Unopened)
    }
}

fn hmac(key: &[u8; 32], text: &[u8]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// Written whole under another name first, so that a crash leaves no half key.
fn make(path: &Path, key: [u8; 32]) -> io::Result<()> {
    let fresh = path.with_extension("key.new");
    match std::fs::remove_file(&fresh) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(&key)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        Some(dir) => std::fs::File::open(dir)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_sealed_opens_only_for_its_key_and_with_its_box() {
        let rng = Rng::seeded(1);
        let secrets = SecretBox::new([7; 32]);
        let sealed = secrets.seal("SDA", "s3cret", &rng);
        assert!(!sealed.contains("s3cret"));
        assert_ne!(sealed, secrets.seal("SDA", "s3cret", &rng));
        assert_eq!(secrets.unseal("SDA", &sealed).unwrap(), "s3cret");
        assert!(secrets.unseal("SDB", &sealed).is_err());
        assert!(SecretBox::new([8; 32]).unseal("SDA", &sealed).is_err());
        assert!(secrets.unseal("SDA", "AAAA").is_err() && secrets.unseal("SDA", "%").is_err());
    }

    #[test]
    fn the_key_file_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        assert!(SecretBox::read(&path).is_err());
        let sealed = SecretBox::open(&path, &Rng::seeded(1))
            .unwrap()
            .seal("k", "v", &Rng::seeded(2));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(
            SecretBox::open(&path, &Rng::seeded(3))
                .unwrap()
                .unseal("k", &sealed)
                .unwrap(),
            "v"
        );
        std::fs::write(&path, [0; 33]).unwrap();
        assert!(matches!(
            SecretBox::open(&path, &Rng::seeded(3)),
            Err(SecretError::Malformed(_))
        ));
    }
}
