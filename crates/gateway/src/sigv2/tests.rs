//! The documentation's examples, and what must be refused.

use super::*;
use http::{HeaderMap, Method};

const ACCESS: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const PATH: &str = "/johnsmith/photos/puppy.jpg";
/// The example "Query string request authentication", with the bucket that its signature is for: later
/// editions renamed the bucket and kept the signature.
const QUERY: &str =
    "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D&Expires=1175139620";

fn at(secs: i64) -> Timestamp {
    Timestamp::default().plus_secs(secs)
}

const THEN: i64 = 1_175_139_620;

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let parsed =
        |(name, value): &(&'static str, &str)| (http::HeaderName::from_static(name), value.parse().unwrap());
    pairs.iter().map(parsed).collect()
}

fn check(
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    now: i64,
) -> Result<(), PresignError> {
    let request = Signable {
        method,
        path,
        query,
        headers,
    };
    let claim = parse(&request, at(now))?;
    assert_eq!(claim.access_key, ACCESS);
    verify(&claim, SECRET)
}

fn get(path: &str, query: &str) -> Result<(), PresignError> {
    check(&Method::GET, path, query, &HeaderMap::new(), THEN)
}

/// A query signed over `text`, which is given by hand.
fn signed(text: &str, query: &str) -> String {
    let signature = BASE64.encode(sign(SECRET, text)).replace('+', "%2B");
    format!("{query}&AWSAccessKeyId={ACCESS}&Expires={THEN}&Signature={signature}")
}

#[test]
fn the_documented_url() {
    assert_eq!(get(PATH, QUERY), Ok(()));
    let no = Err(PresignError::Mismatch);
    assert_eq!(get("/johnsmith/photos/kitten.jpg", QUERY), no);
    assert_eq!(get(PATH, &QUERY.replace("Npg", "npg")), no);
    assert_eq!(get(PATH, &QUERY.replace("Npg", "%20")), no);
    assert_eq!(get(PATH, &format!("{QUERY}&versionId=1")), no);
    assert_eq!(get(PATH, &format!("{QUERY}&acl")), no);
    assert_eq!(get(PATH, &format!("{QUERY}&response-content-type=a%2Fb")), no);
    assert_eq!(check(&Method::DELETE, PATH, QUERY, &HeaderMap::new(), THEN), no);
    for added in [
        ("x-amz-acl", "public-read"),
        ("content-type", "a/b"),
        ("content-md5", "x"),
    ] {
        assert_eq!(
            check(&Method::GET, PATH, QUERY, &headers(&[added]), THEN),
            no,
            "{added:?}"
        );
    }
    assert_eq!(get(PATH, &format!("{QUERY}&prefix=a&x-id=GetObject")), Ok(()));
}

/// The examples of the same page for the header, whose text to sign differs only in its date.
#[test]
fn the_documented_texts() {
    for (text, signature) in [
        (
            "GET\n\n\nTue, 27 Mar 2007 19:36:42 +0000\n/johnsmith/photos/puppy.jpg",
            "bWq2s1WEIj+Ydj0vQ697zp+IXMU=",
        ),
        (
            "PUT\n\nimage/jpeg\nTue, 27 Mar 2007 21:15:45 +0000\n/johnsmith/photos/puppy.jpg",
            "MyyxeRY7whkBe+bq8fHCL/2kKUg=",
        ),
        (
            "GET\n\n\nTue, 27 Mar 2007 19:44:46 +0000\n/johnsmith/?acl",
            "c2WLPFtWHVgbEmeEG93a4cG37dM=",
        ),
    ] {
        assert_eq!(BASE64.encode(sign(SECRET, text)), signature, "{text}");
    }
}

