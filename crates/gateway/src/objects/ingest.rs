//! A body to blocks: chunks, hashes, blocks, and the checks of everything that was claimed about it.
//!
//! A body of at most 64 KiB becomes one block that travels inside the append. It is hashed where it
//! arrives where it has at most 16 KiB: a hop to another thread costs more (10 to 20 µs) than the hashes
//! of so few bytes. A larger body is cut into chunks of 1 MiB and three things overlap: receiving the next
//! chunk, the digests that must see the bytes in order (MD5, the checksum), and naming and writing the
//! leaf. At most six chunks are in memory: one being filled, one waiting to be handed on, and one waiting
//! and one in work in each of the two stages; mostly the stages share them.

use super::chunks::{CHUNK_BYTES, Chunk, Chunks};
use super::cipher::Cipher;
use super::digest::{Claims, Digester, Digests};
use super::lanes::Lanes;
use super::{BodyError, ObjectError, Verify};
use crate::ReadContext;
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};
use std::pin::Pin;
use stead_block::unixfs::DagBuilder;
use stead_block::{Block, BlockWriter, Durability};
use stead_event::body::Checksum;
use stead_event::{Cid, cids};
use stead_log::command::INLINE_MAX;
use stead_runtime::blocking;
use tokio::sync::mpsc;

/// Bodies of at most this many bytes are hashed where they arrive.
const HASH_IN_PLACE: usize = 16 * 1024;

/// A body as it comes in, boxed by nobody: the caller pins it.
pub(super) type Incoming<'a> = Pin<&'a mut (dyn Stream<Item = Result<Bytes, BodyError>> + Send + 'a)>;

/// What the large bodies of a writer share. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Intake {
    chunks: Chunks,
    lanes: Lanes,
}

/// A body that is blocks now, all claims about it found true. Its blocks are durable or in `inline`.
pub(super) struct Ingested {
    pub(super) cid: Cid,
    pub(super) size: u64,
    pub(super) md5: [u8; 16],
    pub(super) checksum: Checksum,
    /// To be appended beside the event.
    pub(super) inline: Vec<(Cid, Bytes)>,
    /// The list of its blocks' stripes, where they are in some.
    pub(super) stripes: Option<Cid>,
    /// To be held until the append is answered.
    pub(super) pin: Option<stead_block::Pin>,
}

/// How a body is kept.
pub(super) struct Keeping {
    /// What is stored is encrypted with it, where there is one.
    pub cipher: Option<Cipher>,
    /// How its blocks are kept on several nodes.
    pub durability: Durability,
}

/// Takes a body of at most `max` bytes in.
pub(super) async fn ingest(
    context: &ReadContext,
    intake: &Intake,
    mut body: Incoming<'_>,
    verify: Verify,
    max: u64,
    keeping: Keeping,
) -> Result<Ingested, ObjectError> {
    let claims = Claims::new(verify)?;
    let limit = Limit {
        announced: claims.length,
        max,
    };
    limit.admits(claims.length.unwrap_or(0))?;
    let announced_small = claims.length.is_none_or(|length| length <= INLINE_MAX as u64);
    let start = if announced_small {
        gather(&mut body, &limit).await?
    } else {
        Start::Large(Bytes::new())
    };
    match start {
        Start::Whole(bytes) => small(bytes, claims, keeping.cipher).await,
        Start::Large(head) => {
            if !context.space.admits(claims.length.unwrap_or(0)) {
                return Err(ObjectError::Full);
            }
            large(context, intake, (head, body), claims, limit, keeping).await
        }
    }
}

/// How many bytes a body may have.
struct Limit {
    announced: Option<u64>,
    max: u64,
}

impl Limit {
    /// Whether a body that has `size` bytes so far can still become a right one.
    fn admits(&self, size: u64) -> Result<(), ObjectError> {
        if size > self.max {
            return Err(ObjectError::TooLarge {
                what: "the body",
                size,
                max: self.max,
            });
        }
        match self.announced {
            Some(expected) if size > expected => Err(ObjectError::Length { expected, got: size }),
            _ => Ok(()),
        }
    }
}

enum Start {
    Whole(Bytes),
    Large(Bytes),
}

/// Reads until the end, or until it is too much to go inline. One frame that is the whole body is not
/// copied.
async fn gather(body: &mut Incoming<'_>, limit: &Limit) -> Result<Start, ObjectError> {
    let mut first = Bytes::new();
    let mut buffer = BytesMut::new();
    while let Some(frame) = body.next().await {
        let frame = frame?;
        let size = first.len() + buffer.len() + frame.len();
        limit.admits(size as u64)?;
        if first.is_empty() && buffer.is_empty() {
            first = frame;
        } else {
            if buffer.is_empty() {
                buffer.reserve(
                    limit
                        .announced
                        .map_or(2 * size, |length| length as usize)
                        .max(size),
                );
                buffer.extend_from_slice(&std::mem::take(&mut first));
            }
            buffer.extend_from_slice(&frame);
        }
        if size > INLINE_MAX {
            return Ok(Start::Large(whole(first, buffer)));
        }
    }
    Ok(Start::Whole(whole(first, buffer)))
}

fn whole(first: Bytes, buffer: BytesMut) -> Bytes {
    if buffer.is_empty() { first } else { buffer.freeze() }
}

