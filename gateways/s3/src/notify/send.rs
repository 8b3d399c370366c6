//! One message to one webhook: HTTP/1.1, over TLS where its URL says so, one connection that is used again.
//!
//! The address is looked up here, checked, and connected to as it was checked, so that no name can lead
//! somewhere else in between.

use super::tls;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use sha2::Sha256;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use stead_gateway::{ReadContext, TaskKind};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// What of an answer is read, so that the connection can be used again.
const ANSWER_MAX: usize = 64 << 10;

/// Where a webhook is.
#[derive(Clone, Debug)]
pub struct Place {
    authority: String,
    host: String,
    port: u16,
    path: String,
    tls: bool,
}

impl Place {
    /// From its URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|_| format!("{url:?} is not a URL"))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(format!("{url:?} must begin with http:// or https://")),
        };
        let (Some(authority), Some(host)) = (uri.authority(), uri.host()) else {
            return Err(format!("{url:?} names no host"));
        };
        if authority.as_str().contains('@') || host.is_empty() {
            return Err(format!("{url:?} must not name a user"));
        }
        Ok(Self {
            authority: authority.to_string(),
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            tls,
        })
    }
}

/// Sends to one webhook.
pub struct Sender {
    place: Place,
    ca: Option<PathBuf>,
    secret: Option<String>,
    allow_private: bool,
    context: ReadContext,
    connection: Option<SendRequest<Full<Bytes>>>,
}

impl Sender {
    /// Not connected yet.
    pub fn new(
        place: Place,
        ca: Option<PathBuf>,
        secret: Option<String>,
        allow_private: bool,
        context: ReadContext,
    ) -> Self {
        Self {
            place,
            ca,
            secret,
            allow_private,
            context,
            connection: None,
        }
    }

    /// Posts a message; any answer but 2xx is a failure, a redirect too.
    pub async fn post(&mut self, message: Bytes) -> Result<(), String> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_ready() => connection,
            _ => self.connect().await?,
        };
        let request = self.request(message)?;
        let answer = timeout(ANSWER, async {
            let answer = connection
                .send_request(request)
                .await
                .map_err(|e| e.to_string())?;
            let status = answer.status();
            let read = Limited::new(answer.into_body(), ANSWER_MAX).collect().await;
            Ok::<_, String>((status, read.is_ok()))
        });
        let (status, whole) = answer
            .await
            .map_err(|_| format!("it did not answer within {} seconds", ANSWER.as_secs()))??;
        if whole {
            self.connection = Some(connection);
        }
        match status {
            status if status.is_success() => Ok(()),
            status if status.is_redirection() => {
                Err(format!("it answered {status}; redirects are not followed"))
            }
            StatusCode::GONE | StatusCode::NOT_FOUND => {
                Err(format!("it answered {status}: is the URL right?"))
            }
            status => Err(format!("it answered {status}")),
        }
    }

    fn request(&self, message: Bytes) -> Result<Request<Full<Bytes>>, String> {
        let mut request = Request::post(&self.place.path)
            .header(HOST, &self.place.authority)
            .header(USER_AGENT, "Stead")
            .header(CONTENT_TYPE, "application/json");
        if let Some(secret) = &self.secret {
            let now = self.context.now().as_secs();
            let digest = sign(secret, now, &message);
            request = request.header("x-stead-signature", format!("t={now},v1={digest}"));
        }
        request.body(Full::new(message)).map_err(|e| e.to_string())
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let Place { host, port, .. } = &self.place;
        let found = timeout(CONNECT, tokio::net::lookup_host((host.as_str(), *port))).await;
        let found: Vec<SocketAddr> = found
            .map_err(|_| format!("{host} was not found in time"))?
            .map_err(|e| format!("{host} is not found: {e}"))?
            .collect();
        if !self.allow_private
            && let Some(address) = found.iter().find(|address| !is_public(address.ip()))
        {
            return Err(format!(
                "{host} is {}, which is not a public address: allow_private = true lets it be",
                address.ip()
            ));
        }
        let mut why = format!("{host} has no address");
        for address in found {
            match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    let _ = stream.set_nodelay(true); // slower without, not wrong
                    return match self.place.tls {
                        true => {
                            self.shake_hands(tls::connect(stream, host, self.ca.clone()).await?)
                                .await
                        }
                        false => self.shake_hands(stream).await,
                    };
                }
                Ok(Err(error)) => why = format!("{address} cannot be reached: {error}"),
                Err(_) => why = format!("{address} cannot be reached in time"),
            }
        }
        Err(why)
    }

    async fn shake_hands<S>(&self, stream: S) -> Result<SendRequest<Full<Bytes>>, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        self.context
            .tasks
            .spawn(TaskKind::Background, "notify connection", async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection to a webhook ended");
                }
            });
        Ok(sender)
    }
}

/// HMAC-SHA256 of the time and the message, in hexadecimal.
fn sign(secret: &str, now: i64, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(format!("{now}.").as_bytes());
    mac.update(message);
    hex::encode(mac.finalize().into_bytes())
}

/// Whether anybody on the internet would reach the same place by this address.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = ip.segments();
    let inner = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match (a, b) {
        // Addresses that carry one of version 4.
        (0, 0) if [c, d, e, f] == [0, 0, 0, 0xffff] => inner(g, h),
        (0x64, 0xff9b) => [c, d, e, f] == [0, 0, 0, 0] && inner(g, h),
        (0x2002, _) => inner(b, c),
        (0x2001, 0..=0x1ff | 0xdb8) => false,
        // Of all others, only 2000::/3 is given out.
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for public in ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "172.32.0.1"] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "ff02::1",
        ] {
            assert!(!is_public(private.parse().unwrap()), "{private}");
        }
    }

    #[test]
    fn signatures_are_over_time_and_message() {
        let one = sign("secret", 1, b"message");
        assert_eq!(one.len(), 64);
        assert_ne!(one, sign("secret", 2, b"message"));
        assert_ne!(one, sign("other", 1, b"message"));
    }
}
