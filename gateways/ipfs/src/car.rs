//! Blocks of a DAG in a CAR.

use crate::answer::{self, Answer, IpfsBody, Refusal};
use crate::gateway::Ipfs;
use crate::request::Request;
use sha2::{Digest, Sha256};
use stead_gateway::ipfs::car::{CarPieces, Scope, Slice};
use stead_gateway::ipfs::{BlockBody, Found};

/// What a request says of the CAR that it wants.
struct Wanted {
    scope: Scope,
    dups: bool,
}

fn of(request: &Request, parameters: &str) -> Result<Wanted, Refusal> {
    let asked = |query: &str, parameter: &str| {
        let in_media = parameters.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == parameter).then(|| value.trim_matches('"').to_owned())
        });
        request.parameter(query).or(in_media)
    };
    let bad = |what: &str, value: &str| {
        let shown: String = value.chars().take(40).collect();
        Refusal::Bad(format!("{what} cannot be {shown:?}"))
    };
    if let Some(version) = asked("car-version", "version").filter(|version| version != "1") {
        return Err(bad("the CAR's version", &version));
    }
    if let Some(order) = asked("car-order", "order").filter(|order| order != "dfs" && order != "unk") {
        return Err(bad("the order of blocks", &order));
    }
    let dups = match asked("car-dups", "dups").as_deref() {
        None | Some("n") => false,
        Some("y") => true,
        Some(other) => return Err(bad("dups", other)),
    };
    let slice = match request.parameter("entity-bytes") {
        Some(text) => Some(slice(&text).ok_or_else(|| bad("entity-bytes", &text))?),
        None => None,
    };
    let scope = match request.parameter("dag-scope").as_deref() {
        Some("block") => Scope::Block,
        Some("entity") => Scope::Entity(slice),
        // Bytes of a file are asked for of the file alone.
        None | Some("all") if slice.is_some() => Scope::Entity(slice),
        None | Some("all") => Scope::All,
        Some(other) => return Err(bad("dag-scope", other)),
    };
    Ok(Wanted { scope, dups })
}

/// `from:to`, where `to` may be `*`.
fn slice(text: &str) -> Option<Slice> {
    let (from, to) = text.split_once(':')?;
    let from = from.parse().ok()?;
    let to = match to {
        "*" => None,
        to => Some(to.parse().ok()?),
    };
    let same_sign = to.is_none_or(|to: i64| (to < 0) == (from < 0));
    if same_sign && to.is_some_and(|to| to < from) {
        return None;
    }
    Some(Slice { from, to })
}

impl Ipfs {
    /// The CAR of what is at the end of a path.
    pub(crate) async fn car(
        &self,
        request: &Request,
        parameters: &str,
        found: &Found,
    ) -> Result<Answer, Refusal> {
        let wanted = of(request, parameters)?;
        if found.within > 0 {
            return Err(Refusal::Bad(
                "the path leads into a block; a block is asked for whole".into(),
            ));
        }
        let about = format!("{:?} {} {}", wanted.scope, wanted.dups, request.content_path());
        let hash = hex::encode(&Sha256::digest(about.as_bytes())[..8]);
        let etag = format!("W/\"{}.car.{hash}\"", found.cid);
        if let Some(answer) = answer::not_modified(&request.headers, &etag) {
            return Ok(answer);
        }
        let body: IpfsBody = if request.head {
            BlockBody::unsized_empty().into()
        } else {
            let pieces = CarPieces::new(self.blocks().clone(), found, wanted.scope, wanted.dups);
            BlockBody::ahead(Box::new(pieces), None, &self.context().tasks)
                .await?
                .into()
        };
        let dups = if wanted.dups { 'y' } else { 'n' };
        let media = format!("application/vnd.ipld.car; version=1; order=dfs; dups={dups}");
        Ok(self.archive(request, body, (&media, &etag), &format!("{}.car", found.cid)))
    }
}
