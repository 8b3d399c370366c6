//! Asking a small device over HTTP: one connection, one question, bounded.
//!
//! Never: TLS. Plugs and meters in a home speak plain HTTP; an `https` address is refused with a word about it.

use crate::error::{Why, quote};
use crate::source::{MAX_REPLY_BYTES, patiently};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::handshake;
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use std::fmt;
use std::str::FromStr;
use tokio::net::TcpStream;

/// Where a device is: `[http://][USER:PASSWORD@]HOST[:PORT]`. Shown without its login.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    authority: String,
    login: Option<(String, String)>,
}

impl FromStr for Address {
    type Err = Why;

    fn from_str(text: &str) -> Result<Self, Why> {
        if text.starts_with("https://") {
            return Err(Why::Address(
                "plugs and meters are asked over http, without TLS".into(),
            ));
        }
        let rest = text.strip_prefix("http://").unwrap_or(text);
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (Some(login), rest),
            None => (None, rest),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        // Names with an underscore exist on home networks.
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        if authority.is_empty() || !authority.chars().all(fits) {
            return Err(Why::Address(format!(
                "{} is not HOST or HOST:PORT",
                quote(authority)
            )));
        }
        let login = login.map(|login| {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            (user.to_owned(), password.to_owned())
        });
        Ok(Self {
            authority: authority.to_owned(),
            login,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.authority)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.authority)
    }
}

impl Address {
    /// Who to log in as, where the address said.
    pub(crate) fn login(&self) -> Option<(&str, &str)> {
        let (user, password) = self.login.as_ref()?;
        Some((user, password))
    }

    fn place(&self) -> String {
        with_port(&self.authority, 80)
    }
}

/// The place with a port, `default` where it names none. A bare IPv6 address is put into brackets.
pub(crate) fn with_port(authority: &str, default: u16) -> String {
    if authority.parse::<std::net::Ipv6Addr>().is_ok() {
        return format!("[{authority}]:{default}");
    }
    let port = authority.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => authority.to_owned(),
        _ => format!("{authority}:{default}"),
    }
}

/// What a device answered.
pub(crate) struct Reply {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON, where the answer is 200.
    pub fn json(&self) -> Result<serde_json::Value, Why> {
        match self.status {
            StatusCode::OK => serde_json::from_slice(&self.body).map_err(Why::answer),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Err(Why::Login(format!("it answered {}", self.status)))
            }
            status => Err(Why::Answer(format!("status {status}"))),
        }
    }
}

/// Asks for a path, with its login as HTTP Basic.
pub(crate) async fn get(address: &Address, path: &str) -> Result<Reply, Why> {
    patiently(exchange(address, path)).await
}

async fn exchange(address: &Address, path: &str) -> Result<Reply, Why> {
    let broken = |error: hyper::Error| Why::Unreachable(error.to_string());
    let stream = TcpStream::connect(address.place()).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let mut request = Request::get(path)
        .header(header::HOST, &address.authority)
        .header(header::CONNECTION, "close");
    if let Some((user, password)) = address.login() {
        let basic = STANDARD.encode(format!("{user}:{password}"));
        request = request.header(header::AUTHORIZATION, format!("Basic {basic}"));
    }
    let request = request
        .body(Empty::<Bytes>::new())
        .map_err(|error| Why::Address(error.to_string()))?;
    let asked = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        let body = collect(response.into_body()).await?;
        Ok(Reply { status, body })
    };
    // The connection may end before its last bytes are taken, so its end says nothing.
    let driven = async {
        let _ = connection.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        reply = asked => reply,
        () = driven => Err(Why::Unreachable("the connection ended".into())),
    }
}

async fn collect(mut body: hyper::body::Incoming) -> Result<Bytes, Why> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Why::Unreachable(error.to_string()))?;
        if let Ok(data) = frame.into_data() {
            if bytes.len() + data.len() > MAX_REPLY_BYTES {
                return Err(Why::TooLong(MAX_REPLY_BYTES));
            }
            bytes.extend_from_slice(&data);
        }
    }
    Ok(bytes.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> String {
        text.parse::<Address>().unwrap().place()
    }

    #[test]
    fn addresses_are_taken_as_people_write_them() {
        assert_eq!(place("10.0.0.5"), "10.0.0.5:80");
        assert_eq!(place("http://plug-1.lan:8080/"), "plug-1.lan:8080");
        assert_eq!(place("[fd00::5]"), "[fd00::5]:80");
        assert_eq!(place("[fd00::5]:81"), "[fd00::5]:81");
        assert_eq!(with_port("fd00::5", 3493), "[fd00::5]:3493");
        for wrong in [
            "",
            "http://",
            "https://10.0.0.5",
            "10.0.0.5/status",
            "a b",
            "a\r\nb",
        ] {
            assert!(
                matches!(wrong.parse::<Address>(), Err(Why::Address(_))),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_login_is_never_shown() {
        let address: Address = "http://admin:s3cret@10.0.0.5".parse().unwrap();
        assert_eq!(address.login(), Some(("admin", "s3cret")));
        assert_eq!(format!("{address} {address:?}"), "10.0.0.5 Address(10.0.0.5)");
    }
}
