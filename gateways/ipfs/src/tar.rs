//! A tree of files as a TAR archive.

use crate::answer::{self, Answer, IMMUTABLE, IpfsBody, Refusal, set};
use crate::gateway::Ipfs;
use crate::request::Request;
use http::{StatusCode, header};
use stead_gateway::ObjectError;
use stead_gateway::ipfs::{BlockBody, Found, IpfsError, Node};

impl Ipfs {
    /// The archive of what is at the end of a path.
    pub(crate) async fn tar(&self, request: &Request, found: &Found) -> Result<Answer, Refusal> {
        if matches!(found.node, Node::Data | Node::Other) {
            return Err(Refusal::Bad(
                "only files and directories go into an archive".into(),
            ));
        }
        // The name of what is archived is in it, so that two paths to one CID are two archives; that it is made
        // of the tree alone is no promise to caches.
        let etag = format!("W/\"{}.x-tar\"", found.cid);
        if let Some(answer) = answer::not_modified(&request.headers, &etag) {
            return Ok(answer);
        }
        let name = request.path.last().map(String::as_str);
        let body: IpfsBody = if request.head {
            BlockBody::unsized_empty().into()
        } else {
            self.blocks().tar(found, name).await.map_err(refused)?.into()
        };
        Ok(self.archive(
            request,
            body,
            ("application/x-tar", &etag),
            &format!("{}.tar", found.cid),
        ))
    }

    /// An archive as a download under a name, unless the request gives it another.
    pub(crate) fn archive(
        &self,
        request: &Request,
        body: IpfsBody,
        (media, etag): (&str, &str),
        name: &str,
    ) -> Answer {
        let name = request.parameter("filename").unwrap_or_else(|| name.to_owned());
        let mut answer = answer::of(StatusCode::OK, body);
        for (header, value) in [
            (header::CONTENT_TYPE, media),
            (header::ETAG, etag),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::ACCEPT_RANGES, "none"),
            (header::CACHE_CONTROL, &*self.cache(request, IMMUTABLE)),
            (
                header::CONTENT_DISPOSITION,
                &crate::path::disposition("attachment", &name),
            ),
        ] {
            set(&mut answer, header, value);
        }
        answer
    }
}

/// A tree that is not fit for an archive is the tree's fault, not the node's.
fn refused(error: ObjectError) -> Refusal {
    match error {
        ObjectError::Ipfs(error @ IpfsError::Unsupported { .. }) => Refusal::Bad(error.to_string()),
        error => error.into(),
    }
}
