//! AWS Signature Version 4 in headers, as a client computes it (AWS's "Signature Version 4 signing process").
//!
//! Our own rather than the gateway's: what checks Stead should not share its mistakes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// For a body whose hash is not part of the signature.
pub const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// Who signs, for which region.
#[derive(Clone, Debug)]
pub struct Key {
    /// The public half.
    pub access: String,
    /// The secret half.
    pub secret: String,
    /// `us-east-1`, `garage`.
    pub region: String,
}

/// Signs requests to one host on one day.
#[derive(Clone)]
pub struct Signer {
    key: Key,
    service: &'static str,
    host: String,
    /// `20261120T160000Z`
    stamp: String,
    signing_key: [u8; 32],
}

/// One request, to be signed.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, …
    pub method: &'a str,
    /// Percent-encoded, with its leading slash.
    pub path: &'a str,
    /// Percent-encoded, sorted by name, each with its `=`; empty for none.
    pub query: &'a str,
    /// Hex SHA-256 of the body, or [`UNSIGNED`].
    pub payload: &'a str,
    /// Further headers, names in lower case; they are signed too.
    pub headers: &'a [(&'a str, &'a str)],
    /// Of the body, in bytes.
    pub length: u64,
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length is right for HMAC");
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// Hex SHA-256.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Everything but unreserved characters (and `/`, where it is kept) as `%XX`.
pub fn encode(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte as char),
            b'/' if keep_slash => out.push('/'),
            _ => {
                let _ = write!(out, "%{byte:02X}"); // a String takes everything
            }
        }
    }
    out
}

/// `YYYYMMDDTHHMMSSZ` (civil date from days: H. Hinnant, "chrono-compatible low-level date algorithms").
pub fn amz_date(at: SystemTime) -> String {
    let seconds = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, rest) = ((seconds / 86_400) as i64, seconds % 86_400);
    let z = days + 719_468;
    let era = z / 146_097;
    let doe = z - era * 146_097;
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        rest / 3_600,
        rest / 60 % 60,
        rest % 60
    )
}

impl Signer {
    /// A signer of S3 whose requests are good for the next quarter of an hour.
    pub fn new(key: &Key, host: &str) -> Self {
        Self::of_service(key, host, "s3")
    }

    /// The same for another service: `stead` is the HTTP API's.
    pub fn of_service(key: &Key, host: &str, service: &'static str) -> Self {
        let stamp = amz_date(SystemTime::now());
        let mut signing_key = hmac(format!("AWS4{}", key.secret).as_bytes(), &stamp.as_bytes()[..8]);
        for part in [key.region.as_str(), service, "aws4_request"] {
            signing_key = hmac(&signing_key, part.as_bytes());
        }
        Self {
            key: key.clone(),
            service,
            host: host.to_owned(),
            stamp,
            signing_key,
        }
    }

    /// The whole request head, ending with its empty line.
    pub fn head(&self, request: Request<'_>) -> Vec<u8> {
        let mut headers: Vec<(&str, &str)> = vec![
            ("host", &self.host),
            ("x-amz-content-sha256", request.payload),
            ("x-amz-date", &self.stamp),
        ];
        headers.extend_from_slice(request.headers);
        headers.sort_unstable();
        let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let mut canonical = format!("{}\n{}\n{}\n", request.method, request.path, request.query);
        let mut head = match request.query {
            "" => format!("{} {} HTTP/1.1\r\n", request.method, request.path),
            query => format!("{} {}?{query} HTTP/1.1\r\n", request.method, request.path),
        };
        for (name, value) in &headers {
            let _ = writeln!(canonical, "{name}:{value}");
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let _ = write!(canonical, "\n{names}\n{}", request.payload);
        let scope = format!(
            "{}/{}/{}/aws4_request",
            &self.stamp[..8],
            self.key.region,
            self.service
        );
        let text = format!(
            "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
            self.stamp,
            sha256(canonical.as_bytes())
        );
        let signature = hex::encode(hmac(&self.signing_key, text.as_bytes()));
        let _ = write!(
            head,
            "authorization: AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}\r\n\
             content-length: {}\r\n\r\n",
            self.key.access, request.length
        );
        head.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_and_escapes_are_as_aws_writes_them() {
        assert_eq!(
            amz_date(UNIX_EPOCH + Duration::from_secs(1_369_353_600)),
            "20130524T000000Z"
        );
        assert_eq!(
            amz_date(UNIX_EPOCH + Duration::from_secs(1_709_164_799)),
            "20240228T235959Z"
        );
        assert_eq!(encode("a b/ä", true), "a%20b/%C3%A4");
        assert_eq!(encode("a/b", false), "a%2Fb");
    }

    /// The "GET Object" example of AWS's SigV4 documentation, whose signature is printed there.
    #[test]
    fn the_documented_example_gives_the_documented_signature() {
        let key = Key {
            access: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            region: "us-east-1".to_owned(),
        };
        let mut signer = Signer::new(&key, "examplebucket.s3.amazonaws.com");
        signer.stamp = "20130524T000000Z".to_owned();
        let mut signing_key = hmac(format!("AWS4{}", key.secret).as_bytes(), b"20130524");
        for part in ["us-east-1", "s3", "aws4_request"] {
            signing_key = hmac(&signing_key, part.as_bytes());
        }
        signer.signing_key = signing_key;
        let payload = sha256(b"");
        let headers = [("range", "bytes=0-9")];
        let request = Request {
            method: "GET",
            path: "/test.txt",
            query: "",
            payload: &payload,
            headers: &headers,
            length: 0,
        };
        let head = String::from_utf8(signer.head(request)).expect("a head is text");
        let wanted = "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert!(head.contains(wanted), "{head}");
    }
}
