//! Files to Stead: small ones in one request, large ones in parts that an interrupted copy need not send
//! again. Every answer's CID is compared with the one computed here.

use super::checksum::{self, Sum};
use super::state::{Begun, State};
use super::{Copied, Job};
use crate::client::{Client, Url, body_of, json_request, read, request, streamed};
use crate::codes;
use crate::commands::path::Place;
use crate::commands::progress;
use crate::failure::Failure;
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use indicatif::ProgressBar;
use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Arc, Mutex};
use stead_client::wire;
use stead_event::TextMap;
use stead_runtime::blocking;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Files above this go in parts.
const IN_PARTS: u64 = 64 << 20;
/// A part, where the file has no more than 10,000 of them.
const PART: u64 = 16 << 20;
const PARTS: u64 = 10_000;
/// Parts that are sent at the same time.
const AT_ONCE: usize = 4;
/// Read from a file at once.
const READ: usize = 1 << 20;

/// The user metadata under which rclone and others keep a file's time.
const MTIME: &str = "mtime";

/// Copies one file.
pub(super) async fn file(job: &Job<'_>, path: &Path, place: &Place) -> Result<Copied, Failure> {
    let unreadable = |e: &std::io::Error| Failure::io(format_args!("cannot read {}", path.display()), e);
    let file = File::open(path).map_err(|e| unreadable(&e))?;
    let meta = file.metadata().map_err(|e| unreadable(&e))?;
    if !meta.is_file() {
        // A pipe or a device: its end is known when it is there.
        return stream(job, tokio::fs::File::from_std(file), place).await;
    }
    let bar = progress::bytes(&place.key, meta.len(), job.quiet);
    let stored = if meta.len() > IN_PARTS {
        in_parts(job, Arc::new(file), path, &meta, place, &bar).await?
    } else {
        whole(job, file, &meta, place, &bar).await?
    };
    bar.finish_and_clear();
    if stored.size != meta.len() {
        return Err(changed(path));
    }
    Ok(copied(stored))
}

fn copied(stored: wire::Stored) -> Copied {
    Copied {
        objects: 1,
        bytes: stored.size,
        cid: Some(stored.cid),
        position: Some(stored.position),
    }
}

fn changed(path: &Path) -> Failure {
    Failure::new(
        codes::LOCAL_FILE,
        format!("{} changed while it was read", path.display()),
    )
    .next("repeat the command when nobody writes to the file")
}

fn mtime(meta: &std::fs::Metadata) -> String {
    format!("{}.{:09}", meta.mtime(), meta.mtime_nsec())
}

fn url(place: &Place) -> Url {
    Url::new("/api/v1/objects").segment(&place.bucket).key(&place.key)
}

/// One request with a body of known length.
async fn whole(
    job: &Job<'_>,
    file: File,
    meta: &std::fs::Metadata,
    place: &Place,
    bar: &ProgressBar,
) -> Result<wire::Stored, Failure> {
    let sum = Arc::new(Mutex::new(Sum::default()));
    let (summed, shown) = (sum.clone(), bar.clone());
    let pieces = tokio_util::io::ReaderStream::with_capacity(tokio::fs::File::from_std(file), READ);
    let body = streamed(pieces.inspect(move |piece| {
        if let Ok(bytes) = piece {
            summed
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .push(bytes);
            shown.inc(bytes.len() as u64);
        }
    }));
    let mut request = request(Method::PUT, url(place), body)?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_LENGTH, meta.len().into());
    describe(headers, place, Some(&mtime(meta)));
    let stored: wire::Stored = read(job.client.send(request).await?).await?;
    let sum = std::mem::take(&mut *sum.lock().unwrap_or_else(|poisoned| poisoned.into_inner()));
    compare(&sum.finish().to_string(), &stored.cid, &place.to_string())?;
    Ok(stored)
}

