//! From Stead to files. Bytes go into `FILE.part` until all are there and checked; a copy that was
//! interrupted goes on behind what that file has.

use super::checksum::Sum;
use super::{Copied, Job};
use crate::client::{Url, broken, empty, request};
use crate::codes;
use crate::commands::path::Place;
use crate::commands::progress;
use crate::failure::Failure;
use http::header::{CONTENT_LENGTH, ETAG, IF_MATCH, RANGE};
use http::{HeaderMap, HeaderValue, Method, Response};
use http_body_util::BodyExt;
use indicatif::ProgressBar;
use percent_encoding::percent_decode_str;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use stead_runtime::blocking;

/// Read from a file at once.
const READ: usize = 1 << 20;

/// The file that a copy of `from` to `path` writes: in a folder it keeps its name.
pub(super) fn target(path: &Path, from: &Place) -> Result<PathBuf, Failure> {
    let folder = path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/');
    if !folder {
        return Ok(path.to_owned());
    }
    let name = from.key.rsplit('/').next().unwrap_or_default();
    safe(name).map(|name| path.join(name)).ok_or_else(|| {
        Failure::usage(format!("{from} has no name that a file could have")).next("name the file to copy to")
    })
}

/// A key as a relative path that stays below where it is put, and that no other key has; `None` where it
/// would not. The text is looked at, not the path's components: those take `a//b` and `a/./b` for `a/b`.
pub(super) fn safe(key: &str) -> Option<&Path> {
    let plain = key.split('/').all(|part| !matches!(part, "" | "." | ".."));
    plain.then(|| Path::new(key))
}

/// What is known of the object before its bytes come.
struct Head {
    etag: String,
    cid: String,
    size: u64,
    mtime: Option<String>,
}

impl Head {
    fn of(headers: &HeaderMap) -> Result<Self, Failure> {
        let text = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let missing = || Failure::new(codes::PROTOCOL, "the node's answer lacks size, ETag or CID");
        Ok(Self {
            etag: text(ETAG.as_str()).ok_or_else(missing)?,
            cid: text("x-stead-cid").ok_or_else(missing)?,
            size: text(CONTENT_LENGTH.as_str())
                .and_then(|size| size.parse().ok())
                .ok_or_else(missing)?,
            mtime: text("x-stead-meta-mtime")
                .map(|text| percent_decode_str(&text).decode_utf8_lossy().into_owned()),
        })
    }
}

/// Copies one object into a file. What an earlier copy left is gone on with; where the whole then turns
/// out not to be the object, it is fetched from its beginning.
pub(super) async fn file(job: &Job<'_>, from: &Place, path: &Path) -> Result<Copied, Failure> {
    if !job.restart
        && let Some(copied) = fetch(job, from, path, true).await?
    {
        return Ok(copied);
    }
    let path_text = path.display();
    fetch(job, from, path, false).await?.ok_or_else(|| {
        let message = format!("what arrived for {path_text} is not what Stead has as {from}");
        Failure::new(codes::MISMATCH, message)
    })
}

