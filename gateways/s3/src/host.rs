//! Virtual hosts: which bucket the name of the host says, where it says one.
//!
//! `Host: photos.s3.example.com` with the configured domain `s3.example.com` is about the bucket `photos`. A
//! domain itself, an address, and any other name are path style. What is signed stays what was sent.
//! `photos.s3-website.example.com` is the website of the same bucket ([`crate::website`]).

use s3s::S3Result;
use s3s::host::{S3Host, VirtualHost};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The domains below which hosts are buckets. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Domains(Arc<[String]>);

impl Domains {
    /// From names as they are configured.
    pub fn new(names: &[String]) -> Self {
        let mut names: Vec<_> = names
            .iter()
            .map(|name| name.trim_matches('.').to_ascii_lowercase())
            .filter(|name| !name.is_empty())
            .collect();
        // Of two domains that one host is below, the longer one is meant.
        names.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self(names.into())
    }

    /// The bucket whose website a host (with or without a port) is.
    pub fn site(&self, host: &str) -> Option<String> {
        let host = name(host)?;
        self.0.iter().find_map(|domain| {
            let above = domain.strip_prefix("s3.").unwrap_or(domain);
            let before = host.strip_suffix(above)?.strip_suffix(".s3-website.")?;
            (!before.is_empty()).then(|| before.to_owned())
        })
    }

    /// The bucket that a host (with or without a port) says.
    pub fn bucket(&self, host: &str) -> Option<String> {
        let host = name(host)?;
        for domain in &*self.0 {
            let Some(before) = host.strip_suffix(domain.as_str()) else {
                continue;
            };
            if before.is_empty() {
                return None;
            }
            if let Some(bucket) = before.strip_suffix('.').filter(|bucket| !bucket.is_empty()) {
                return Some(bucket.to_owned());
            }
        }
        None
    }
}

/// The name in a host, lower case; none for an address.
fn name(host: &str) -> Option<String> {
    if host.parse::<SocketAddr>().is_ok() || host.starts_with('[') {
        return None;
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    (!name.is_empty() && name.parse::<IpAddr>().is_err()).then(|| name.to_ascii_lowercase())
}

impl S3Host for Domains {
    fn parse_host_header<'a>(&'a self, host: &'a str) -> S3Result<VirtualHost<'a>> {
        let parsed = VirtualHost::new(host);
        Ok(match self.bucket(host) {
            Some(bucket) => parsed.with_bucket(bucket),
            None => parsed,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_below_a_domain_is_a_bucket() {
        let domains = Domains::new(&[
            "localhost".into(),
            "S3.localhost.".into(),
            "s3.example.com".into(),
        ]);
        for (host, bucket) in [
            ("photos.localhost:7300", Some("photos")),
            ("photos.s3.localhost", Some("photos")),
            ("Photos.S3.LocalHost.:80", Some("photos")),
            ("a.b.s3.example.com", Some("a.b")),
            ("s3.localhost:7300", None),
            ("localhost", None),
            ("s3.example.com", None),
            ("example.com", None),
            ("notlocalhost", None),
            (".localhost", None),
            ("127.0.0.1:7300", None),
            ("10.0.0.1", None),
            ("[::1]:7300", None),
            ("::1", None),
            ("", None),
        ] {
            assert_eq!(domains.bucket(host).as_deref(), bucket, "{host}");
        }
        for (host, bucket) in [
            ("photos.s3-website.localhost:80", Some("photos")),
            ("a.b.s3-website.example.com", Some("a.b")),
            ("s3-website.localhost", None),
            ("photos.localhost", None),
        ] {
            assert_eq!(domains.site(host).as_deref(), bucket, "{host}");
        }
        assert_eq!(Domains::default().bucket("photos.localhost"), None);
    }
}
