//! What a site's `_redirects` makes of a path that it does not have.
//!
//! Only where the root has a host of its own: on one host for all, a rule of one site would be about paths of
//! others, and its pages would run beside theirs.

use crate::answer::{self, Answer, IMMUTABLE, Refusal, X_IPFS_PATH, X_IPFS_ROOTS, set};
use crate::gateway::Ipfs;
use crate::redirects::{self, Rule, SIZE_MAX};
use crate::request::{self, Request};
use http::{StatusCode, header};
use stead_event::Cid;
use stead_gateway::ipfs::{Node, Walked};

fn broken(why: &str) -> Refusal {
    Refusal::Status(
        StatusCode::INTERNAL_SERVER_ERROR,
        format!("the site's {} cannot be used: {why}", redirects::NAME),
    )
}

impl Ipfs {
    /// The answer for a path that is not below the root.
    pub(crate) async fn absent(&self, request: &Request, root: Cid) -> Result<Answer, Refusal> {
        if !request.by_host {
            return Err(Refusal::Absent);
        }
        let rules = self.rules(root).await?;
        let found = rules
            .iter()
            .find_map(|rule| Some((rule, rule.target(&request.path)?)));
        let Some((rule, target)) = found else {
            return Err(Refusal::Absent);
        };
        if !rule.status.is_redirection() {
            return self.rewritten(request, root, &target, rule.status).await;
        }
        let to = redirects::with_query(&target, request.query.as_deref());
        let mut answer = answer::redirect(rule.status, &to);
        set(&mut answer, X_IPFS_PATH, &request.content_path());
        set(
            &mut answer,
            header::CACHE_CONTROL,
            &self.cache(request, IMMUTABLE),
        );
        Ok(answer)
    }

    async fn rules(&self, root: Cid) -> Result<Vec<Rule>, Refusal> {
        let path = [redirects::NAME.to_owned()];
        let Walked::Found(file) = self.blocks().walk(root, &path).await? else {
            return Ok(Vec::new());
        };
        let Node::File(size) = file.node else {
            return Err(broken("it is not a file"));
        };
        if size > SIZE_MAX {
            return Err(broken("it has more than 64 KiB"));
        }
        let body = self.blocks().file(file.cid, size, 0..size).await?;
        let bytes = body.whole().await?;
        let text = std::str::from_utf8(&bytes).map_err(|_| broken("it is not UTF-8"))?;
        redirects::parse(text).map_err(|why| broken(&why))
    }

    /// Another file of the site, under this path.
    async fn rewritten(
        &self,
        request: &Request,
        root: Cid,
        target: &str,
        status: StatusCode,
    ) -> Result<Answer, Refusal> {
        let path = target.split(['?', '#']).next().unwrap_or_default();
        let mut inside = request.with_path(request::segments(path)?);
        if status != StatusCode::OK {
            // What is not the page that was asked for is neither a part of it nor known already.
            inside.headers.clear();
        }
        let mut answer = match self.blocks().walk(root, &inside.path).await? {
            Walked::Found(found) => {
                let roots = answer::roots_text(&found.roots);
                let mut answer = self.deserialized(&inside, *found).await?;
                set(&mut answer, X_IPFS_ROOTS, &roots);
                answer
            }
            Walked::NoEntry(_) | Walked::Absent if status == StatusCode::OK => return Err(Refusal::Absent),
            Walked::NoEntry(_) | Walked::Absent => {
                let why = format!("{} has no page for this at {path}", redirects::NAME);
                return Err(Refusal::Status(status, why));
            }
        };
        if status != StatusCode::OK && answer.status() == StatusCode::OK {
            *answer.status_mut() = status;
        }
        set(&mut answer, X_IPFS_PATH, &request.content_path());
        Ok(answer)
    }
}
