//! Starting, refusing and stopping.

mod common;

use common::{Home, stead, text};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

#[test]
fn the_ready_line_says_where_and_with_which_key_on_every_start() {
    let home = Home::new();
    let first = home.up();
    assert_eq!(first.ready["ready"], true);
    assert!(first.endpoint("s3").starts_with("http://127.0.0.1:"));
    assert!(first.endpoint("api").starts_with("http://127.0.0.1:"));
    let key = (
        first.ready["access_key"].clone(),
        first.ready["secret_key"].clone(),
    );
    assert_eq!(key.1.as_str().unwrap().len(), 40);
    for name in ["node.key", "secret.key", "root.json", "stead.sock"] {
        assert_eq!(
            std::fs::metadata(home.data().join(name)).unwrap().mode() & 0o777,
            0o600,
            "{name}"
        );
    }
    assert_eq!(std::fs::metadata(home.data()).unwrap().mode() & 0o777, 0o700);
    first.stop();
    let second = home.up();
    assert_eq!(
        (
            second.ready["access_key"].clone(),
            second.ready["secret_key"].clone()
        ),
        key
    );
}

#[test]
fn a_person_sees_a_short_first_screen_and_the_secret_only_once() {
    let home = Home::new();
    let screen = |home: &Home| {
        let mut child = home
            .command(&["up", "--listen", "127.0.0.1:0"])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let mut seen = String::new();
        let mut out = child.stdout.take().unwrap();
        let mut piece = [0; 4096];
        while !seen.contains("Ctrl-C stops it.") {
            let read = out.read(&mut piece).unwrap();
            assert!(read > 0, "it ended: {seen}");
            seen.push_str(&text(&piece[..read]));
        }
        std::process::Command::new("kill")
            .arg(child.id().to_string())
            .status()
            .unwrap();
        assert!(child.wait().unwrap().success());
        seen
    };
    let first = screen(&home);
    for part in [
        "AWS_ACCESS_KEY_ID=",
        "AWS_SECRET_ACCESS_KEY=",
        "aws s3",
        "rclone",
        home.data().to_str().unwrap(),
    ] {
        assert!(first.contains(part), "{part} is missing:\n{first}");
    }
    assert!(first.lines().count() < 34, "{first}");
    let second = screen(&home);
    assert!(
        !second.contains("SECRET") && second.contains("root.json"),
        "{second}"
    );
}

#[test]
fn a_second_process_a_newer_format_and_a_foreign_directory_are_refused() {
    let home = Home::new();
    let node = home.up();
    let (code, said) = home.fails(&["up", "--listen", "127.0.0.1:0"]);
    assert_eq!(code, 1);
    assert!(
        said.contains("STEAD-0001") && said.contains(&node.pid().to_string()),
        "{said}"
    );
    assert!(said.contains("next step"), "{said}");
    node.stop();

    std::fs::write(home.data().join("format"), "999\n").unwrap();
    for args in [&["up", "--listen", "127.0.0.1:0"][..], &["ls"]] {
        let (code, said) = home.fails(args);
        assert_eq!(code, 1);
        assert!(said.contains("STEAD-0002") && said.contains("999"), "{said}");
    }

    let foreign = home.path("documents");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("letter.txt"), "dear").unwrap();
    let refused = stead()
        .arg("--data")
        .arg(&foreign)
        .args(["up", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert!(
        text(&refused.stderr).contains("STEAD-0006"),
        "{}",
        text(&refused.stderr)
    );
    assert_eq!(
        std::fs::read_dir(&foreign).unwrap().count(),
        1,
        "nothing was made in it"
    );
}

#[test]
fn a_taken_port_is_told_before_anything_is_made() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = home.fails(&["up", "--listen", &address]);
    assert_eq!(code, 1);
    assert!(said.contains("STEAD-0055") && said.contains(&address), "{said}");
    assert!(!home.data().exists(), "no trace of it");
    std::fs::create_dir(home.data()).unwrap();
    home.fails(&["up", "--listen", &address]);
    assert_eq!(std::fs::read_dir(home.data()).unwrap().count(), 0);
}

