//! What one Raft entry carries: several appends, encoded once.

use bytes::Bytes;
use parking_lot::Mutex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;
use stead_log::Append;

/// An append with its DAG-CBOR form, made by whoever proposes it.
pub(crate) struct Encoded {
    pub append: Append,
    pub cbor: Bytes,
}

/// Appends in one Raft entry. The encoded form is what is stored and sent; the decoded one, where this
/// process made it, is handed to the machine once, so that the usual path never decodes.
#[derive(Clone)]
pub struct Batch {
    cbor: Bytes,
    decoded: Arc<Mutex<Option<Vec<Append>>>>,
}

impl Batch {
    /// Joins encoded appends: a DAG-CBOR array is its head and its items, so nothing is encoded again.
    pub(crate) fn join(items: Vec<Encoded>) -> Self {
        let mut cbor = Vec::with_capacity(9 + items.iter().map(|item| item.cbor.len()).sum::<usize>());
        array_head(items.len() as u64, &mut cbor);
        let mut appends = Vec::with_capacity(items.len());
        for item in items {
            cbor.extend_from_slice(&item.cbor);
            appends.push(item.append);
        }
        Self {
            cbor: cbor.into(),
            decoded: Arc::new(Mutex::new(Some(appends))),
        }
    }

    /// From its stored form; decoded when it is needed.
    pub(crate) fn from_cbor(cbor: Bytes) -> Self {
        Self {
            cbor,
            decoded: Arc::default(),
        }
    }

    /// The stored form.
    pub(crate) fn cbor(&self) -> &Bytes {
        &self.cbor
    }

    /// The appends: those that were put in, the first time, else decoded.
    pub(crate) fn take(&self) -> Result<Vec<Append>, String> {
        if let Some(appends) = self.decoded.lock().take() {
            return Ok(appends);
        }
        serde_ipld_dagcbor::from_slice(&self.cbor).map_err(|error| error.to_string())
    }
}

/// The head of a CBOR array (RFC 8949, section 3, major type 4), shortest form.
fn array_head(items: u64, into: &mut Vec<u8>) {
    const ARRAY: u8 = 4 << 5;
    match items {
        0..24 => into.push(ARRAY | items as u8),
        24..0x100 => into.extend([ARRAY | 24, items as u8]),
        0x100..0x1_0000 => {
            into.push(ARRAY | 25);
            into.extend((items as u16).to_be_bytes());
        }
        _ => {
            into.push(ARRAY | 27);
            into.extend(items.to_be_bytes());
        }
    }
}

/// Encodes one append as DAG-CBOR.
pub(crate) fn encode(append: &Append) -> Result<Bytes, String> {
    serde_ipld_dagcbor::to_vec(append)
        .map(Bytes::from)
        .map_err(|error| error.to_string())
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Batch({} bytes)", self.cbor.len())
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl PartialEq for Batch {
    fn eq(&self, other: &Self) -> bool {
        self.cbor == other.cbor
    }
}

impl Serialize for Batch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.cbor)
    }
}

impl<'de> Deserialize<'de> for Batch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_bytes::ByteBuf::deserialize(deserializer).map(|bytes| Self::from_cbor(bytes.into_vec().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::append;

    #[test]
    fn blocks_are_cbor_byte_strings_and_joined_appends_decode() {
        for count in [1_usize, 23, 24, 255, 256] {
            let appends: Vec<_> = (0..count).map(|n| append(n as u64, 4096)).collect();
            let items = appends.iter().map(|append| Encoded {
                append: append.clone(),
                cbor: encode(append).expect("encodes"),
            });
            let batch = Batch::join(items.collect());
            assert!(
                batch.cbor().len() < count * (4096 + 600),
                "bytes are not arrays of numbers"
            );
            assert_eq!(
                batch.cbor()[..],
                serde_ipld_dagcbor::to_vec(&appends).expect("encodes")[..]
            );
            assert_eq!(batch.take().expect("was put in"), appends);
            assert_eq!(batch.take().expect("decodes"), appends);
        }
    }
}
