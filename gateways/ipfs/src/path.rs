//! Files and directories, as a browser wants them.

use crate::answer::{self, Answer, IMMUTABLE, Refusal, set};
use crate::gateway::Ipfs;
use crate::request::{Namespace, Request};
use crate::{listing, media, name};
use bytes::Bytes;
use http::{StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::ops::Range;
use stead_event::Cid;
use stead_gateway::ipfs::{Found, LISTING_MAX, Node, Walked};
use stead_gateway::objects::ByteRange;

/// How long a listing may be kept: its CID stays, but how it looks may change.
const LISTING_CACHE: &str = "public, max-age=604800, stale-while-revalidate=2678400";
/// The looks of listings; another number makes browsers ask again.
const LISTING_LOOK: &str = "1";
/// Bytes that a file's kind is guessed from.
const SNIFF: u64 = 512;
/// What is in a page of somebody's runs in no origin at all.
const SANDBOX: &str = "sandbox allow-scripts allow-forms allow-popups allow-downloads allow-modals";

/// A `Content-Disposition` with a name that old and new browsers understand.
pub fn disposition(kind: &str, name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '_' })
        .map(|c| if matches!(c, '"' | '\\') { '_' } else { c })
        .collect();
    let utf8 = utf8_percent_encode(name, NON_ALPHANUMERIC);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{utf8}")
}

impl Ipfs {
    /// What stands at the end of the path.
    pub(crate) async fn deserialized(&self, request: &Request, found: Found) -> Result<Answer, Refusal> {
        match &found.node {
            Node::File(size) => {
                let name = request.path.last().cloned();
                self.file(request, &found.cid, *size, name).await
            }
            Node::Directory(_) | Node::Shard(_) => self.directory(request, found).await,
            Node::Symlink(target) => {
                let mut answer = answer::of(StatusCode::OK, target.clone());
                set(&mut answer, header::CONTENT_TYPE, "inode/symlink");
                set(&mut answer, header::ETAG, &format!("\"{}\"", found.cid));
                set(
                    &mut answer,
                    header::CACHE_CONTROL,
                    &self.cache(request, IMMUTABLE),
                );
                Ok(answer)
            }
            Node::Data | Node::Other => Err(Refusal::NotAcceptable(
                "this is data, not a file: ask for it with ?format=raw".into(),
            )),
        }
    }

    /// How long an answer may be kept.
    pub(crate) fn cache(&self, request: &Request, immutable: &str) -> String {
        match request.namespace {
            Namespace::Ipfs => immutable.to_owned(),
            Namespace::Ipns => name::cache(),
        }
    }

