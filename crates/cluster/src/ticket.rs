//! What a node needs to reach a member: its key and where it is, as one word.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use stead_event::NodeId;

/// How every ticket begins.
const PREFIX: &str = "stead1-";
/// Longer words are no tickets.
const MAX: usize = 4096;

/// A member's key and addresses. It lets nobody in by itself: a member still has to approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The member.
    pub node: NodeId,
    /// Where it listens for datagrams.
    pub addresses: Vec<SocketAddr>,
}

/// Why a word is no ticket.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a ticket: {0}")]
pub struct TicketError(String);

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = serde_ipld_dagcbor::to_vec(self).map_err(|_| fmt::Error)?;
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Ticket {
    type Err = TicketError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let body = text
            .trim()
            .strip_prefix(PREFIX)
            .ok_or_else(|| TicketError(format!("it does not begin with {PREFIX}")))?;
        if body.len() > MAX {
            return Err(TicketError("it is too long".into()));
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(body)
            .map_err(|_| TicketError("letters of it are missing or wrong".into()))?;
        let ticket: Self = serde_ipld_dagcbor::from_slice(&bytes)
            .map_err(|_| TicketError("letters of it are missing or wrong".into()))?;
        if ticket.addresses.is_empty() {
            return Err(TicketError("it names no address".into()));
        }
        Ok(ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_read_back_and_a_cut_one_refused() {
        let ticket = Ticket {
            node: NodeId("ab".repeat(32)),
            addresses: vec!["127.0.0.1:7304".parse().expect("is an address")],
        };
        let word = ticket.to_string();
        assert_eq!(
            format!(" {word}\n").parse::<Ticket>().expect("is a ticket"),
            ticket
        );
        for cut in 0..word.len() {
            assert!(word[..cut].parse::<Ticket>().is_err(), "{cut}");
        }
        assert!("7XKQ2M".parse::<Ticket>().is_err());
    }
}
