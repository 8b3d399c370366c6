//! CAR files on their way in, version 1 and 2: cut into blocks, each of which is checked against its name.
//!
//! Whatever a file claims, no more is held in memory than one block, and a file ends at the first thing that
//! is wrong with it.

use super::IpfsError;
use crate::objects::{BodyError, ObjectError};
use bytes::{Buf, Bytes, BytesMut};
use futures::{Stream, StreamExt};
use ipld_core::ipld::Ipld;
use std::pin::Pin;
use stead_block::{MAX_BLOCK_BYTES, ipld};
use stead_event::Cid;

/// The largest header, in bytes.
const HEADER_MAX: u64 = 1 << 20;
/// The largest section: a block and its CID, in bytes.
const SECTION_MAX: u64 = MAX_BLOCK_BYTES as u64 + 256;
/// Roots that a header may name.
const ROOTS_MAX: usize = 1000;
/// What a file of version 2 begins with: a header of ten bytes that says so.
const V2: [u8; 11] = [0x0a, 0xa1, 0x67, b'v', b'e', b'r', b's', b'i', b'o', b'n', 0x02];
/// Bytes of the fixed header of version 2.
const V2_HEADER: usize = 40;

/// A body as it comes in.
pub type Incoming<'a> = Pin<&'a mut (dyn Stream<Item = Result<Bytes, BodyError>> + Send + 'a)>;

/// A CAR that is being read.
pub struct CarReader<'a> {
    body: Incoming<'a>,
    buffer: BytesMut,
    /// Bytes that the blocks may still have, in a file of version 2.
    left: Option<u64>,
    /// What the header names.
    pub roots: Vec<Cid>,
}

fn wrong(why: impl Into<String>) -> ObjectError {
    IpfsError::Car(why.into()).into()
}

impl<'a> CarReader<'a> {
    /// Reads the header.
    pub async fn open(body: Incoming<'a>) -> Result<Self, ObjectError> {
        let mut car = Self {
            body,
            buffer: BytesMut::new(),
            left: None,
            roots: Vec::new(),
        };
        if car.fill(V2.len()).await? && car.buffer[..V2.len()] == V2 {
            car.skip_to_data().await?;
        }
        let header = car
            .section(HEADER_MAX)
            .await?
            .ok_or_else(|| wrong("it is empty"))?;
        car.roots = roots(&header)?;
        Ok(car)
    }

    /// Behind the header of version 2, to where the blocks begin.
    async fn skip_to_data(&mut self) -> Result<(), ObjectError> {
        let short = || wrong("its header of version 2 is cut off");
        if !self.fill(V2.len() + V2_HEADER).await? {
            return Err(short());
        }
        let number = |at: usize| {
            let bytes = self.buffer.get(V2.len() + at..V2.len() + at + 8)?;
            Some(u64::from_le_bytes(bytes.try_into().ok()?))
        };
        let (offset, size) = (number(16).ok_or_else(short)?, number(24).ok_or_else(short)?);
        let begin = (V2.len() + V2_HEADER) as u64;
        if offset < begin || offset > begin + HEADER_MAX || size == 0 {
            return Err(wrong("its header of version 2 does not say where its blocks are"));
        }
        // At most a mebibyte behind the header, which was checked.
        if !self.fill(offset as usize).await? {
            return Err(short());
        }
        self.buffer.advance(offset as usize);
        self.left = Some(size);
        Ok(())
    }

    /// Reads until so many bytes are there; `false` where the file ends before.
    async fn fill(&mut self, bytes: usize) -> Result<bool, ObjectError> {
        while self.buffer.len() < bytes {
            match self.body.next().await {
                Some(more) => self.buffer.extend_from_slice(&more?),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The length that a section begins with; `None` at the end of the file.
    async fn length(&mut self) -> Result<Option<u64>, ObjectError> {
        if self.left == Some(0) || !self.fill(1).await? {
            return match self.left {
                None | Some(0) => Ok(None),
                Some(_) => Err(wrong("it ends before its blocks do")),
            };
        }
        let mut length = 0u64;
        for at in 0..5 {
            if !self.fill(at + 1).await? {
                return Err(wrong("it ends within a length"));
            }
            let byte = self.buffer[at];
            length |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                self.take(at as u64 + 1)?;
                return Ok(Some(length));
            }
        }
        Err(wrong("a section's length is not one"))
    }

    /// Takes bytes off the buffer, which has them.
    fn take(&mut self, bytes: u64) -> Result<Bytes, ObjectError> {
        if let Some(left) = &mut self.left {
            *left = left
                .checked_sub(bytes)
                .ok_or_else(|| wrong("a section reaches behind the blocks' end"))?;
        }
        // A section has at most a few mebibytes, which was checked.
        Ok(self.buffer.split_to(bytes as usize).freeze())
    }

    async fn section(&mut self, max: u64) -> Result<Option<Bytes>, ObjectError> {
        let Some(length) = self.length().await? else {
            return Ok(None);
        };
        if length == 0 {
            return Err(wrong("a section has no bytes"));
        }
        if length > max {
            return Err(wrong(format!(
                "a section has {length} bytes; at most {max} are taken"
            )));
        }
        if !self.fill(length as usize).await? {
            return Err(wrong("it ends within a block"));
        }
        self.take(length).map(Some)
    }

    /// The next block, checked; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<(Cid, Bytes)>, ObjectError> {
        let Some(mut section) = self.section(SECTION_MAX).await? else {
            return Ok(None);
        };
        let mut reader = section.as_ref();
        let cid = Cid::read_bytes(&mut reader).map_err(|_| wrong("a section does not begin with a CID"))?;
        let begin = section.len() - reader.len();
        section.advance(begin);
        check(&cid, &section)?;
        // A copy, so that a small block does not keep a large buffer.
        Ok(Some((cid, Bytes::copy_from_slice(&section))))
    }
}

/// That a block is its CID's, and of a kind that is understood.
pub fn check(cid: &Cid, bytes: &[u8]) -> Result<(), IpfsError> {
    let unsupported = |why| IpfsError::Unsupported {
        cid: Box::new(*cid),
        why,
    };
    if !ipld::is_known(cid.codec()) {
        return Err(unsupported("its codec is not understood"));
    }
    ipld::check(cid, bytes).map_err(|error| match error {
        stead_block::BlockError::Mismatch(_) => IpfsError::Mismatch(Box::new(*cid)),
        stead_block::BlockError::TooLarge(_) => unsupported("it is larger than 2 MiB"),
        _ => unsupported("only sha2-256 and identity are understood"),
    })
}

fn roots(header: &[u8]) -> Result<Vec<Cid>, ObjectError> {
    let Ok(Ipld::Map(map)) = serde_ipld_dagcbor::from_slice::<Ipld>(header) else {
        return Err(wrong("its header is not one"));
    };
    if map.get("version") != Some(&Ipld::Integer(1)) {
        return Err(wrong("its version is neither 1 nor 2"));
    }
    let Some(Ipld::List(roots)) = map.get("roots") else {
        return Err(wrong("its header has no roots"));
    };
    if roots.len() > ROOTS_MAX {
        return Err(IpfsError::Limit(format!("a CAR has more than {ROOTS_MAX} roots")).into());
    }
    let cids = roots.iter().map(|root| match root {
        Ipld::Link(cid) => Ok(*cid),
        _ => Err(wrong("a root in its header is not a CID")),
    });
    cids.collect()
}
