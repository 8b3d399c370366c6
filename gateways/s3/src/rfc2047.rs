//! Encoded words (RFC 2047): how header values carry text that is not ASCII.
//!
//! S3 documents that metadata values are decoded so before they are stored, and encoded so where they are
//! returned and are not ASCII.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;

/// Bytes of text in one word: its base64 and `=?UTF-8?B?` `?=` stay within 75 characters.
const WORD: usize = 45;

/// Text as a header value: itself where it is printable ASCII, else encoded words of UTF-8 in base64.
pub fn encode(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b) || b == b'\t') {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, behind) = rest.split_at(rest.floor_char_boundary(WORD));
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str("=?UTF-8?B?");
        STANDARD.encode_string(word, &mut out);
        out.push_str("?=");
        rest = behind;
    }
    Cow::Owned(out)
}

/// The text of a header value. What looks like an encoded word and is none stays as it is.
pub fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains("=?") {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some(at) = rest.find("=?") {
        let (before, from) = rest.split_at(at);
        // White space between two encoded words is not part of the text (§6.2).
        let between = after_word && before.trim().is_empty();
        match word(from) {
            Some((text, length)) => {
                out.push_str(if between { "" } else { before });
                out.push_str(&text);
                rest = &from[length..];
                after_word = true;
            }
            None => {
                out.push_str(before);
                out.push_str("=?");
                rest = &from[2..];
                after_word = false;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The text of the encoded word that `from` begins with, and its length there.
fn word(from: &str) -> Option<(String, usize)> {
    let inner = from.strip_prefix("=?")?;
    let (charset, rest) = inner.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (text, _) = rest.split_once("?=")?;
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(text).ok()?,
        "Q" | "q" => quoted(text)?,
        _ => return None,
    };
    let text_length = text.len();
    // RFC 2231 lets a language follow the charset.
    let charset = charset.split('*').next().unwrap_or_default();
    let decoded = if charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("us-ascii") {
        String::from_utf8(bytes).ok()?
    } else if charset.eq_ignore_ascii_case("iso-8859-1") {
        bytes.into_iter().map(char::from).collect()
    } else {
        return None;
    };
    let length = from.len() - rest.len() + text_length + 2;
    Some((decoded, length))
}

fn quoted(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'_' => bytes.push(b' '),
            b'=' => {
                let (digits, behind) = rest.split_at_checked(2)?;
                let mut byte = [0];
                hex::decode_to_slice(digits, &mut byte).ok()?;
                bytes.push(byte[0]);
                rest = behind;
            }
            other => bytes.push(other),
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ascii_stays() {
        assert_eq!(encode("plain text"), "plain text");
        assert_eq!(decode("plain = ? text"), "plain = ? text");
        assert_eq!(decode("=?nonsense"), "=?nonsense");
        assert_eq!(decode("=?UTF-8?X?YQ==?="), "=?UTF-8?X?YQ==?=");
    }

    #[test]
    fn other_text_round_trips_in_short_words() {
        for text in [
            "é",
            "Grüße aus Köln",
            "日本語のメタデータ、それもかなり長いので何語にも分かれる",
            "a\u{7f}b",
        ] {
            let coded = encode(text);
            assert!(coded.is_ascii());
            assert!(coded.split(' ').all(|word| word.len() <= 75), "{coded}");
            assert_eq!(decode(&coded), text);
        }
    }

    #[test]
    fn words_of_others_are_read() {
        assert_eq!(decode("=?UTF-8?Q?caf=C3=A9_au_lait?="), "café au lait");
        assert_eq!(decode("=?ISO-8859-1?Q?caf=E9?="), "café");
        assert_eq!(decode("a =?utf-8?b?w6k=?= =?utf-8?b?w6k=?= b"), "a éé b");
    }
}
