//! Finding members nearby: DNS-SD over multicast DNS (RFC 6762, RFC 6763), as `_stead._udp`.
//!
//! Promises: only who can be reached from elsewhere is announced. What is found is a hint: the member still has to
//! approve the code, which no one in between can make match (see `code`).
//! Never: speaks beyond the local network.

use crate::ClusterError;
use crate::ticket::Ticket;
use mdns_sd::{ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use stead_event::NodeId;
use tokio::time::Instant;

/// What nodes are announced as.
const SERVICE: &str = "_stead._udp.local.";
/// How long further members are waited for when one was found.
const GATHER: Duration = Duration::from_secs(2);

/// An announcement, until it is dropped.
pub(crate) struct Announced(ServiceDaemon);

impl Drop for Announced {
    fn drop(&mut self) {
        // Says goodbye; that nobody waits for it is fine.
        let _ = self.0.shutdown();
    }
}

fn failed(error: impl std::fmt::Display) -> ClusterError {
    ClusterError::Mesh(format!("multicast DNS: {error}"))
}

/// Announces a member of the cluster that `cluster` names. Nothing where it is only reached from this machine.
pub(crate) fn announce(
    node: &NodeId,
    label: &str,
    cluster: &NodeId,
    addresses: &[SocketAddr],
) -> Result<Option<Announced>, ClusterError> {
    let reachable = |address: &&SocketAddr| !address.ip().is_loopback() && !address.ip().is_unspecified();
    let ips: Vec<IpAddr> = addresses.iter().filter(reachable).map(SocketAddr::ip).collect();
    let Some(port) = addresses
        .first()
        .map(SocketAddr::port)
        .filter(|_| !ips.is_empty())
    else {
        return Ok(None);
    };
    let short = node.0.get(..12).unwrap_or(&node.0);
    let text = [
        ("key", node.0.as_str()),
        ("cluster", cluster.0.as_str()),
        ("name", label),
    ];
    let host = format!("stead-{short}.local.");
    let info = ServiceInfo::new(
        SERVICE,
        &format!("stead {short}"),
        &host,
        &ips[..],
        port,
        &text[..],
    );
    let daemon = ServiceDaemon::new().map_err(failed)?;
    daemon.register(info.map_err(failed)?).map_err(failed)?;
    Ok(Some(Announced(daemon)))
}

/// A member that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearby {
    /// How it is reached.
    pub ticket: Ticket,
    /// What people call it.
    pub label: String,
    /// What tells its cluster from others.
    pub cluster: String,
}

fn nearby(service: &ResolvedService) -> Option<Nearby> {
    let text = |name| service.get_property_val_str(name).map(str::to_owned);
    let node = NodeId(text("key")?);
    node.public_key()?;
    let ips = service.get_addresses().iter().map(mdns_sd::ScopedIp::to_ip_addr);
    // A link-local address means nothing without the interface that it was seen on.
    let global = |ip: &IpAddr| !matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
    let addresses: Vec<SocketAddr> = ips
        .filter(global)
        .map(|ip| (ip, service.get_port()).into())
        .collect();
    (!addresses.is_empty()).then_some(Nearby {
        ticket: Ticket { node, addresses },
        label: text("name").unwrap_or_default(),
        cluster: text("cluster").unwrap_or_default(),
    })
}

/// Looks for members of a cluster nearby, for at most so long.
///
/// # Errors
/// [`ClusterError::Refused`] where there is none, or where there are several clusters.
pub async fn find_nearby(limit: Duration) -> Result<Nearby, ClusterError> {
    let daemon = ServiceDaemon::new().map_err(failed)?;
    let events = daemon.browse(SERVICE).map_err(failed)?;
    let mut found: BTreeMap<String, Nearby> = BTreeMap::new();
    let mut until = Instant::now() + limit;
    while let Ok(Ok(event)) = tokio::time::timeout_at(until, events.recv_async()).await {
        let ServiceEvent::ServiceResolved(service) = event else {
            continue;
        };
        if let Some(member) = nearby(&service) {
            if found.is_empty() {
                until = until.min(Instant::now() + GATHER);
            }
            found.entry(member.cluster.clone()).or_insert(member);
        }
    }
    // It ends by itself; that nobody waits for it is fine.
    let _ = daemon.shutdown();
    let several = found.len() > 1;
    match found.into_values().next() {
        Some(member) if !several => Ok(member),
        Some(_) => Err(ClusterError::Refused(
            "there are several clusters nearby: say which by a ticket (`stead ticket` there)".into(),
        )),
        None => Err(ClusterError::Refused(
            "no cluster was found nearby: its nodes have to listen where this one can reach them, else take a ticket \
             (`stead ticket` there)"
                .into(),
        )),
    }
}