async fn small(bytes: Bytes, claims: Claims, cipher: Option<Cipher>) -> Result<Ingested, ObjectError> {
    let algorithm = claims.algorithm;
    let hash = move |bytes: Bytes| {
        let sha256: [u8; 32] = Sha256::digest(&bytes).into();
        let digests = Digests::of_block(&bytes, sha256, algorithm);
        match cipher {
            None => (cids::from_digest(cids::RAW, sha256), bytes, digests),
            Some(cipher) => {
                let stored = encrypted(&cipher, 0, &bytes);
                (cids::raw(&stored), stored, digests)
            }
        }
    };
    let (cid, bytes, digests) = if bytes.len() <= HASH_IN_PLACE {
        hash(bytes)
    } else {
        blocking(move || hash(bytes)).await
    };
    let checksum = claims.check(&digests)?;
    let Digests { size, md5, .. } = digests;
    Ok(Ingested {
        cid,
        size,
        md5,
        checksum,
        inline: vec![(cid, bytes)],
        stripes: None,
        pin: None,
    })
}

fn encrypted(cipher: &Cipher, offset: u64, bytes: &[u8]) -> Bytes {
    let mut bytes = bytes.to_vec();
    cipher.apply(offset, &mut bytes);
    bytes.into()
}

async fn large(
    context: &ReadContext,
    intake: &Intake,
    (head, body): (Bytes, Incoming<'_>),
    claims: Claims,
    limit: Limit,
    keeping: Keeping,
) -> Result<Ingested, ObjectError> {
    let (to_digest, digest_in) = mpsc::channel(1);
    let (to_store, store_in) = mpsc::channel(1);
    let digester = Digester::new(claims.algorithm, claims.sha256.is_some());
    let cutter = Cutter {
        chunks: &intake.chunks,
        chunk: intake.chunks.take(),
        size: 0,
        outs: [to_digest, to_store],
    };
    let (received, digests, stored) = tokio::join!(
        receive(cutter, head, body, limit),
        digest_stage(digester, &intake.lanes, digest_in),
        store_stage(
            context.store.writer_of(keeping.durability),
            store_in,
            keeping.cipher
        ),
    );
    // Where storing failed, receiving has stopped because of it.
    let (mut writer, dag) = stored?;
    received?;
    let checksum = claims.check(&digests)?;
    let finished = dag.finish();
    for block in finished.blocks {
        writer.write(block).await?;
    }
    let written = writer.finish().await?;
    let Digests { size, md5, .. } = digests;
    Ok(Ingested {
        cid: finished.root,
        size,
        md5,
        checksum,
        inline: Vec::new(),
        stripes: written.stripes,
        pin: Some(written.pin),
    })
}

/// Cuts frames into chunks and hands each to both stages.
struct Cutter<'a> {
    chunks: &'a Chunks,
    chunk: Chunk,
    size: u64,
    outs: [mpsc::Sender<Bytes>; 2],
}

impl Cutter<'_> {
    /// Answers `false` where a stage has given up.
    async fn push(&mut self, mut frame: Bytes) -> bool {
        self.size += frame.len() as u64;
        while !frame.is_empty() {
            if self.chunk.fill(&mut frame) && !self.hand_on().await {
                return false;
            }
        }
        true
    }

    async fn hand_on(&mut self) -> bool {
        let full = std::mem::replace(&mut self.chunk, self.chunks.take()).share();
        for out in &self.outs {
            if out.send(full.clone()).await.is_err() {
                return false;
            }
        }
        true
    }
}

async fn receive(
    mut cutter: Cutter<'_>,
    head: Bytes,
    mut body: Incoming<'_>,
    limit: Limit,
) -> Result<(), ObjectError> {
    let mut going = cutter.push(head).await;
    while going {
        let Some(frame) = body.next().await else { break };
        let frame = frame?;
        limit.admits(cutter.size + frame.len() as u64)?;
        going = cutter.push(frame).await;
    }
    if let Some(expected) = limit.announced.filter(|length| going && *length != cutter.size) {
        return Err(ObjectError::Length {
            expected,
            got: cutter.size,
        });
    }
    if going && !cutter.chunk.is_empty() {
        cutter.hand_on().await;
    }
    Ok(())
}

async fn digest_stage(mut digester: Digester, lanes: &Lanes, mut chunks: mpsc::Receiver<Bytes>) -> Digests {
    while let Some(chunk) = chunks.recv().await {
        let Digester { md5, mut others } = digester;
        let beside = chunk.clone();
        let others = blocking(move || {
            others.update(&beside);
            others
        });
        let (md5, others) = tokio::join!(lanes.update(md5, chunk), others);
        digester = Digester { md5, others };
    }
    digester.finish()
}

async fn store_stage(
    mut writer: BlockWriter,
    mut chunks: mpsc::Receiver<Bytes>,
    cipher: Option<Cipher>,
) -> Result<(BlockWriter, DagBuilder), ObjectError> {
    let mut dag = DagBuilder::new();
    let mut offset = 0;
    while let Some(bytes) = chunks.recv().await {
        debug_assert!(bytes.len() <= CHUNK_BYTES);
        let (cipher, start) = (cipher.clone(), offset);
        offset += bytes.len() as u64;
        (writer, dag) = blocking(move || {
            let size = bytes.len() as u64;
            let leaf = Block::raw(match &cipher {
                None => bytes,
                Some(cipher) => encrypted(cipher, start, &bytes),
            });
            writer.write_blocking(&leaf)?;
            for node in dag.push(leaf.cid, size) {
                writer.write_blocking(&node)?;
            }
            Ok::<_, ObjectError>((writer, dag))
        })
        .await?;
        writer.keep_pace().await?;
    }
    Ok((writer, dag))
}
