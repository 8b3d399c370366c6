//! Checksums that S3 clients send, ask for and get back.

use super::ObjectError;
use super::digest::Sum;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::fmt;
use std::str::FromStr;

/// A checksum algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// CRC-32 (ISO-HDLC), 4 bytes.
    Crc32,
    /// CRC-32C (Castagnoli), 4 bytes.
    Crc32c,
    /// CRC-64/NVME, 8 bytes; what AWS computes where a client names none.
    Crc64Nvme,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// As S3 names it: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1`, `SHA256`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header or trailer that carries it: `x-amz-checksum-crc32`, …
    pub fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The algorithm of a header or trailer, by its lower-case name.
    pub fn from_header(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.header() == name)
    }

    /// Bytes of a value.
    pub fn width(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No algorithm has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a checksum algorithm; known are CRC32, CRC32C, CRC64NVME, SHA1 and SHA256")]
pub struct UnknownAlgorithm(pub String);

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL
            .into_iter()
            .find(|a| a.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| UnknownAlgorithm(name.chars().take(40).collect()))
    }
}

/// Gives the trailer's value in base64, after the body has ended; `None` where the trailer is missing.
pub type TrailerValue = Box<dyn FnOnce() -> Option<String> + Send>;

/// Which checksum of a body to compute, and against what to check it.
#[derive(Default)]
pub enum ChecksumSpec {
    /// None was named: CRC-64/NVME is computed and kept, as AWS does.
    #[default]
    Default,
    /// Computed and kept.
    Compute(Algorithm),
    /// Computed, kept, and must be this (base64).
    Expect(Algorithm, String),
    /// Computed, kept, and must be what the trailer says once the body has ended.
    Trailer(Algorithm, TrailerValue),
}

impl ChecksumSpec {
    /// The algorithm to compute.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Default => Algorithm::Crc64Nvme,
            Self::Compute(a) | Self::Expect(a, _) | Self::Trailer(a, _) => *a,
        }
    }
}

impl fmt::Debug for ChecksumSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::Compute(a) => f.debug_tuple("Compute").field(a).finish(),
            Self::Expect(a, value) => f.debug_tuple("Expect").field(a).field(value).finish(),
            Self::Trailer(a, _) => f.debug_tuple("Trailer").field(a).finish(),
        }
    }
}

/// Everything a client claims about a body. What is claimed is checked before anything is appended.
#[derive(Debug, Default)]
pub struct Verify {
    /// Its length in bytes (decoded, where the transfer is encoded).
    pub content_length: Option<u64>,
    /// `Content-MD5`.
    pub md5: Option<[u8; 16]>,
    /// The signed `x-amz-content-sha256`, where the protocol's own library does not check it.
    pub sha256: Option<[u8; 32]>,
    /// The checksum.
    pub checksum: ChecksumSpec,
}

/// A checksum that the body must have.
pub(super) enum Expected {
    Nothing,
    Sum(Sum, String),
}

impl Expected {
    /// Reads base64 of the algorithm's width.
    pub(super) fn read(algorithm: Algorithm, text: String) -> Result<Self, ObjectError> {
        match read_sum(algorithm, &text) {
            Some(sum) => Ok(Self::Sum(sum, text)),
            None => Err(ObjectError::ChecksumText {
                algorithm,
                value: text.chars().take(100).collect(),
            }),
        }
    }
}

/// A checksum from its base64, where it has the algorithm's width.
pub(super) fn read_sum(algorithm: Algorithm, text: &str) -> Option<Sum> {
    let bytes = BASE64.decode(text.trim()).ok()?;
    (bytes.len() == algorithm.width()).then(|| Sum::of(&bytes))
}
