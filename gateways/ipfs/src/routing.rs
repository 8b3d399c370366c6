//! Where to get what: the read side of <https://specs.ipfs.tech/routing/http-routing-v1/>, about this node and
//! what is public here, and nothing else.

use crate::answer::{self, Answer, Refusal, set};
use crate::gateway::Ipfs;
use bytes::Bytes;
use http::request::Parts;
use http::{StatusCode, header};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use stead_event::Cid;
use stead_gateway::ipfs::ipns;

impl Ipfs {
    /// `/routing/v1/…`; `None` for any other path.
    pub(crate) fn routing(&self, parts: &Parts) -> Option<Result<Answer, Refusal>> {
        let rest = parts.uri.path().strip_prefix("/routing/v1/")?;
        Some(match rest.split_once('/') {
            Some(("providers", cid)) => self.providers(parts, cid),
            Some(("ipns", name)) => self.routed_record(name),
            _ => Err(Refusal::Absent),
        })
    }

    fn providers(&self, parts: &Parts, cid: &str) -> Result<Answer, Refusal> {
        let cid = Cid::try_from(cid).map_err(|_| Refusal::Bad("this is not a CID".into()))?;
        let known = self.blocks().is_public(&cid)?;
        let place = parts
            .headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let providers = match place.and_then(multiaddr) {
            Some(address) if known => vec![json!({
                "Schema": "peer",
                "ID": self.context().node.public_key().map(|key| ipns::peer_id(&key)),
                "Addrs": [address],
                "Protocols": ["transport-ipfs-gateway-http"],
            })],
            _ => return Err(Refusal::Absent),
        };
        let text = json!({ "Providers": providers }).to_string();
        let mut answer = answer::of(StatusCode::OK, Bytes::from(text));
        set(&mut answer, header::CONTENT_TYPE, "application/json");
        set(&mut answer, header::CACHE_CONTROL, "public, max-age=15");
        Ok(answer)
    }

    fn routed_record(&self, name: &str) -> Result<Answer, Refusal> {
        ipns::parse_name(name).ok_or_else(|| Refusal::Bad("this is not an IPNS name".into()))?;
        let (publication, root) = self.named(name)?;
        let record = self.signed(&publication, &root)?;
        let mut answer = answer::of(StatusCode::OK, record);
        set(
            &mut answer,
            header::CONTENT_TYPE,
            "application/vnd.ipfs.ipns-record",
        );
        set(&mut answer, header::CACHE_CONTROL, &crate::name::cache());
        Ok(answer)
    }
}

/// `HOST:PORT`, as it was reached, as a multiaddr.
fn multiaddr(host: &str) -> Option<String> {
    if let Ok(address) = host.parse::<SocketAddr>() {
        let kind = if address.is_ipv4() { "ip4" } else { "ip6" };
        return Some(format!("/{kind}/{}/tcp/{}/http", address.ip(), address.port()));
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, port.parse::<u16>().ok()?),
        None => (host, 80),
    };
    let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    if name.is_empty() || name.parse::<IpAddr>().is_ok() || !name.chars().all(legal) {
        return None;
    }
    Some(format!("/dns/{name}/tcp/{port}/http"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_become_multiaddrs() {
        assert_eq!(
            multiaddr("127.0.0.1:7303").unwrap(),
            "/ip4/127.0.0.1/tcp/7303/http"
        );
        assert_eq!(multiaddr("[::1]:80").unwrap(), "/ip6/::1/tcp/80/http");
        assert_eq!(multiaddr("stead.home").unwrap(), "/dns/stead.home/tcp/80/http");
        assert_eq!(multiaddr("a/b:1"), None);
    }
}
