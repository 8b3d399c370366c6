//! The FUSE protocol, as much of it as a server in memory needs (Linux's `include/uapi/linux/fuse.h`, 7.31).

use super::image::Inode;

/// Kinds of request.
#[allow(missing_docs)] // the names are the protocol's
pub mod op {
    pub const LOOKUP: u32 = 1;
    pub const FORGET: u32 = 2;
    pub const GETATTR: u32 = 3;
    pub const SETATTR: u32 = 4;
    pub const MKNOD: u32 = 8;
    pub const MKDIR: u32 = 9;
    pub const UNLINK: u32 = 10;
    pub const RMDIR: u32 = 11;
    pub const RENAME: u32 = 12;
    pub const LINK: u32 = 13;
    pub const OPEN: u32 = 14;
    pub const READ: u32 = 15;
    pub const WRITE: u32 = 16;
    pub const STATFS: u32 = 17;
    pub const RELEASE: u32 = 18;
    pub const FSYNC: u32 = 20;
    pub const FLUSH: u32 = 25;
    pub const INIT: u32 = 26;
    pub const OPENDIR: u32 = 27;
    pub const READDIR: u32 = 28;
    pub const RELEASEDIR: u32 = 29;
    pub const FSYNCDIR: u32 = 30;
    pub const CREATE: u32 = 35;
    pub const INTERRUPT: u32 = 36;
    pub const DESTROY: u32 = 38;
    pub const BATCH_FORGET: u32 = 42;
    pub const FALLOCATE: u32 = 43;
    pub const RENAME2: u32 = 45;
}

/// The most bytes that one write carries.
pub const MAX_WRITE: u32 = 256 * 1024;
/// Seconds for which the kernel may believe what it was told: nobody else changes anything.
const BELIEVE_S: u64 = 3_600;

/// One request.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// See [`op`].
    pub op: u32,
    /// Names the answer.
    pub unique: u64,
    /// The inode it is about.
    pub node: u64,
    /// Who asks: user and group.
    pub owner: (u32, u32),
    /// What follows the header.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    const HEADER: usize = 40;

    /// Reads a request.
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let body = bytes.get(Self::HEADER..)?;
        let owner = (u32_at(bytes, 24), u32_at(bytes, 28));
        Some(Self {
            op: u32_at(bytes, 4),
            unique: u64_at(bytes, 8),
            node: u64_at(bytes, 16),
            owner,
            body,
        })
    }

    /// The number at an offset of the body.
    pub fn u32(&self, at: usize) -> u32 {
        u32_at(self.body, at)
    }

    /// The number at an offset of the body.
    pub fn u64(&self, at: usize) -> u64 {
        u64_at(self.body, at)
    }

    /// The names (each ended by a zero byte) from an offset of the body on.
    pub fn names(&self, at: usize) -> (&'a [u8], &'a [u8]) {
        let mut names = self.body.get(at..).unwrap_or_default().split(|byte| *byte == 0);
        (names.next().unwrap_or_default(), names.next().unwrap_or_default())
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes
        .get(at..at + 4)
        .and_then(|four| four.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes
        .get(at..at + 8)
        .and_then(|eight| eight.try_into().ok())
        .map_or(0, u64::from_le_bytes)
}

/// Builds the body of an answer.
#[derive(Default)]
pub struct Reply(pub Vec<u8>);

impl Reply {
    /// Adds a number.
    pub fn u16(mut self, value: u16) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds a number.
    pub fn u32(mut self, value: u32) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds a number.
    pub fn u64(mut self, value: u64) -> Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn attributes(self, id: u64, inode: &Inode) -> Self {
        let (seconds, nanoseconds) = inode.modified;
        let length = inode.length();
        self.u64(id)
            .u64(length)
            .u64(length.div_ceil(512))
            .u64(seconds)
            .u64(seconds)
            .u64(seconds)
            .u32(nanoseconds)
            .u32(nanoseconds)
            .u32(nanoseconds)
            .u32(inode.mode)
            .u32(1) // links
            .u32(inode.uid)
            .u32(inode.gid)
            .u32(0) // device
            .u32(4_096) // block size
            .u32(0)
    }

    /// `fuse_entry_out`
    pub fn entry(self, id: u64, inode: &Inode) -> Self {
        self.u64(id)
            .u64(0)
            .u64(BELIEVE_S)
            .u64(BELIEVE_S)
            .u32(0)
            .u32(0)
            .attributes(id, inode)
    }

    /// `fuse_attr_out`
    pub fn attr(self, id: u64, inode: &Inode) -> Self {
        self.u64(BELIEVE_S).u32(0).u32(0).attributes(id, inode)
    }

    /// `fuse_open_out`; the kernel may keep what it has cached.
    pub fn open(self) -> Self {
        self.u64(0).u32(2).u32(0)
    }

    /// `fuse_init_out`: asynchronous reads, large writes.
    pub fn init(self, readahead: u32) -> Self {
        let flags = 1 | 1 << 5 | 1 << 22;
        let reply = self
            .u32(7)
            .u32(31)
            .u32(readahead)
            .u32(flags)
            .u16(64)
            .u16(48)
            .u32(MAX_WRITE)
            .u32(1);
        let reply = reply.u16((MAX_WRITE / 4_096) as u16).u16(0);
        (0..8).fold(reply, |reply, _| reply.u32(0))
    }

    /// `fuse_statfs_out`: a disk of 64 GiB.
    pub fn statfs(self, free_blocks: u64) -> Self {
        let blocks = 16 << 20;
        let reply = self
            .u64(blocks)
            .u64(free_blocks)
            .u64(free_blocks)
            .u64(1 << 20)
            .u64(1 << 19);
        let reply = reply.u32(4_096).u32(255).u32(4_096).u32(0);
        (0..6).fold(reply, |reply, _| reply.u32(0))
    }

    /// `fuse_dirent`; false where it no longer fits into `room`.
    pub fn dirent(&mut self, room: usize, next: u64, (name, id, mode): &(Vec<u8>, u64, u32)) -> bool {
        let length = (24 + name.len()).next_multiple_of(8);
        if self.0.len() + length > room {
            return false;
        }
        let end = self.0.len() + length;
        let mut reply = Self(std::mem::take(&mut self.0))
            .u64(*id)
            .u64(next)
            .u32(name.len() as u32)
            .u32(mode >> 12);
        reply.0.extend_from_slice(name);
        reply.0.resize(end, 0);
        *self = reply;
        true
    }

    /// The whole answer with its header.
    pub fn finish(unique: u64, result: Result<Self, i32>) -> Vec<u8> {
        let (error, body) = match result {
            Ok(reply) => (0, reply.0),
            Err(error) => (-error, Vec::new()),
        };
        let mut out = Self::default()
            .u32(16 + body.len() as u32)
            .u32(error as u32)
            .u64(unique)
            .0;
        out.extend_from_slice(&body);
        out
    }
}