#[test]
fn headers_and_sub_resources_are_signed() {
    let text = format!(
        "PUT\nmd5\na/b\n{THEN}\nx-amz-acl:private\nx-amz-meta-a:1,2\n/b1b/k%20%C3%A9?partNumber=1&response-expires=a b&uploadId=x+y&uploads"
    );
    let query = signed(
        &text,
        "uploads=&uploadId=x%2By&response-expires=a+b&partNumber=1&max-keys=7",
    );
    let mut sent = headers(&[
        ("x-amz-meta-a", "1"),
        ("content-type", "a/b"),
        ("content-md5", "md5"),
    ]);
    sent.append("x-amz-meta-a", "2".parse().unwrap());
    sent.insert("x-amz-acl", "private".parse().unwrap());
    sent.insert("x-other", "is not signed".parse().unwrap());
    let put = |query: &str, sent: &HeaderMap| check(&Method::PUT, "/b1b/k%20%C3%A9", query, sent, THEN);
    assert_eq!(put(&query, &sent), Ok(()));
    assert_eq!(
        put(&query.replace("x%2By", "x%2Bz"), &sent),
        Err(PresignError::Mismatch)
    );
    assert_eq!(
        put(&query.replace("uploads=&", ""), &sent),
        Err(PresignError::Mismatch)
    );
    sent.append("content-type", "c/d".parse().unwrap());
    assert_eq!(
        put(&query, &sent),
        Err(PresignError::Mismatch),
        "which one is meant?"
    );
}

#[test]
fn times() {
    let when = |now| check(&Method::GET, PATH, QUERY, &HeaderMap::new(), now);
    assert_eq!(when(THEN), Ok(()));
    assert_eq!(when(THEN + 1), Err(PresignError::Expired));
    assert_eq!(when(THEN - 7 * 86_400 - 900), Ok(()));
    assert_eq!(when(THEN - 7 * 86_400 - 901), Err(PresignError::TooFarAhead));
    let with = |expires: &str| get(PATH, &QUERY.replace("1175139620", expires));
    for text in [
        "soon",
        "-1",
        "+1175139620",
        "1175139620.0",
        "1e9",
        "%201175139620",
    ] {
        assert!(matches!(with(text), Err(PresignError::NotATime(_))), "{text}");
    }
    assert_eq!(with("9223372036854775807"), Err(PresignError::TooFarAhead));
    assert_eq!(with("99999999999999999999999"), Err(PresignError::TooFarAhead));
    assert_eq!(with("0"), Err(PresignError::Expired));
    assert_eq!(
        with("01175139620"),
        Err(PresignError::Mismatch),
        "signed as it was sent"
    );
}

#[test]
fn what_is_incomplete_or_ambiguous_is_refused() {
    for name in ["AWSAccessKeyId", "Signature", "Expires"] {
        let left: Vec<&str> = QUERY.split('&').filter(|pair| !pair.starts_with(name)).collect();
        assert_eq!(
            get(PATH, &left.join("&")),
            Err(PresignError::Incomplete),
            "{name}"
        );
        let empty = format!("{}&{name}=", left.join("&"));
        assert_eq!(get(PATH, &empty), Err(PresignError::Incomplete), "{name}");
        let twice = get(PATH, &format!("{QUERY}&{name}=1"));
        assert_eq!(twice, Err(PresignError::Repeated(name.into())));
    }
    for twice in [
        "versionId=1&versionId=2",
        "uploads&uploads",
        "x-amz-meta-a=1&X-Amz-Meta-A=1",
    ] {
        let found = get(PATH, &format!("{QUERY}&{twice}"));
        assert!(matches!(found, Err(PresignError::Repeated(_))), "{twice}");
    }
    for name in ["retention", "legal-hold", "encryption", "utm", "Acl"] {
        let found = get(PATH, &format!("{QUERY}&{name}=1"));
        assert_eq!(found, Err(PresignError::Unsigned(name.into())));
    }
}

#[test]
fn names() {
    assert!(is_presigned("a&%53ignature=x") && is_presigned("AWSAccessKeyId=x"));
    assert!(!is_presigned("X-Amz-Signature=x&Expires=1") && !is_presigned(""));
    assert!(is_own("Expires") && is_own("x-amz-acl") && is_own("Content-Type") && !is_own("acl"));
}
