//! Answers the kernel's requests until the file system is unmounted.

use super::Trouble;
use super::image::{Answer, DIRECTORY, Image, errno};
use super::wire::{MAX_WRITE, Reply, Request, op};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// In blocks of 4 KiB, while there is room: half of the disk.
const FREE_BLOCKS: u64 = 8 << 20;

/// Serves; returns when the mount is gone.
pub fn serve(mut device: File, image: &Mutex<Image>, trouble: &Trouble) {
    let mut buffer = vec![0; MAX_WRITE as usize + 8_192];
    loop {
        let length = match device.read(&mut buffer) {
            Ok(length) => length,
            // ENOENT: the request was interrupted before it was read.
            Err(why) if matches!(why.kind(), ErrorKind::Interrupted | ErrorKind::NotFound) => continue,
            Err(_) => return, // ENODEV: unmounted
        };
        let Some(request) = Request::parse(&buffer[..length]) else {
            return;
        };
        if matches!(request.op, op::FORGET | op::BATCH_FORGET | op::INTERRUPT) {
            continue; // these have no answer
        }
        if matches!(request.op, op::FSYNC | op::FSYNCDIR) {
            std::thread::sleep(Duration::from_millis(trouble.sync_ms.load(Ordering::Relaxed)));
        }
        let mut image = image.lock().unwrap_or_else(PoisonError::into_inner);
        let result = if trouble.full.load(Ordering::Relaxed) {
            answer_when_full(&request, &mut image)
        } else {
            answer(&request, &mut image)
        };
        drop(image);
        if device.write_all(&Reply::finish(request.unique, result)).is_err() && request.op == op::DESTROY {
            return;
        }
    }
}

/// What is on the disk can be changed; nothing more finds a place.
fn answer_when_full(request: &Request<'_>, image: &mut Image) -> Answer<Reply> {
    let more = match request.op {
        op::STATFS => return Ok(Reply::default().statfs(0)),
        op::FALLOCATE => true,
        op::WRITE => image.takes_room(request.node, request.u64(8), u64::from(request.u32(16)))?,
        _ => false,
    };
    if more {
        Err(errno::ENOSPC)
    } else {
        answer(request, image)
    }
}

fn answer(request: &Request<'_>, image: &mut Image) -> Answer<Reply> {
    let (node, none) = (request.node, Reply::default());
    match request.op {
        op::INIT => Ok(none.init(request.u32(8))),
        op::STATFS => Ok(none.statfs(FREE_BLOCKS)),
        op::OPEN | op::OPENDIR => image.inode(node).map(|_| none.open()),
        op::RELEASE | op::RELEASEDIR | op::FLUSH | op::DESTROY => Ok(none),
        op::GETATTR => image.inode(node).map(|inode| none.attr(node, inode)),
        op::FSYNC | op::FSYNCDIR => image.sync(node).map(|()| none),
        op::READ => image
            .read(node, request.u64(8), u64::from(request.u32(16)))
            .map(Reply),
        op::WRITE => {
            let bytes = request.body.get(40..).ok_or(errno::EIO)?;
            image.write(node, request.u64(8), bytes)?;
            Ok(none.u32(bytes.len() as u32).u32(0))
        }
        op::SETATTR => set_attributes(request, image),
        op::FALLOCATE => allocate(request, image).map(|()| none),
        op::READDIR => list(request, image),
        _ => names(request, image),
    }
}

/// What changes or looks up names.
fn names(request: &Request<'_>, image: &mut Image) -> Answer<Reply> {
    let (node, none) = (request.node, Reply::default());
    let made = |image: &mut Image, at: usize, mode: u32| {
        let id = image.make(node, request.names(at).0, mode, request.owner)?;
        Ok(Reply::default().entry(id, image.inode(id)?))
    };
    match request.op {
        op::LOOKUP => {
            let id = image.lookup(node, request.names(0).0)?;
            Ok(none.entry(id, image.inode(id)?))
        }
        op::MKDIR => made(image, 8, request.u32(0) & !request.u32(4) & 0o7777 | DIRECTORY),
        op::MKNOD => made(image, 16, request.u32(0)),
        op::CREATE => made(image, 16, request.u32(4)).map(Reply::open),
        op::UNLINK | op::RMDIR => image.remove(node, request.names(0).0).map(|()| none),
        op::LINK => {
            let id = request.u64(0);
            image.link(id, node, request.names(8).0)?;
            Ok(none.entry(id, image.inode(id)?))
        }
        op::RENAME => {
            let (from, to) = request.names(8);
            image
                .rename((node, from), (request.u64(0), to), false)
                .map(|()| none)
        }
        op::RENAME2 => {
            let ((from, to), flags) = (request.names(16), request.u32(8));
            if flags & !1 != 0 {
                return Err(errno::EINVAL); // exchange and whiteout
            }
            image
                .rename((node, from), (request.u64(0), to), flags == 1)
                .map(|()| none)
        }
        _ => Err(errno::ENOSYS),
    }
}

fn set_attributes(request: &Request<'_>, image: &mut Image) -> Answer<Reply> {
    let (node, valid) = (request.node, request.u32(0));
    if valid & 1 << 3 != 0 {
        image.resize(node, request.u64(16))?;
    }
    let inode = image.inode_mut(node)?;
    if valid & 1 != 0 {
        inode.mode = inode.mode & !0o7777 | request.u32(68) & 0o7777;
    }
    if valid & 1 << 1 != 0 {
        inode.uid = request.u32(76);
    }
    if valid & 1 << 2 != 0 {
        inode.gid = request.u32(80);
    }
    if valid & 1 << 5 != 0 {
        inode.modified = (request.u64(40), request.u32(60));
    }
    Ok(Reply::default().attr(node, inode))
}

fn allocate(request: &Request<'_>, image: &mut Image) -> Answer<()> {
    let (offset, length, mode) = (request.u64(8), request.u64(16), request.u32(24));
    match mode {
        0 => {
            let end = offset + length;
            if end > image.inode(request.node)?.length() {
                image.resize(request.node, end)
            } else {
                Ok(())
            }
        }
        1 => Ok(()), // reserve without making the file longer
        _ => Err(errno::EOPNOTSUPP),
    }
}

fn list(request: &Request<'_>, image: &mut Image) -> Answer<Reply> {
    let (offset, room) = (request.u64(8), request.u32(16) as usize);
    let mut reply = Reply::default();
    for (at, entry) in (1..).zip(image.entries(request.node)?).skip(offset as usize) {
        if !reply.dirent(room, at, &entry) {
            break;
        }
    }
    Ok(reply)
}
