//! Data that is no file: dag-cbor and dag-json, as they are or in each other's form.

use crate::answer::{self, Answer, IMMUTABLE, Refusal, set};
use crate::format::Format;
use crate::gateway::Ipfs;
use crate::request::Request;
use http::{StatusCode, header};
use stead_event::cids;
use stead_gateway::ipfs::{Found, ipld};

impl Ipfs {
    /// A block of data in the form that is asked for, or in its own.
    pub(crate) fn data(&self, request: &Request, found: &Found, format: Format) -> Result<Answer, Refusal> {
        if found.within > 0 {
            let why = "the path leads into a block, to what is no link: that is not answered".to_owned();
            return Err(Refusal::Status(StatusCode::NOT_IMPLEMENTED, why));
        }
        let own = found.cid.codec();
        let (codec, media, extension) = match (format, own) {
            (Format::DagJson, _) => (cids::DAG_JSON, "application/vnd.ipld.dag-json", "json"),
            (Format::DagCbor, _) => (cids::DAG_CBOR, "application/vnd.ipld.dag-cbor", "cbor"),
            (Format::Json, _) => (cids::DAG_JSON, "application/json", "json"),
            (Format::Cbor, _) => (cids::DAG_CBOR, "application/cbor", "cbor"),
            (_, cids::DAG_JSON) => (own, "application/vnd.ipld.dag-json", "json"),
            (_, cids::DAG_CBOR) => (own, "application/vnd.ipld.dag-cbor", "cbor"),
            (_, ipld::JSON) => (own, "application/json", "json"),
            _ => (own, "application/cbor", "cbor"),
        };
        let etag = format!(
            "\"{}.{}\"",
            found.cid,
            media.rsplit('.').next().unwrap_or(extension)
        );
        if let Some(answer) = answer::not_modified(&request.headers, &etag) {
            return Ok(answer);
        }
        let same = codec == own
            || (codec == cids::DAG_JSON && own == ipld::JSON)
            || (codec == cids::DAG_CBOR && own == ipld::CBOR);
        let bytes = if same {
            found.bytes.clone()
        } else {
            let data = ipld::data(&found.cid, &found.bytes).ok();
            let encoded = data.and_then(|data| ipld::encode(codec, &data));
            encoded.ok_or_else(|| Refusal::NotAcceptable("the block cannot be said in that form".into()))?
        };
        let mut answer = answer::of(StatusCode::OK, bytes);
        set(&mut answer, header::CONTENT_TYPE, media);
        set(&mut answer, header::ETAG, &etag);
        set(&mut answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        set(
            &mut answer,
            header::CACHE_CONTROL,
            &self.cache(request, IMMUTABLE),
        );
        let kind = if extension == "json" {
            "inline"
        } else {
            "attachment"
        };
        let name = request
            .parameter("filename")
            .unwrap_or_else(|| format!("{}.{extension}", found.cid));
        set(
            &mut answer,
            header::CONTENT_DISPOSITION,
            &crate::path::disposition(kind, &name),
        );
        Ok(answer)
    }
}
