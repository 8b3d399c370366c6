//! What is public to IPFS: published, fetched by CID, and taken back.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::Home;
use std::io::{Read, Write};
use std::net::TcpStream;

/// Status, head and body of a GET.
fn get(endpoint: &str, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
    let host = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let status = head[9..12].parse().unwrap();
    (status, head.to_ascii_lowercase(), answer[end + 4..].to_vec())
}

/// Waits until the only public root is such a one.
fn until(home: &Home, wanted: impl Fn(&str) -> bool) -> String {
    for _ in 0..400 {
        let list = home.json(&["ipfs", "ls"]);
        let now = list["published"][0]["cid"].as_str().unwrap();
        if wanted(now) {
            return now.to_owned();
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("the root did not change as it should");
}

#[test]
fn a_bucket_is_public_while_it_is_published() {
    let home = Home::new();
    let node = home.up();
    let ipfs = node.ready["endpoints"]["ipfs"].as_str().unwrap().to_owned();
    home.ok(&["bucket", "create", "site"]);
    let hello = home.file("hello.txt", b"hello, world\n");
    home.ok(&["cp", &hello, "site/a/hello.txt"]);
    let object = home.json(&["ls", "site/a/"]);
    let cid = object["objects"][0]["cid"].as_str().unwrap().to_owned();

    let (hidden, _, hidden_body) = get(&ipfs, &format!("/ipfs/{cid}"), "");
    let absent = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
    let (missing, _, missing_body) = get(&ipfs, &format!("/ipfs/{absent}"), "");
    assert_eq!((hidden, hidden_body), (missing, missing_body));
    assert_eq!(hidden, 404);

    let published = home.json(&["ipfs", "publish", "site"]);
    let root = published["cid"].as_str().unwrap().to_owned();
    let (status, head, body) = get(&ipfs, &format!("/ipfs/{cid}"), "");
    assert_eq!((status, body.as_slice()), (200, &b"hello, world\n"[..]), "{head}");
    let (status, head, body) = get(
        &ipfs,
        &format!("/ipfs/{root}/a/hello.txt"),
        "range: bytes=7-11\r\n",
    );
    assert_eq!((status, body.as_slice()), (206, &b"world"[..]), "{head}");
    assert!(
        head.contains("cache-control: public, max-age=29030400, immutable"),
        "{head}"
    );
    assert!(head.contains(&format!("etag: \"{cid}\"")), "{head}");
    let name = published["ipns"].as_str().unwrap();
    let (status, _, body) = get(&ipfs, &format!("/ipns/{name}/a/"), "");
    assert_eq!(status, 200);
    assert!(String::from_utf8(body).unwrap().contains("./hello.txt"));
    let (status, head, _) = get(&ipfs, &format!("/ipfs/{root}/a?x=1"), "");
    assert_eq!(status, 301);
    assert!(head.contains(&format!("location: /ipfs/{root}/a/?x=1")), "{head}");

    home.ok(&["cp", &hello, "site/b.txt"]);
    assert_ne!(until(&home, |cid| cid != root), root);
    home.ok(&["rm", "site/b.txt"]);
    // The same keys are the same directory.
    until(&home, |cid| cid == root);

    home.ok(&["ipfs", "unpublish", "site"]);
    assert_eq!(get(&ipfs, &format!("/ipfs/{cid}"), "").0, 404);
    assert_eq!(get(&ipfs, &format!("/ipfs/{root}/"), "").0, 404);
    assert_eq!(get(&ipfs, &format!("/ipns/{name}/"), "").0, 404);
    let third = home.json(&["ipfs", "publish", "site"]);
    assert_eq!(
        (third["ipns"].as_str(), third["cid"].as_str()),
        (Some(name), Some(root.as_str()))
    );
    assert!(third["sequence"].as_u64() > published["sequence"].as_u64());
}

/// A node with Bitswap, which asks these peers where none are named.
fn with_peers(home: &Home, peers: &str) -> common::Node {
    let settings = format!(
        "[ipfs]\nbitswap = true\nbitswap_listen = [\"/ip4/127.0.0.1/tcp/0\"]\nbitswap_peers = [{peers}]\n"
    );
    home.file("data/stead.toml", settings.as_bytes());
    home.up()
}

#[test]
fn two_nodes_exchange_what_is_public_by_bitswap() {
    let (one, two) = (Home::new(), Home::new());
    let first = with_peers(&one, "");
    let address = first.endpoint("bitswap").to_owned();
    assert!(address.contains("/p2p/"), "{address}");
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|n| (n * 31 % 251) as u8).collect();
    let file = one.file("big.bin", &bytes);
    one.ok(&["bucket", "create", "site"]);
    one.ok(&["cp", &file, "site/big.bin"]);
    one.ok(&["cp", &file, "site/hidden/copy.bin"]);
    let cid = one.json(&["ls", "site/big.bin"])["objects"][0]["cid"]
        .as_str()
        .unwrap()
        .to_owned();

    let _second = with_peers(&two, &format!("{address:?}"));
    two.ok(&["bucket", "create", "copy"]);
    // Nothing is public yet, so the peer gives nothing, and nothing is left behind.
    let (_, why) = two.fails(&["ipfs", "pin", &cid, "copy/big.bin"]);
    assert!(why.contains("STEAD-03"), "{why}");
    one.ok(&["ipfs", "publish", "site"]);
    two.ok(&["ipfs", "pin", &cid, "copy/big.bin"]);
    assert_eq!(
        two.json(&["ls", "copy/big.bin"])["objects"][0]["cid"],
        cid.as_str()
    );
    two.ok(&["ipfs", "pin", &cid, "--from", &address, "copy/again.bin"]);
    let back = two.path("back.bin");
    two.ok(&["cp", "copy/big.bin", back.to_str().unwrap()]);
    assert!(std::fs::read(back).unwrap() == bytes);
}
