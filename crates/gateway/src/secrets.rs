//! Secrets at rest: sealed with XChaCha20-Poly1305 under the node's storage key.

use std::path::Path;
use stead_runtime::Rng;

/// Why a secret cannot be sealed or opened, or the storage key not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// `secret.key` cannot be read or made.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// The system's words.
        source: std::io::Error,
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
pub struct SecretBox {
    key: [u8; 32],
}

impl std::fmt::Debug for SecretBox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBox")
    }
}

impl SecretBox {
    /// Under a key that is known already.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Under the key in `path` (`<data>/secret.key`), which is made, mode 0600, where it is missing.
    pub fn open(path: &Path, rng: &Rng) -> Result<Self, SecretError> {
        let _ = (path, rng);
        todo!()
    }

    /// Seals `secret` for `access_key` (which it is bound to): base64 of nonce and ciphertext.
    pub fn seal(&self, access_key: &str, secret: &str, rng: &Rng) -> String {
        let _ = (self.key, access_key, secret, rng);
        todo!()
    }

    /// Opens what [`Self::seal`] made for the same access key.
    pub fn unseal(&self, access_key: &str, sealed: &str) -> Result<String, SecretError> {
        let _ = (access_key, sealed);
        todo!()
    }
}
