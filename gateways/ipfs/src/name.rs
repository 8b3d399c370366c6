//! Names: what `/ipns/<key>` stands for, and its signed record.

use crate::answer::{self, Answer, Refusal, set};
use crate::gateway::Ipfs;
use crate::request::Request;
use bytes::Bytes;
use http::{StatusCode, header};
use sha2::{Digest, Sha256};
use stead_event::Cid;
use stead_gateway::ipfs::ipns;
use stead_view::Publication;

impl Ipfs {
    /// What is public under a name.
    pub(crate) fn named(&self, name: &str) -> Result<(Publication, Cid), Refusal> {
        let Some(cid) = ipns::parse_name(name) else {
            return Err(not_a_name(name));
        };
        let published = self
            .context()
            .views
            .published()
            .map_err(stead_gateway::ObjectError::from)?;
        let found = published
            .named(&ipns::name_text(&cid))
            .map_err(stead_gateway::ObjectError::from)?;
        let found = found
            .filter(|publication| publication.active)
            .ok_or(Refusal::Absent)?;
        let root = found.root.ok_or(Refusal::Absent)?.cid;
        Ok((found, root))
    }

    /// A record of a name: signed now, with the sequence that the log gives it.
    pub(crate) fn signed(&self, publication: &Publication, root: &Cid) -> Result<Bytes, Refusal> {
        let key = self.context().ipns_key(publication)?;
        let value = format!("/ipfs/{root}");
        let record = ipns::sign(&key, &value, publication.sequence, self.context().now());
        Ok(record.map_err(stead_gateway::ObjectError::from)?.into())
    }

    /// The record as an answer.
    pub(crate) fn record(&self, request: &Request) -> Result<Answer, Refusal> {
        let (publication, root) = self.named(&request.root)?;
        let record = self.signed(&publication, &root)?;
        let etag = format!("\"{}.ipns-record\"", hex::encode(&Sha256::digest(&record)[..16]));
        let mut answer = answer::of(StatusCode::OK, record);
        set(
            &mut answer,
            header::CONTENT_TYPE,
            "application/vnd.ipfs.ipns-record",
        );
        set(&mut answer, header::ETAG, &etag);
        set(&mut answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(&mut answer, header::CACHE_CONTROL, &cache());
        let name = request
            .parameter("filename")
            .unwrap_or_else(|| format!("{}.ipns-record", publication.ipns));
        set(
            &mut answer,
            header::CONTENT_DISPOSITION,
            &crate::path::disposition("attachment", &name),
        );
        Ok(answer)
    }
}

/// A domain's name (in a host, its dots are dashes) is told what it is; anything else is not here.
fn not_a_name(name: &str) -> Refusal {
    if name.contains(['.', '-']) {
        let why = "names of domains (DNSLink) are not resolved here; ask for /ipfs/<cid> or /ipns/<key>";
        return Refusal::Status(StatusCode::NOT_IMPLEMENTED, why.to_owned());
    }
    Refusal::Absent
}

/// How long what a name stands for may be remembered.
pub(crate) fn cache() -> String {
    format!("public, max-age={}", ipns::TTL_SECS)
}