#[test]
fn usage_errors_end_with_2_and_bad_settings_are_named() {
    let home = Home::new();
    assert_eq!(home.run(&["frobnicate"]).status.code(), Some(2));
    let (code, said) = home.fails(&["cat", "no-bucket-and-key"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("STEAD-0005"), "{said}");
    std::fs::create_dir(home.data()).unwrap();
    std::fs::write(
        home.data().join("stead.toml"),
        "[s3]\nlisten = \"127.0.0.1:1\"\nspeed = 9\n",
    )
    .unwrap();
    let (code, said) = home.fails(&["up"]);
    assert_eq!(code, 1);
    assert!(said.contains("STEAD-0071") && said.contains("speed"), "{said}");
}

#[test]
fn health_and_metrics_answer_without_a_signature_and_the_rest_does_not() {
    let home = Home::new();
    let node = home.up();
    let api = node.endpoint("api").strip_prefix("http://").unwrap().to_owned();
    let get = |path: &str| {
        let mut stream = TcpStream::connect(&api).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert!(get("/healthz").starts_with("HTTP/1.1 200"));
    let metrics = get("/metrics");
    assert!(
        metrics.starts_with("HTTP/1.1 200") && metrics.contains("stead_"),
        "{metrics}"
    );
    let status = get("/api/v1/status");
    assert!(
        status.starts_with("HTTP/1.1 403") && status.contains("STEAD-0206"),
        "{status}"
    );
}

#[test]
fn sigterm_lets_a_running_request_end() {
    let home = Home::new();
    let mut node = home.up();
    home.ok(&["bucket", "create", "slow"]);
    let socket = home.data().join("stead.sock");
    let mut stream = std::os::unix::net::UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
        .write_all(b"PUT /api/v1/objects/slow/one HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234")
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    node.signal("-TERM");
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(b"56789").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(node.wait().success());
    assert!(!home.data().join("stead.sock").exists());
    assert_eq!(home.ok(&["cat", "slow/one"]), "0123456789");
}

#[test]
fn the_log_of_the_node_is_json_and_holds_no_secret() {
    let home = Home::new();
    let node = home.up_with(&["--log", "trace"]);
    let secret = node.ready["secret_key"].as_str().unwrap().to_owned();
    let made = home.json(&["key", "create", "bob"]);
    home.ok(&["bucket", "create", "quiet"]);
    node.stop();
    let log = std::fs::read_to_string(home.path("node.log")).unwrap();
    assert!(!log.is_empty());
    let ready = log
        .lines()
        .find(|line| line.contains("\"message\":\"ready\""))
        .unwrap();
    assert!(
        ready.contains("http://127.0.0.1:") && ready.contains("\"position\":"),
        "{ready}"
    );
    for line in log.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    }
    assert!(!log.contains(&secret) && !log.contains(made["secret_key"].as_str().unwrap()));
}

#[test]
fn a_directory_that_is_read_only_or_somebody_elses_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    home.up().stop();
    let mode = |mode| std::fs::set_permissions(home.data(), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o500);
    let (code, said) = home.fails(&["up", "--listen", "127.0.0.1:0"]);
    mode(0o700);
    assert_eq!(code, 1);
    assert!(
        said.contains("STEAD-0003") && said.contains("next step"),
        "{said}"
    );
    // Only root can give a directory away.
    if std::os::unix::fs::chown(home.data(), Some(12345), None).is_ok() {
        let (code, said) = home.fails(&["up", "--listen", "127.0.0.1:0"]);
        assert_eq!(code, 1);
        assert!(said.contains("STEAD-0004") && said.contains("12345"), "{said}");
    }
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    let home = Home::new();
    let mut node = home.up();
    home.ok(&["bucket", "create", "slow"]);
    let mut stream = std::os::unix::net::UnixStream::connect(home.data().join("stead.sock")).unwrap();
    stream
        .write_all(b"PUT /api/v1/objects/slow/one HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234")
        .unwrap();
    std::thread::sleep(Duration::from_millis(300));
    node.signal("-INT");
    std::thread::sleep(Duration::from_millis(300));
    node.signal("-INT");
    assert_eq!(node.wait().code(), Some(130));
    let _again = home.up();
    assert_eq!(
        home.fails(&["cat", "slow/one"]).0,
        1,
        "the half of it is not there"
    );
}
