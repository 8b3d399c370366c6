//! A host for each root: `<cid>.ipfs.localhost`, so that what is stored under one cannot reach what is stored
//! under another. Browsers resolve `*.localhost` to this machine by themselves.

use crate::answer::{self, Answer, Refusal};
use crate::request::{Namespace, Request};
use http::request::Parts;
use http::{StatusCode, Uri, header};
use stead_event::Cid;
use stead_gateway::ipfs::ipns;

/// The domain that hosts are below.
const DOMAIN: &str = "localhost";
/// The longest label of a host's name.
const LABEL: usize = 63;

/// What a request's `Host` says. `X-Forwarded-Host` is not looked at: anybody can send it.
pub enum Host<'a> {
    /// A root in the name.
    Root(Namespace, &'a str),
    /// The bare domain; paths are sent on to their own hosts.
    Bare,
    /// Any other: an address, or a name that is not ours to divide.
    Other,
}

fn host(parts: &Parts) -> Option<&str> {
    let host = match parts.uri.host() {
        Some(host) => host,
        None => parts.headers.get(header::HOST)?.to_str().ok()?,
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    Some(name.strip_suffix('.').unwrap_or(name))
}

/// Reads the host.
pub fn of(parts: &Parts) -> Host<'_> {
    let Some(name) = host(parts) else {
        return Host::Other;
    };
    if name.eq_ignore_ascii_case(DOMAIN) {
        return Host::Bare;
    }
    let Some(rest) = name.strip_suffix(DOMAIN).and_then(|rest| rest.strip_suffix('.')) else {
        return Host::Other;
    };
    match rest.rsplit_once('.') {
        Some((root, "ipfs")) if !root.contains('.') => Host::Root(Namespace::Ipfs, root),
        Some((root, "ipns")) if !root.contains('.') => Host::Root(Namespace::Ipns, root),
        _ => Host::Other,
    }
}

/// The request that a host with a root stands for: its path is below the root.
pub fn inside(mut parts: Parts, namespace: Namespace, root: &str) -> Option<Parts> {
    let below = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let path = format!("/{}/{root}{below}", namespace.name());
    parts.uri = path.parse::<Uri>().ok()?;
    Some(parts)
}

/// Sends a path on to its root's own host; `None` where the root is none.
pub fn redirect(parts: &Parts, request: &Request) -> Option<Result<Answer, Refusal>> {
    let label = match request.namespace {
        Namespace::Ipfs => match cid_label(&Cid::try_from(request.root.as_str()).ok()?) {
            Some(label) => label,
            None => {
                let why = format!("this CID is longer than the {LABEL} characters of a host's label");
                return Some(Err(Refusal::Bad(why)));
            }
        },
        Namespace::Ipns => ipns::name_text(&ipns::parse_name(&request.root)?),
    };
    let place = parts.headers.get(header::HOST)?.to_str().ok()?;
    let prefix = format!("/{}/", request.namespace.name());
    let below = request
        .sent
        .strip_prefix(&prefix)?
        .split_once('/')
        .map_or("", |(_, below)| below);
    let query = request
        .query
        .as_ref()
        .map(|query| format!("?{query}"))
        .unwrap_or_default();
    // A proxy before this may have spoken TLS.
    let forwarded = parts.headers.get("x-forwarded-proto");
    let scheme = match forwarded.is_some_and(|scheme| scheme.as_bytes() == b"https") {
        true => "https",
        false => "http",
    };
    let to = format!(
        "{scheme}://{label}.{}.{place}/{below}{query}",
        request.namespace.name()
    );
    Some(Ok(answer::redirect(StatusCode::MOVED_PERMANENTLY, &to)))
}

/// Version 1 in base32, or base36 where that is too long.
fn cid_label(cid: &Cid) -> Option<String> {
    let cid = Cid::new_v1(cid.codec(), *cid.hash());
    let text = cid.to_string();
    let text = if text.len() > LABEL {
        ipns::name_text(&cid)
    } else {
        text
    };
    (text.len() <= LABEL).then_some(text)
}
