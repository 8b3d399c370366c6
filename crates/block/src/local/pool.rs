//! A few large buffers that are used again, so that reading large blocks does not map and zero memory each
//! time.

use bytes::Bytes;
use parking_lot::Mutex;
use std::sync::{Arc, Weak};

/// Buffers kept while nobody uses them.
const KEPT: usize = 8;

#[derive(Default)]
pub(crate) struct Pool(Mutex<Vec<Vec<u8>>>);

struct Pooled {
    buffer: Vec<u8>,
    pool: Weak<Pool>,
}

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            let mut kept = pool.0.lock();
            if kept.len() < KEPT {
                let mut buffer = std::mem::take(&mut self.buffer);
                buffer.clear();
                kept.push(buffer);
            }
        }
    }
}

impl Pool {
    /// An empty buffer.
    pub fn take(&self) -> Vec<u8> {
        self.0.lock().pop().unwrap_or_default()
    }

    /// Bytes that give their buffer back when the last of them is dropped.
    pub fn wrap(self: &Arc<Self>, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Pooled {
            buffer,
            pool: Arc::downgrade(self),
        })
    }
}
