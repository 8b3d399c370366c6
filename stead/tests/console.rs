//! The console's door: one-time links, sessions, and what a request must be to pass.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod common;

use common::{Home, Node, text};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer: status, head, body.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

fn address(node: &Node) -> String {
    node.endpoint("web").trim_start_matches("http://").to_owned()
}

fn send(node: &Node, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let address = address(node);
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    if !headers.iter().any(|(name, _)| *name == "host") {
        head.push_str(&format!("host: {address}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let whole = text(&bytes);
    let (head, body) = whole.split_once("\r\n\r\n").unwrap();
    Answer {
        status: head[9..12].parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");

fn token(link: &str) -> &str {
    link.split_once("/signin#").unwrap().1
}

fn enter(node: &Node, link: &str) -> Answer {
    send(
        node,
        "POST",
        "/session",
        &[JSON],
        &format!("{{\"token\":\"{}\"}}", token(link)),
    )
}

/// Signs in; the cookie and the token of the session.
fn signed_in(node: &Node, link: &str) -> (String, String) {
    let answer = enter(node, link);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let cookie = answer.header("set-cookie").unwrap();
    for wanted in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(wanted), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let me = send(node, "GET", "/session", &[("cookie", &cookie)], "").json();
    (cookie, me["csrf"].as_str().unwrap().to_owned())
}

fn link(node: &Node) -> String {
    node.ready["console_link"].as_str().unwrap().to_owned()
}

#[test]
fn a_link_opens_one_session_that_sign_out_ends_on_the_node() {
    let home = Home::new();
    let node = home.up();
    let first = link(&node);
    assert!(
        first.starts_with(&format!("{}/signin#", node.endpoint("web"))),
        "{first}"
    );
    assert_eq!(
        send(&node, "GET", "/", &[], "").header("location"),
        Some("/signin")
    );
    assert_eq!(send(&node, "GET", "/api/v1/status", &[], "").status, 401);
    assert_eq!(
        send(&node, "GET", "/session", &[], "").json(),
        serde_json::json!({})
    );

    let (cookie, csrf) = signed_in(&node, &first);
    let again = enter(&node, &first);
    assert_eq!(again.status, 403, "a link works once");
    assert_eq!(again.json()["code"], "STEAD-0205");
    let own = [("cookie", cookie.as_str())];
    assert_eq!(send(&node, "GET", "/", &own, "").status, 200);
    let status = send(&node, "GET", "/api/v1/status", &own, "");
    assert_eq!(
        (status.status, &status.json()["running"]),
        (200, &Value::Bool(true))
    );

    let made = send(
        &node,
        "PUT",
        "/api/v1/buckets/photos",
        &[own[0], ("x-stead-csrf", &csrf)],
        "",
    );
    assert!(made.status < 300, "{} {}", made.status, made.body);
    let line = home.ok(&["log", "--json"]);
    assert!(
        line.contains("\"protocol\":\"web\"") && line.contains("\"actor\":\"root\""),
        "{line}"
    );

    assert_eq!(
        send(&node, "DELETE", "/session", &own, "").status,
        403,
        "sign-out wants the token, too"
    );
    assert_eq!(
        send(
            &node,
            "DELETE",
            "/session",
            &[own[0], ("x-stead-csrf", &csrf)],
            ""
        )
        .status,
        200
    );
    for path in ["/api/v1/status", "/api/v1/buckets"] {
        assert_eq!(
            send(&node, "GET", path, &own, "").status,
            401,
            "a stolen cookie is dead"
        );
    }
    assert_eq!(send(&node, "GET", "/", &own, "").status, 303);

    let printed = home.json(&["console"]);
    let (cookie, _) = signed_in(&node, printed["url"].as_str().unwrap());
    assert_eq!(
        send(&node, "GET", "/api/v1/status", &[("cookie", &cookie)], "").status,
        200
    );
    let log = std::fs::read_to_string(home.path("node.log")).unwrap();
    assert!(!log.contains(token(&first)), "no secret in the log");
}

#[test]
fn what_changes_something_comes_from_the_console_itself() {
    let home = Home::new();
    let node = home.up();
    let (cookie, csrf) = signed_in(&node, &link(&node));
    let (cookie, csrf) = (("cookie", cookie.as_str()), ("x-stead-csrf", csrf.as_str()));
    let put = |headers: &[(&str, &str)]| send(&node, "PUT", "/api/v1/buckets/photos", headers, "").status;
    assert_eq!(put(&[cookie]), 403);
    assert_eq!(put(&[cookie, ("x-stead-csrf", "0")]), 403);
    assert_eq!(put(&[csrf]), 401);
    for foreign in [
        ("origin", "http://127.0.0.1:1"),
        ("origin", "null"),
        ("origin", "http://evil.example"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "cross-site"),
    ] {
        assert_eq!(put(&[cookie, csrf, foreign]), 403, "{foreign:?}");
    }
    // Not even reading: cookies know no ports, so another program's page could ask.
    assert_eq!(
        send(
            &node,
            "GET",
            "/api/v1/status",
            &[cookie, ("sec-fetch-site", "same-site")],
            ""
        )
        .status,
        403
    );
    // A name that a stranger lets point here.
    assert_eq!(
        send(&node, "GET", "/", &[cookie, ("host", "evil.example")], "").status,
        421
    );
    let origin = format!("http://{}", address(&node));
    let ours = [
        cookie,
        csrf,
        ("origin", origin.as_str()),
        ("sec-fetch-site", "same-origin"),
    ];
    assert!(put(&ours) < 300);
}

#[test]
fn pages_are_strict_and_stored_content_is_never_active() {
    let home = Home::new();
    let node = home.up();
    home.ok(&["bucket", "create", "site"]);
    let page = home.file("evil.html", b"<script>alert(1)</script>");
    home.ok(&["cp", &page, "site/a/evil.html"]);
    let (cookie, _) = signed_in(&node, &link(&node));
    let own = [("cookie", cookie.as_str())];

    for path in ["/", "/signin"] {
        let answer = send(&node, "GET", path, &own, "");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert!(
            !answer.body.contains("http://") && !answer.body.contains("https://"),
            "{}",
            answer.body
        );
    }
    let object = send(&node, "GET", "/api/v1/objects/site/a%2Fevil.html", &own, "");
    assert_eq!(object.status, 200, "{}", object.body);
    assert_eq!(object.header("content-type"), Some("application/octet-stream"));
    assert_eq!(
        object.header("content-disposition"),
        Some("attachment; filename*=UTF-8''evil%2Ehtml")
    );
    assert!(
        object
            .header("content-security-policy")
            .unwrap()
            .contains("sandbox")
    );
    assert!(object.body.ends_with("<script>alert(1)</script>"));
}

#[test]
fn a_session_of_a_key_has_its_scope_and_ends_with_it() {
    let home = Home::new();
    let node = home.up();
    home.ok(&["bucket", "create", "photos"]);
    let key = home.json(&["key", "create", "viewer", "--read-only"]);
    let (access, secret) = (
        key["access_key"].as_str().unwrap(),
        key["secret_key"].as_str().unwrap(),
    );
    let printed = common::stead()
        .args(["console", "--json", "--server", node.endpoint("api")])
        .env("STEAD_ACCESS_KEY", access)
        .env("STEAD_SECRET_KEY", secret)
        .output()
        .unwrap();
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    let (cookie, csrf) = signed_in(&node, printed["url"].as_str().unwrap());
    let own = ("cookie", cookie.as_str());
    assert_eq!(
        send(&node, "GET", "/session", &[own], "").json()["user"],
        "viewer"
    );
    let headers = [own, ("x-stead-csrf", csrf.as_str())];
    assert_eq!(
        send(&node, "DELETE", "/api/v1/buckets/photos", &headers, "").status,
        403
    );
    assert_eq!(send(&node, "GET", "/api/v1/keys", &headers, "").status, 403);
    home.ok(&["key", "revoke", access]);
    assert_eq!(send(&node, "GET", "/api/v1/buckets", &[own], "").status, 401);
}