fn describe(headers: &mut HeaderMap, place: &Place, mtime: Option<&str>) {
    if let Some(kind) = content_type(&place.key) {
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    if let Some(value) = mtime.and_then(|mtime| HeaderValue::from_str(mtime).ok()) {
        headers.insert(HeaderName::from_static("x-stead-meta-mtime"), value);
    }
}

fn compare(ours: &str, theirs: &str, what: &str) -> Result<(), Failure> {
    if ours == theirs {
        return Ok(());
    }
    Err(Failure::new(
        codes::MISMATCH,
        format!("{what} is stored as {theirs}; what was read here is {ours}"),
    ))
}

/// The length of the parts of a file: whole MiB, so that the object has the CID of the whole file.
fn part_bytes(size: u64) -> u64 {
    PART.max(size.div_ceil(PARTS).next_multiple_of(1 << 20))
}

/// The part of a file with this number, from 1.
fn part_range(size: u64, part_bytes: u64, number: u32) -> (u64, usize) {
    let from = u64::from(number - 1) * part_bytes;
    (from, part_bytes.min(size.saturating_sub(from)) as usize)
}

async fn in_parts(
    job: &Job<'_>,
    file: Arc<File>,
    path: &Path,
    meta: &std::fs::Metadata,
    place: &Place,
    bar: &ProgressBar,
) -> Result<wire::Stored, Failure> {
    let size = meta.len();
    let part_bytes = part_bytes(size);
    let begun = Begun::new(&job.client.identity, place, path, meta, part_bytes);
    let state = State::of(begun);
    let (upload, there) = begin(job, &state, place, &mtime(meta)).await?;
    let count = u32::try_from(size.div_ceil(part_bytes)).unwrap_or(u32::MAX);
    let sending = (1..=count).map(|number| {
        let (from, length) = part_range(size, part_bytes, number);
        let known = there
            .iter()
            .find(|part| part.number == number && part.size == length as u64);
        let part = Part {
            client: job.client,
            place,
            upload: &upload,
            number,
            bar,
        };
        part.send(file.clone(), path, from, length, known)
    });
    let mut running = futures::stream::iter(sending).buffered(AT_ONCE);
    let mut parts = Vec::new();
    while let Some(part) = running.next().await {
        parts.push(part?);
    }
    drop(running);
    if file
        .metadata()
        .is_ok_and(|now| mtime(&now) != mtime(meta) || now.len() != size)
    {
        state.forget();
        abort(job.client, place, &upload).await;
        return Err(changed(path));
    }
    let wanted = wire::CompleteUpload { parts };
    let stored: wire::Stored = job.client.post(upload_url(place, &upload, None), &wanted).await?;
    state.forget();
    Ok(stored)
}

/// The upload to go on with and the parts that it has, or a new one.
async fn begin(
    job: &Job<'_>,
    state: &State,
    place: &Place,
    mtime: &str,
) -> Result<(String, Vec<wire::Part>), Failure> {
    let (same, stale) = state.find();
    if let Some(upload) = stale {
        abort(job.client, place, &upload).await;
    }
    if let Some(upload) = same {
        if job.restart {
            abort(job.client, place, &upload).await;
        } else if let Ok(known) = job
            .client
            .get::<wire::Upload>(upload_url(place, &upload, None))
            .await
        {
            return Ok((upload, known.parts));
        }
    }
    let headers = content_type(&place.key).map(|kind| ("content-type".to_owned(), kind.to_owned()));
    let wanted = wire::StartUpload {
        bucket: place.bucket.clone(),
        key: place.key.clone(),
        headers: headers.into_iter().collect(),
        metadata: TextMap::from([(MTIME.to_owned(), mtime.to_owned())]),
    };
    let begun: wire::Upload = job.client.post(Url::new("/api/v1/uploads"), &wanted).await?;
    state.keep(&begun.upload)?;
    Ok((begun.upload, Vec::new()))
}

fn upload_url(place: &Place, upload: &str, number: Option<u32>) -> Url {
    let url = Url::new("/api/v1/uploads").segment(upload);
    let url = match number {
        Some(number) => url.segment(&number.to_string()),
        None => url,
    };
    url.with("bucket", &place.bucket).with("key", &place.key)
}

/// Gives an upload up. That it is gone already is as well.
async fn abort(client: &Client, place: &Place, upload: &str) {
    let _ = client.call(Method::DELETE, upload_url(place, upload, None)).await;
}

struct Part<'a> {
    client: &'a Client,
    place: &'a Place,
    upload: &'a str,
    number: u32,
    bar: &'a ProgressBar,
}

impl Part<'_> {
    /// Sends the part unless it is there already; answers its number and ETag.
    async fn send(
        self,
        file: Arc<File>,
        path: &Path,
        from: u64,
        length: usize,
        known: Option<&wire::Part>,
    ) -> Result<(u32, String), Failure> {
        let (bytes, ours) = blocking(move || -> std::io::Result<_> {
            let mut bytes = BytesMut::zeroed(length);
            file.read_exact_at(&mut bytes, from)?;
            let bytes = bytes.freeze();
            let ours = checksum::of(&bytes).to_string();
            Ok((bytes, ours))
        })
        .await
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::UnexpectedEof => changed(path),
            _ => Failure::io(format_args!("cannot read {}", path.display()), &e),
        })?;
        if let Some(known) = known.filter(|known| known.cid == ours) {
            self.bar.inc(length as u64);
            return Ok((self.number, known.etag.clone()));
        }
        let part = put_part(self.client, self.place, self.upload, self.number, bytes, &ours).await?;
        self.bar.inc(length as u64);
        Ok((self.number, part.etag))
    }
}