    async fn file(
        &self,
        request: &Request,
        cid: &Cid,
        size: u64,
        name: Option<String>,
    ) -> Result<Answer, Refusal> {
        let etag = format!("\"{cid}\"");
        if let Some(answer) = answer::not_modified(&request.headers, &etag) {
            return Ok(answer);
        }
        let asked = request.parameter("filename");
        let name = asked.clone().or(name);
        let begin = self.begin(cid, size, name.as_deref()).await?;
        let kind = media::of(name.as_deref(), &begin);
        let range = range_of(request, &etag, size);
        let (status, range) = match range {
            Some(Ok(range)) => (StatusCode::PARTIAL_CONTENT, range),
            Some(Err(())) => return Ok(out_of_range(size)),
            None => (StatusCode::OK, 0..size),
        };
        let length = range.end - range.start;
        let mut answer = if request.head {
            answer::of(status, Bytes::new())
        } else {
            answer::of(status, self.blocks().file(*cid, size, range.clone()).await?)
        };
        set(&mut answer, header::CONTENT_LENGTH, &length.to_string());
        if status == StatusCode::PARTIAL_CONTENT {
            let text = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            set(&mut answer, header::CONTENT_RANGE, &text);
        }
        set(&mut answer, header::ACCEPT_RANGES, "bytes");
        set(&mut answer, header::ETAG, &etag);
        set(
            &mut answer,
            header::CACHE_CONTROL,
            &self.cache(request, IMMUTABLE),
        );
        set(&mut answer, header::CONTENT_TYPE, &kind);
        set(&mut answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        // A host of its own is an origin of its own.
        if media::is_active(&kind) && !request.by_host {
            set(&mut answer, header::CONTENT_SECURITY_POLICY, SANDBOX);
        }
        let download = request.parameter("download").as_deref() == Some("true");
        if download || asked.is_some() {
            let kind = if download { "attachment" } else { "inline" };
            let name = name.unwrap_or_else(|| cid.to_string());
            set(
                &mut answer,
                header::CONTENT_DISPOSITION,
                &disposition(kind, &name),
            );
        }
        Ok(answer)
    }

    /// The first bytes of a file, where its name does not say what it is.
    async fn begin(&self, cid: &Cid, size: u64, name: Option<&str>) -> Result<Bytes, Refusal> {
        let named = name.is_some_and(|name| mime_guess::from_path(name).first_raw().is_some());
        if named || size == 0 {
            return Ok(Bytes::new());
        }
        let mut body = self.blocks().file(*cid, size, 0..size.min(SNIFF)).await?;
        Ok(body.first().unwrap_or_default())
    }

    async fn directory(&self, request: &Request, found: Found) -> Result<Answer, Refusal> {
        if !request.slash {
            let query = request
                .query
                .as_ref()
                .map(|query| format!("?{query}"))
                .unwrap_or_default();
            let to = format!("{}/{query}", collapsed(&request.below_host()));
            return Ok(answer::redirect(StatusCode::MOVED_PERMANENTLY, &to));
        }
        let index = ["index.html".to_owned()];
        if let Walked::Found(index) = self.blocks().walk(found.cid, &index).await?
            && let Node::File(size) = index.node
        {
            return self
                .file(request, &index.cid, size, Some("index.html".into()))
                .await;
        }
        let etag = format!("\"DirIndex-{LISTING_LOOK}_CID-{}\"", found.cid);
        if let Some(answer) = answer::not_modified(&request.headers, &etag) {
            return Ok(answer);
        }
        let (entries, more) = self.blocks().entries(&found.node, LISTING_MAX).await?;
        let title = request.content_path();
        let page = listing::page(
            &title,
            &found.cid.to_string(),
            !request.path.is_empty(),
            &entries,
            more,
        );
        let mut answer = answer::of(StatusCode::OK, Bytes::from(page));
        set(&mut answer, header::CONTENT_TYPE, "text/html; charset=utf-8");
        set(&mut answer, header::CONTENT_SECURITY_POLICY, listing::POLICY);
        set(&mut answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(&mut answer, header::ETAG, &etag);
        set(
            &mut answer,
            header::CACHE_CONTROL,
            &self.cache(request, LISTING_CACHE),
        );
        Ok(answer)
    }
}

/// A path that begins with one slash: with two, a browser would take the next segment for a host.
fn collapsed(path: &str) -> String {
    format!("/{}", path.trim_start_matches('/'))
}

fn out_of_range(size: u64) -> Answer {
    let refusal = Refusal::Status(
        StatusCode::RANGE_NOT_SATISFIABLE,
        format!("the file has {size} bytes"),
    );
    let mut answer = refusal.answer();
    set(&mut answer, header::CONTENT_RANGE, &format!("bytes */{size}"));
    answer
}

/// The one range that is asked for. More than one, or what is no range, is answered whole.
fn range_of(request: &Request, etag: &str, size: u64) -> Option<Result<Range<u64>, ()>> {
    let text = request.header(&header::RANGE)?.strip_prefix("bytes=")?;
    let stale = request.header(&header::IF_RANGE).is_some_and(|tag| tag != etag);
    if stale || text.contains(',') {
        return None;
    }
    let (first, last) = text.trim().split_once('-')?;
    let range = match (first.trim(), last.trim()) {
        ("", last) => ByteRange::Last(last.parse().ok()?),
        (first, "") => ByteRange::From(first.parse().ok()?, None),
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            if last < first {
                return None;
            }
            ByteRange::From(first, Some(last))
        }
    };
    Some(range.resolve(size).map_err(drop))
}
