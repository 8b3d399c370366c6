//! Which names are legal: AWS's rules for buckets, and what a key may be.

use super::ObjectError;
use std::net::Ipv4Addr;

const RESERVED_PREFIXES: &[&str] = &["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: &[&str] = &["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// The longest key, in bytes of UTF-8.
pub const KEY_MAX: usize = 1024;

/// The name of a bucket to be made, by AWS's rules for general purpose buckets
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
pub fn bucket(name: &str) -> Result<(), ObjectError> {
    match bucket_fault(name) {
        None => Ok(()),
        Some(why) => Err(ObjectError::BucketName {
            name: name.chars().take(80).collect(),
            why,
        }),
    }
}

fn bucket_fault(name: &str) -> Option<&'static str> {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if !(3..=63).contains(&name.len()) {
        return Some("it must be 3 to 63 characters long");
    }
    if !name.bytes().all(|b| alphanumeric(b) || b == b'.' || b == b'-') {
        return Some("only lower-case letters, digits, hyphens and dots are allowed");
    }
    let ends = [name.as_bytes()[0], name.as_bytes()[name.len() - 1]];
    if !ends.into_iter().all(alphanumeric) {
        return Some("it must begin and end with a letter or a digit");
    }
    if name.contains("..") {
        return Some("two dots may not stand side by side");
    }
    if name.contains(".-") || name.contains("-.") {
        return Some("what stands between two dots must begin and end with a letter or a digit");
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return Some("it may not look like an IP address");
    }
    if RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Some("its beginning is reserved by S3");
    }
    if RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
        return Some("its end is reserved by S3");
    }
    None
}

/// A key: 1 to 1,024 bytes of UTF-8 without NUL, whose `..` segments (if any) stay below the bucket's
/// root. Empty and `.` segments lead nowhere and so do not make up for a `..`; that is stricter than a
/// URL's normalisation, and what a file system would do with the key.
pub fn key(key: &str) -> Result<(), ObjectError> {
    if key.is_empty() {
        return Err(ObjectError::KeyName { why: "it is empty" });
    }
    if key.len() > KEY_MAX {
        return Err(ObjectError::KeyTooLong { bytes: key.len() });
    }
    if key.contains('\0') {
        return Err(ObjectError::KeyName {
            why: "it contains a NUL character",
        });
    }
    if climbs(key) {
        return Err(ObjectError::KeyName {
            why: "its `..` segments climb above the bucket's root",
        });
    }
    Ok(())
}

fn climbs(key: &str) -> bool {
    if !key.contains("..") {
        return false;
    }
    let mut depth = 0_usize;
    for segment in key.split('/') {
        match segment {
            "" | "." => {}
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names() {
        for good in [
            "abc",
            "my-bucket",
            "a.b.c",
            "0-9",
            "1.2.3",
            "300.1.1.1",
            &"a".repeat(63),
        ] {
            assert!(bucket(good).is_ok(), "{good}");
        }
        let bad = [
            "ab",
            "",
            "Abc",
            "a_b",
            "-ab",
            "ab-",
            "a..b",
            "a-.b",
            "a.-b",
            ".ab",
            "192.168.5.4",
            "xn--abc",
            "abc--x-s3",
        ];
        for bad in bad
            .into_iter()
            .chain([&*"a".repeat(64), "bücket", "a b", "sthree-x", "x-s3alias"])
        {
            assert!(
                matches!(bucket(bad), Err(ObjectError::BucketName { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn keys() {
        for good in [
            "a",
            "a/../b",
            "/a//b/",
            "a/b/../../c",
            "..a",
            "a..",
            "a/.../b",
            "ü/☃",
            &"k".repeat(1024),
        ] {
            assert!(key(good).is_ok(), "{good}");
        }
        assert!(matches!(
            key(&"k".repeat(1025)),
            Err(ObjectError::KeyTooLong { bytes: 1025 })
        ));
        for bad in [
            "",
            "..",
            "../a",
            "a/../../b",
            "/../a",
            "a//../../b",
            "./../a",
            "a\0b",
        ] {
            assert!(matches!(key(bad), Err(ObjectError::KeyName { .. })), "{bad:?}");
        }
    }
}