/// `None` where what arrived, with what was there, is not the object.
async fn fetch(job: &Job<'_>, from: &Place, path: &Path, resume: bool) -> Result<Option<Copied>, Failure> {
    let unwritable = |e: &std::io::Error| Failure::io(format_args!("cannot write {}", path.display()), e);
    let url = || {
        Url::new("/api/v1/objects")
            .segment(&from.bucket)
            .key(&from.key)
            .maybe("at", job.at.as_deref())
            .maybe("version", job.version.as_deref())
    };
    let head = Head::of(&job.client.head(url).await?)?;
    let part = part_path(path);
    let (there, mut sum) = if resume {
        begun(&part, &head).await
    } else {
        (0, Sum::default())
    };
    let bar = progress::bytes(&from.key, head.size, job.quiet);
    bar.set_position(there);

    let mut open = OpenOptions::new();
    let mut out = open
        .create(true)
        .append(true)
        .open(&part)
        .map_err(|e| unwritable(&e))?;
    out.set_len(there).map_err(|e| unwritable(&e))?;
    if there < head.size {
        let mut wanted = request(Method::GET, url(), empty())?;
        if let Ok(etag) = HeaderValue::from_str(&head.etag) {
            wanted.headers_mut().insert(IF_MATCH, etag);
        }
        let range = HeaderValue::from_str(&format!("bytes={there}-"));
        if let Ok(range) = range
            && there > 0
        {
            wanted.headers_mut().insert(RANGE, range);
        }
        let response = job.client.send(wanted).await?;
        receive(response, &mut out, &mut sum, &bar)
            .await
            .map_err(|failure| failure.next("give the same command again: it goes on where it stopped"))?;
    }
    bar.finish_and_clear();
    let ours = sum.finish().to_string();
    // An object whose parts were not whole MiB has a CID that its bytes alone do not give. What came in
    // one piece is then taken for what was sent; what was joined here is not.
    let unknowable = there == 0 && head.etag.contains('-');
    let complete = out.metadata().is_ok_and(|meta| meta.len() == head.size);
    if !complete || (ours != head.cid && !unknowable) {
        return Ok(None);
    }
    finish(&out, &part, path, &head).map_err(|e| unwritable(&e))?;
    Ok(Some(Copied {
        objects: 1,
        bytes: head.size,
        cid: Some(head.cid),
        position: None,
    }))
}

fn part_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// What an earlier copy left, and the checksum over it. A part of another size or an unreadable one is
/// begun again; one of other content is found at the end by its CID.
async fn begun(part: &Path, head: &Head) -> (u64, Sum) {
    let (part, size) = (part.to_owned(), head.size);
    blocking(move || {
        let mut sum = Sum::default();
        let Ok(mut file) = File::open(&part) else {
            return (0, sum);
        };
        let mut there = 0;
        let mut piece = vec![0; READ];
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => {
                    there += read as u64;
                    sum.push(&piece[..read]);
                }
                Err(_) => return (0, Sum::default()),
            }
        }
        if there > size {
            (0, Sum::default())
        } else {
            (there, sum)
        }
    })
    .await
}

async fn receive(
    response: Response<crate::client::Answer>,
    out: &mut File,
    sum: &mut Sum,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|e| broken(&e))?.into_data() else {
            continue;
        };
        // A megabyte at most: shorter than handing it to another thread and back.
        tokio::task::block_in_place(|| out.write_all(&data))
            .map_err(|e| Failure::io("cannot write what arrives", &e))?;
        sum.push(&data);
        bar.inc(data.len() as u64);
    }
    Ok(())
}

/// Makes the whole durable and gives it its name.
fn finish(out: &File, part: &Path, path: &Path, head: &Head) -> std::io::Result<()> {
    if let Some(modified) = head.mtime.as_deref().and_then(moment) {
        // The time is a courtesy; some file systems cannot keep it.
        let _ = out.set_modified(modified);
    }
    out.sync_all()?;
    std::fs::rename(part, path)
}

/// `SECONDS.NANOSECONDS`, as rclone and `cp` here write it.
fn moment(text: &str) -> Option<SystemTime> {
    let (secs, nanos) = text.split_once('.').unwrap_or((text, ""));
    let nanos: u32 = format!("{nanos:0<9}").get(..9)?.parse().ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::new(secs.parse().ok()?, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_cannot_leave_their_folder() {
        for bad in [
            "../x",
            "/x",
            "a/../../x",
            "",
            ".",
            "..",
            "a//b",
            "a/./b",
            "a/b/",
            "//",
        ] {
            assert!(safe(bad).is_none(), "{bad}");
        }
        for good in ["a/b c", "dot./.dot", "..."] {
            assert_eq!(safe(good), Some(Path::new(good)));
        }
    }

    #[test]
    fn times_are_read() {
        let at = SystemTime::UNIX_EPOCH + Duration::new(12, 340_000_000);
        assert_eq!(moment("12.34"), Some(at));
        assert_eq!(moment("12.340000000"), Some(at));
        assert_eq!(moment("x"), None);
    }
}