async fn put_part(
    client: &Client,
    place: &Place,
    upload: &str,
    number: u32,
    bytes: Bytes,
    ours: &str,
) -> Result<wire::Part, Failure> {
    let request = request(
        Method::PUT,
        upload_url(place, upload, Some(number)),
        body_of(bytes),
    )?;
    let part: wire::Part = read(client.send(request).await?).await?;
    compare(ours, &part.cid, &format!("part {number} of {place}"))?;
    Ok(part)
}

/// Copies what comes, whose length nobody knows: in one request where it is short, else in parts.
pub(super) async fn stream(
    job: &Job<'_>,
    mut source: impl AsyncRead + Unpin,
    place: &Place,
) -> Result<Copied, Failure> {
    let first = fill(&mut source).await?;
    if (first.len() as u64) < PART {
        let ours = checksum::of(&first).to_string();
        let mut request = request(Method::PUT, url(place), body_of(first))?;
        describe(request.headers_mut(), place, None);
        let stored: wire::Stored = read(job.client.send(request).await?).await?;
        compare(&ours, &stored.cid, &place.to_string())?;
        return Ok(copied(stored));
    }
    let wanted = wire::StartUpload {
        bucket: place.bucket.clone(),
        key: place.key.clone(),
        headers: TextMap::new(),
        metadata: TextMap::new(),
    };
    let begun: wire::Upload = job.client.post(Url::new("/api/v1/uploads"), &wanted).await?;
    match parts_of(job, source, place, &begun.upload, first).await {
        Ok(stored) => Ok(copied(stored)),
        Err(failure) => {
            // What came cannot come again, so nothing could go on with it.
            abort(job.client, place, &begun.upload).await;
            Err(failure)
        }
    }
}

async fn parts_of(
    job: &Job<'_>,
    mut source: impl AsyncRead + Unpin,
    place: &Place,
    upload: &str,
    first: Bytes,
) -> Result<wire::Stored, Failure> {
    let bar = progress::bytes(&place.key, 0, job.quiet);
    let (mut piece, mut parts, mut number) = (first, Vec::new(), 1);
    while !piece.is_empty() {
        let (length, ours) = (piece.len() as u64, checksum::of(&piece).to_string());
        let part = put_part(job.client, place, upload, number, piece, &ours).await?;
        parts.push((number, part.etag));
        bar.inc(length);
        number += 1;
        piece = fill(&mut source).await?;
    }
    bar.finish_and_clear();
    let request = json_request(
        Method::POST,
        upload_url(place, upload, None),
        &wire::CompleteUpload { parts },
    )?;
    read(job.client.send(request).await?).await
}

/// A part's worth of what comes; less only at the end.
async fn fill(source: &mut (impl AsyncRead + Unpin)) -> Result<Bytes, Failure> {
    let mut piece = BytesMut::with_capacity(PART as usize);
    while (piece.len() as u64) < PART {
        let left = PART - piece.len() as u64;
        let read = (&mut *source)
            .take(left)
            .read_buf(&mut piece)
            .await
            .map_err(|e| Failure::io("cannot read the source", &e))?;
        if read == 0 {
            break;
        }
    }
    Ok(piece.freeze())
}

/// The type that a name's ending stands for, where it is a common one.
fn content_type(key: &str) -> Option<&'static str> {
    let ending = key.rsplit('/').next()?.rsplit_once('.')?.1.to_ascii_lowercase();
    Some(match ending.as_str() {
        "txt" | "log" | "md" => "text/plain; charset=utf-8",
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css",
        "csv" => "text/csv",
        "js" | "mjs" => "text/javascript",
        "json" => "application/json",
        "xml" => "application/xml",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "zst" => "application/zstd",
        "tar" => "application/x-tar",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        "heic" => "image/heic",
        "mp3" => "audio/mpeg",
        "flac" => "audio/flac",
        "ogg" => "audio/ogg",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "mkv" => "video/x-matroska",
        "mov" => "video/quicktime",
        "wasm" => "application/wasm",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_mebibytes_and_at_most_ten_thousand() {
        assert_eq!(part_bytes(100 << 20), PART);
        let large = 5 << 40;
        assert_eq!(part_bytes(large) % (1 << 20), 0);
        assert!(large.div_ceil(part_bytes(large)) <= PARTS);
        assert_eq!(part_range((16 << 20) + 5, PART, 2), (16 << 20, 5));
    }

    #[test]
    fn endings_stand_for_types() {
        assert_eq!(content_type("a/b.JPG"), Some("image/jpeg"));
        assert_eq!(content_type("a.d/b"), None);
    }
}
