//! One block, as it is.

use crate::answer::{self, Answer, IMMUTABLE, Refusal, set};
use crate::gateway::Ipfs;
use crate::request::Request;
use http::{StatusCode, header};
use stead_event::Cid;
use stead_gateway::ipfs::Found;

/// The media type of a block.
const MEDIA: &str = "application/vnd.ipld.raw";

impl Ipfs {
    /// A single block by its CID, without a path: the quick way.
    pub(crate) async fn block(&self, request: &Request, cid: &Cid) -> Result<Answer, Refusal> {
        let etag = format!("\"{cid}.raw\"");
        if !self.blocks().is_public(cid)? {
            return Err(Refusal::Absent);
        }
        if let Some(answer) = answer::not_modified(&request.headers, &etag) {
            return Ok(answer);
        }
        let bytes = self.blocks().get(cid).await?.ok_or(Refusal::Absent)?;
        Ok(headers(request, cid, &etag, answer::of(StatusCode::OK, bytes)))
    }

    /// The block at the end of a path.
    pub(crate) fn raw(&self, request: &Request, found: &Found) -> Result<Answer, Refusal> {
        if found.within > 0 {
            return Err(Refusal::Bad(
                "the path leads into a block; a block is asked for whole".into(),
            ));
        }
        let etag = format!("\"{}.raw\"", found.cid);
        if let Some(answer) = answer::not_modified(&request.headers, &etag) {
            return Ok(answer);
        }
        let answer = answer::of(StatusCode::OK, found.bytes.clone());
        Ok(headers(request, &found.cid, &etag, answer))
    }
}

fn headers(request: &Request, cid: &Cid, etag: &str, mut answer: Answer) -> Answer {
    set(&mut answer, header::CONTENT_TYPE, MEDIA);
    set(&mut answer, header::ETAG, etag);
    set(&mut answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(&mut answer, header::CACHE_CONTROL, IMMUTABLE);
    let name = request
        .parameter("filename")
        .unwrap_or_else(|| format!("{cid}.bin"));
    set(
        &mut answer,
        header::CONTENT_DISPOSITION,
        &crate::path::disposition("attachment", &name),
    );
    answer
}
