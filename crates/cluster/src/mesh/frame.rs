//! One message on a stream: its length (four bytes, big-endian), then its DAG-CBOR.

use iroh::endpoint::{ReadExactError, RecvStream, SendStream};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A longer message is refused: an append may have 16 MiB, blocks are sent 4 MiB at a time.
pub(super) const MAX: usize = 24 * 1024 * 1024;
/// The same for who is no member: all that it may say is that it wants to join.
pub(super) const STRANGERS_MAX: usize = 64 * 1024;

/// Why a message did not come or go.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// The connection or the stream.
    #[error("{0}")]
    Stream(String),
    /// It is longer than any message may be.
    #[error("a message of {0} bytes is too long")]
    TooLong(usize),
    /// It is not what is spoken here.
    #[error("a message does not decode: {0}")]
    Decode(String),
}

pub(super) async fn write<T: Serialize>(stream: &mut SendStream, message: &T) -> Result<(), FrameError> {
    let body = serde_ipld_dagcbor::to_vec(message).map_err(|e| FrameError::Decode(e.to_string()))?;
    let length = u32::try_from(body.len()).ok().filter(|_| body.len() <= MAX);
    let length = length.ok_or(FrameError::TooLong(body.len()))?;
    let failed = |e: iroh::endpoint::WriteError| FrameError::Stream(e.to_string());
    stream.write_all(&length.to_be_bytes()).await.map_err(failed)?;
    stream.write_all(&body).await.map_err(failed)
}

pub(super) async fn read<T: DeserializeOwned>(stream: &mut RecvStream, max: usize) -> Result<T, FrameError> {
    let failed = |e: ReadExactError| FrameError::Stream(e.to_string());
    let mut length = [0; 4];
    stream.read_exact(&mut length).await.map_err(failed)?;
    let length = u32::from_be_bytes(length) as usize;
    if length > max {
        return Err(FrameError::TooLong(length));
    }
    // Room is made as bytes come, so that a claim alone costs nothing.
    let mut body = Vec::with_capacity(length.min(64 * 1024));
    while body.len() < length {
        let wanted = (length - body.len()).min(1024 * 1024);
        let begin = body.len();
        body.resize(begin + wanted, 0);
        stream.read_exact(&mut body[begin..]).await.map_err(failed)?;
    }
    serde_ipld_dagcbor::from_slice(&body).map_err(|e| FrameError::Decode(e.to_string()))
}
