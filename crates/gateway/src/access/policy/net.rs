//! Networks, for `IpAddress`.

use std::net::IpAddr;

/// A network: an address and how many of its leading bits count. IPv4 lies within IPv6 as mapped addresses do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    bits: u128,
    length: u32,
    v4: bool,
}

fn bits(address: IpAddr) -> (u128, bool) {
    match address.to_canonical() {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, true),
        IpAddr::V6(address) => (u128::from(address), false),
    }
}

impl Network {
    /// `192.0.2.0/24`, `2001:db8::/32`, or one address.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let (bits, v4) = bits(address.parse().ok()?);
        let most = if v4 { 32 } else { 128 };
        let length = match length {
            Some(length) if length.bytes().all(|b| b.is_ascii_digit()) => length.parse().ok()?,
            Some(_) => return None,
            None => most,
        };
        (length <= most).then_some(Self { bits, length, v4 })
    }

    /// Whether an address lies in it.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        let (bits, v4) = bits(address);
        let mask = u128::MAX.checked_shl(128 - self.length).unwrap_or(0);
        v4 == self.v4 && bits & mask == self.bits & mask
    }

    /// Whether it is so wide that a policy that lets it in lets everybody in: wider than /8 (IPv4) or /32
    /// (IPv6).
    pub(super) fn is_wide(&self) -> bool {
        self.length < if self.v4 { 8 } else { 32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_have_their_addresses() {
        for (network, address, has) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7/32", "192.0.2.8", false),
            ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "8.8.8.8", false),
            ("127.0.0.1/8", "::ffff:127.0.0.9", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
        ] {
            let network = Network::parse(network).unwrap();
            assert_eq!(
                network.has(address.parse().unwrap()),
                has,
                "{network:?} {address}"
            );
        }
        for bad in [
            "",
            "1.2.3",
            "1.2.3.4/33",
            "1.2.3.4/",
            "1.2.3.4/+8",
            "::/129",
            "a/8",
        ] {
            assert_eq!(Network::parse(bad), None, "{bad}");
        }
        assert!(
            Network::parse("0.0.0.0/1").unwrap().is_wide()
                && !Network::parse("10.0.0.0/8").unwrap().is_wide()
        );
    }
}
