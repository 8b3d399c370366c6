//! The examples that the AWS documentation publishes, and what must be refused.

use super::*;
use http::header::HeaderName;

const ACCESS: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const HOST: &str = "examplebucket.s3.amazonaws.com";

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
        .collect()
}

fn then() -> Timestamp {
    "2013-05-24T00:00:00Z".parse().unwrap()
}

fn check(request: &Signable<'_>, secret: &str, now: Timestamp) -> Result<(), AuthError> {
    let claim = parse(request)?;
    assert_eq!(claim.access_key, ACCESS);
    verify(request, &claim, secret, now, &SigningKeys::new())
}

/// One documented example: the signer makes the documented signature, and it verifies.
fn example(method: Method, path: &str, query: &str, pairs: &[(&str, &str)], payload: &str, signature: &str) {
    let mut headers = headers(pairs);
    let signer = Signer::new(ACCESS, SECRET, "us-east-1");
    signer
        .sign(&method, path, query, &mut headers, payload, then())
        .unwrap();
    let authorization = headers[http::header::AUTHORIZATION].to_str().unwrap().to_owned();
    assert!(
        authorization.ends_with(&format!("Signature={signature}")),
        "{authorization}"
    );
    let request = Signable {
        method: &method,
        path,
        query,
        headers: &headers,
    };
    assert_eq!(check(&request, SECRET, then()), Ok(()));
    assert_eq!(check(&request, "another", then()), Err(AuthError::Mismatch));
    let other = Signable {
        query: "x=1",
        ..request
    };
    assert_eq!(check(&other, SECRET, then()), Err(AuthError::Mismatch));
}

#[test]
fn get_object_with_a_range() {
    example(
        Method::GET,
        "/test.txt",
        "",
        &[("host", HOST), ("range", "bytes=0-9")],
        EMPTY,
        "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    );
}

#[test]
fn put_object() {
    example(
        Method::PUT,
        "/test%24file.text",
        "",
        &[
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("host", HOST),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ],
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    );
}

#[test]
fn get_bucket_lifecycle_and_list_objects() {
    example(
        Method::GET,
        "/",
        "lifecycle",
        &[("host", HOST)],
        EMPTY,
        "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    );
    example(
        Method::GET,
        "/",
        "max-keys=2&prefix=J",
        &[("host", HOST)],
        EMPTY,
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    );
}

#[test]
fn presigned_url() {
    let signer = Signer::new(ACCESS, SECRET, "us-east-1");
    let query = signer.presign(&Method::GET, "/test.txt", "", HOST, 86_400, then());
    let signature = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    assert!(
        query.ends_with(&format!("X-Amz-Signature={signature}")),
        "{query}"
    );
    let headers = headers(&[("host", HOST)]);
    let request = Signable {
        method: &Method::GET,
        path: "/test.txt",
        query: &query,
        headers: &headers,
    };
    assert_eq!(check(&request, SECRET, then()), Ok(()));
    assert_eq!(check(&request, SECRET, then().plus_secs(86_400)), Ok(()));
    let late = check(&request, SECRET, then().plus_secs(86_401));
    assert!(matches!(late, Err(AuthError::Expired(_))));
    let early = check(&request, SECRET, then().plus_secs(-1000));
    assert!(matches!(early, Err(AuthError::Skewed { .. })));
    let other = Signable {
        path: "/other.txt",
        ..request
    };
    assert_eq!(check(&other, SECRET, then()), Err(AuthError::Mismatch));
    let longer = query.replace("86400", "604801");
    let longer = Signable {
        query: &longer,
        ..request
    };
    assert!(matches!(
        check(&longer, SECRET, then()),
        Err(AuthError::Malformed(_))
    ));
}

#[test]
fn skewed_clocks_unsigned_headers_and_nonsense_are_refused() {
    let signer = Signer::new(ACCESS, SECRET, "us-east-1");
    let mut signed = headers(&[("host", HOST)]);
    signer
        .sign(&Method::GET, "/a", "", &mut signed, EMPTY, then())
        .unwrap();
    let request = Signable {
        method: &Method::GET,
        path: "/a",
        query: "",
        headers: &signed,
    };
    for secs in [899, -899] {
        assert_eq!(check(&request, SECRET, then().plus_secs(secs)), Ok(()));
    }
    for secs in [901, -901] {
        let checked = check(&request, SECRET, then().plus_secs(secs));
        assert!(matches!(checked, Err(AuthError::Skewed { .. })));
    }
    let mut added = signed.clone();
    added.insert("x-amz-acl", "public-read".parse().unwrap());
    let added = Signable {
        headers: &added,
        ..request
    };
    assert!(matches!(
        check(&added, SECRET, then()),
        Err(AuthError::Malformed(_))
    ));
    let unsigned = headers(&[("host", HOST)]);
    assert_eq!(
        parse(&Signable {
            headers: &unsigned,
            ..request
        }),
        Err(AuthError::Missing)
    );
    for text in [
        "AWS AKID:sig",
        "AWS4-HMAC-SHA256 x",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host",
    ] {
        let mut nonsense = signed.clone();
        nonsense.insert("authorization", text.parse().unwrap());
        let parsed = parse(&Signable {
            headers: &nonsense,
            ..request
        });
        assert!(matches!(parsed, Err(AuthError::Malformed(_))), "{text}");
    }
}

#[test]
fn paths_and_queries_are_canonical_however_they_are_escaped() {
    let signer = Signer::new(ACCESS, SECRET, "us-east-1");
    let mut signed = headers(&[("host", HOST), ("x-amz-meta-a", "b  c ")]);
    signer
        .sign(
            &Method::GET,
            "/a b/ü%2F",
            "b=%20&a=%C3%BC&a",
            &mut signed,
            EMPTY,
            then(),
        )
        .unwrap();
    let request = Signable {
        method: &Method::GET,
        path: "/a%20b/%c3%bc/",
        query: "a&a=ü&b=+",
        headers: &signed,
    };
    assert_eq!(check(&request, SECRET, then()), Ok(()));
}
