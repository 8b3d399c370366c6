//! What a request must be before anything is done for it: meant for this node, and from this very origin.

use http::header::{COOKIE, HOST, HeaderName, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, Method};
use std::net::IpAddr;
use subtle::ConstantTimeEq;

/// Carries the session's token on requests that change something.
pub(crate) const CSRF: HeaderName = HeaderName::from_static("x-stead-csrf");
/// Where a browser says from where a request comes.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The host that a request names, with its port.
pub(crate) fn host(parts: &Parts) -> Option<&str> {
    match parts.uri.authority() {
        Some(authority) => Some(authority.as_str()),
        None if parts.headers.get_all(HOST).iter().count() == 1 => text(&parts.headers, &HOST),
        None => None,
    }
}

/// Whether a host is this node: loopback's name, any address, or a name of the settings. Another name may be
/// a stranger's that he lets point here (DNS rebinding); an address cannot be.
pub(crate) fn is_ours(host: &str, hosts: &[String]) -> bool {
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => match host.rsplit_once(':') {
            Some((name, port)) if digits(port) => name,
            _ => host,
        },
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok()
        || hosts.iter().any(|own| own.eq_ignore_ascii_case(name))
}

/// Whether a method only reads.
pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

/// Whether a page of this origin (or a person, in the address bar) asks. Cookies know no ports: a page of
/// another program on this machine is the same *site*, so the origin is compared.
pub(crate) fn is_same_origin(parts: &Parts) -> bool {
    let fetched =
        text(&parts.headers, &SEC_FETCH_SITE).is_none_or(|site| matches!(site, "same-origin" | "none"));
    let origin = match parts.headers.get(ORIGIN) {
        None => true,
        Some(origin) => {
            let origin = origin.to_str().unwrap_or_default();
            let own = origin.strip_prefix("http://").or(origin.strip_prefix("https://"));
            own.is_some() && own == host(parts)
        }
    };
    fetched && origin
}

/// Whether the request repeats the session's token. A link, a form or an image of another page cannot.
pub(crate) fn has_token(headers: &HeaderMap, csrf: &str) -> bool {
    let told = text(headers, &CSRF).unwrap_or_default();
    told.as_bytes().ct_eq(csrf.as_bytes()).into()
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .find_map(|pair| {
            let (own, value) = pair.trim().split_once('=')?;
            (own == name).then_some(value)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri("/api/v1/status");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_name_that_is_not_ours_is_refused_and_an_address_is_not() {
        let hosts = ["nas.home".to_owned()];
        for ours in [
            "localhost",
            "LOCALHOST:7302",
            "127.0.0.1:7302",
            "127.9.9.9",
            "[::1]:80",
            "[::1]",
            "10.0.0.7:7302",
            "nas.home",
            "NAS.home:80",
        ] {
            assert!(is_ours(ours, &hosts), "{ours}");
        }
        for other in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example:7302",
            "127.0.0.1.evil.example",
            "nas.home.",
            "127.0.0.1:80@evil.example",
            "[evil]",
            "xlocalhost",
        ] {
            assert!(!is_ours(other, &hosts), "{other}");
        }
    }

    #[test]
    fn only_this_origin_is_the_same() {
        let host = ("host", "127.0.0.1:7302");
        assert!(
            is_same_origin(&parts(&[host])),
            "a program without a browser's headers"
        );
        assert!(is_same_origin(&parts(&[
            host,
            ("origin", "http://127.0.0.1:7302")
        ])));
        assert!(is_same_origin(&parts(&[host, ("sec-fetch-site", "none")])));
        for other in [
            ("origin", "http://127.0.0.1:3000"),
            ("origin", "null"),
            ("origin", "http://evil.example"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "cross-site"),
        ] {
            assert!(!is_same_origin(&parts(&[host, other])), "{other:?}");
        }
        assert!(!is_same_origin(&parts(&[
            ("host", "a"),
            ("host", "b"),
            ("origin", "http://a")
        ])));
    }

    #[test]
    fn a_cookie_is_found_among_others_and_the_token_must_be_whole() {
        let parts = parts(&[("cookie", "a=1; stead-x=abc;b=2"), ("x-stead-csrf", "t0ken")]);
        assert_eq!(cookie(&parts.headers, "stead-x"), Some("abc"));
        assert_eq!(cookie(&parts.headers, "stead"), None);
        assert!(has_token(&parts.headers, "t0ken"));
        assert!(!has_token(&parts.headers, "t0ke") && !has_token(&HeaderMap::new(), "t"));
    }
}
