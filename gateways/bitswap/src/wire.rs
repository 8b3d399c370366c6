//! Messages on a stream: a length, seven bits a byte, and the message.

use crate::message::{MESSAGE_MAX, Message};
use bytes::Bytes;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Memory that messages which are being read or written may take, shared by all peers, in KiB.
#[derive(Clone)]
pub(crate) struct Memory(Arc<Semaphore>);

impl Memory {
    pub(crate) fn new(mib: usize) -> Self {
        Self(Arc::new(Semaphore::new(mib << 10)))
    }

    /// Waits for room for so many bytes; it is given back when the answer is dropped.
    pub(crate) async fn take(&self, bytes: usize) -> Option<tokio::sync::OwnedSemaphorePermit> {
        let kib = u32::try_from(bytes.div_ceil(1024)).ok()?;
        self.0.clone().acquire_many_owned(kib).await.ok()
    }
}

fn invalid(why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

/// The length of the next message; `None` at the end of the stream.
pub(crate) async fn read_length(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<usize>> {
    let mut length = 0usize;
    for at in 0..4 {
        let mut byte = [0];
        if stream.read(&mut byte).await? == 0 {
            return if at == 0 {
                Ok(None)
            } else {
                Err(ErrorKind::UnexpectedEof.into())
            };
        }
        length |= usize::from(byte[0] & 0x7f) << (7 * at);
        if byte[0] & 0x80 == 0 {
            if length > MESSAGE_MAX {
                break;
            }
            return Ok(Some(length));
        }
    }
    Err(invalid("a message is too large"))
}

/// The message of that length. Memory grows with what comes, not with what was announced.
pub(crate) async fn read_message(stream: &mut (impl AsyncRead + Unpin), length: usize) -> Result<Message> {
    let mut bytes = Vec::with_capacity(length.min(64 << 10));
    stream.take(length as u64).read_to_end(&mut bytes).await?;
    if bytes.len() < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Message::decode(&Bytes::from(bytes)).ok_or_else(|| invalid("a message is malformed"))
}

/// Writes a message.
pub(crate) async fn write(stream: &mut (impl AsyncWrite + Unpin), message: &Message) -> Result<()> {
    let bytes = message.encode();
    let mut length = Vec::with_capacity(4);
    stead_gateway::ipfs::unixfs::pb_message::put_varint(&mut length, bytes.len() as u64);
    stream.write_all(&length).await?;
    stream.write_all(&bytes).await?;
    stream.flush().await
}
