//! Opaque texts in listings: continuation tokens, and `encoding-type=url`.

use crate::xml::printable;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::EncodingType;
use s3s::{S3Result, s3_error};

/// The token's first byte: tokens of another release may mean something else.
const VERSION: u8 = 1;

/// A continuation token that stands for a key.
pub fn write(key: &str) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(key.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The key that a continuation token stands for.
pub fn read(token: &str) -> S3Result<String> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .filter(|bytes| bytes.first() == Some(&VERSION))
        .and_then(|bytes| String::from_utf8(bytes[1..].to_vec()).ok())
        .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
}

/// What S3 leaves as it is.
const KEPT: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'*')
    .remove(b'/');

/// Writes keys in a listing the way that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(bool);

impl Encoding {
    /// From `encoding-type`.
    pub fn of(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None | Some("") => Ok(Self(false)),
            Some("url") => Ok(Self(true)),
            Some(_) => Err(s3_error!(
                InvalidArgument,
                "Invalid Encoding Method specified in Request"
            )),
        }
    }

    /// A key, prefix, delimiter or marker as the listing has it. A client that has keys that XML cannot hold
    /// asks for `encoding-type=url`.
    pub fn text(self, text: &str) -> String {
        if self.0 {
            utf8_percent_encode(text, &KEPT).to_string()
        } else {
            printable(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_round_trip_and_others_are_refused() {
        for key in ["", "a", "ä/ö key"] {
            assert_eq!(read(&write(key)).unwrap(), key);
        }
        for bad in ["", "!", "AGE", "_w"] {
            assert_eq!(read(bad).unwrap_err().code().as_str(), "InvalidArgument", "{bad}");
        }
    }

    #[test]
    fn keys_are_encoded_as_asked() {
        let url = Encoding::of(Some(&EncodingType::from_static("url"))).unwrap();
        assert_eq!(url.text("a b/c+d_é"), "a%20b/c%2Bd_%C3%A9");
        let plain = Encoding::of(None).unwrap();
        assert_eq!(plain.text("a b\u{1}"), "a b\u{fffd}");
        assert!(Encoding::of(Some(&EncodingType::from_static("gzip"))).is_err());
    }
}
