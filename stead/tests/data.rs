//! Buckets, objects, copies, time travel.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod common;

use common::{Home, noise, text};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

#[test]
fn cp_ls_cat_and_rm_make_a_round() {
    let home = Home::new();
    let _node = home.up();
    home.ok(&["bucket", "create", "photos"]);
    let file = home.file("cat.txt", b"a cat");
    let stored = home.json(&["cp", &file, "photos/2026/"]);
    assert_eq!(
        stored["cid"], "bafkreicr4rtucvqhpgbcbi3xn5vodivatxoh4xonzfk5nbkhpngpaww6ei",
        "CID of `a cat`"
    );
    assert_eq!(home.ok(&["cat", "photos/2026/cat.txt"]), "a cat");
    let top = home.json(&["ls", "photos"]);
    assert_eq!(top["prefixes"], serde_json::json!(["2026/"]));
    let below = home.json(&["ls", "photos/2026"]);
    assert_eq!(below["objects"][0]["key"], "2026/cat.txt");
    assert_eq!(below["objects"][0]["size"], 5);
    assert!(home.ok(&["ls", "-r", "photos"]).contains("5 B  2026/cat.txt"));
    home.ok(&["cp", "photos/2026/cat.txt", "stead:photos/copy.txt"]);
    home.ok(&["cp", "photos/copy.txt", "./back.txt"]);
    assert_eq!(std::fs::read(home.path("back.txt")).unwrap(), b"a cat");
    assert!(!home.path("back.txt.part").exists());
    assert!(home.ok(&["rm", "photos/copy.txt"]).contains("1 object"));
    let (code, said) = home.fails(&["cat", "photos/copy.txt"]);
    assert_eq!(code, 1);
    assert!(
        said.starts_with("error[STEAD-0101]") && said.contains("next step"),
        "{said}"
    );
    let (_, said) = home.fails(&["cp", "photos/copy.txt", "./none.txt"]);
    assert!(
        said.contains("STEAD-0101") && !home.path("none.txt.part").exists(),
        "{said}"
    );
    let (_, said) = home.fails(&["rm", "photos/copy.txt"]);
    assert!(said.contains("STEAD-0101"), "{said}");
    let (_, said) = home.fails(&["bucket", "delete", "photos"]);
    assert!(said.contains("STEAD-0106"), "{said}");
    home.ok(&["rm", "-r", "photos/"]);
    home.ok(&["bucket", "delete", "photos"]);
    assert_eq!(home.json(&["bucket", "list"])["buckets"], serde_json::json!([]));
}

#[test]
fn awkward_keys_and_empty_objects_survive() {
    let home = Home::new();
    let _node = home.up();
    home.ok(&["bucket", "create", "odd"]);
    for key in [
        "a b",
        "ü/ß?#%41",
        "plus+and&",
        "slash//twice",
        "quote\"'",
        "dot./.dot",
    ] {
        let sent = home.with_input(&["cp", "-", &format!("odd/{key}")], key.as_bytes());
        assert!(sent.status.success(), "{key}: {}", text(&sent.stderr));
        assert_eq!(home.ok(&["cat", &format!("odd/{key}")]), key);
    }
    assert!(home.with_input(&["cp", "-", "odd/empty"], b"").status.success());
    assert_eq!(home.ok(&["cat", "odd/empty"]), "");
    assert_eq!(
        home.json(&["ls", "-r", "odd"])["objects"]
            .as_array()
            .unwrap()
            .len(),
        7
    );
}

#[test]
fn a_folder_goes_up_comes_down_and_is_the_same() {
    let home = Home::new();
    let _node = home.up();
    home.ok(&["bucket", "create", "tree"]);
    for number in 0..30_u8 {
        home.file(
            &format!("in/{}/{number}.bin", number % 3),
            &noise(1000 * usize::from(number)),
        );
    }
    let up = home.json(&["cp", "-r", "in", "tree/deep"]);
    assert_eq!(up["objects"], 30);
    let down = home.json(&["cp", "-r", "tree/deep", "out"]);
    assert_eq!(down["objects"], 30);
    for path in common::files(&home.path("in")) {
        let other = home.path("out").join(path.strip_prefix(home.path("in")).unwrap());
        assert_eq!(
            std::fs::read(&path).unwrap(),
            std::fs::read(&other).unwrap(),
            "{}",
            other.display()
        );
        let modified = |path: &Path| std::fs::metadata(path).unwrap().modified().unwrap();
        assert_eq!(modified(&path), modified(&other), "its time came along");
    }
    assert_eq!(
        home.json(&["cp", "-r", "stead:tree/deep", "stead:tree/again"])["objects"],
        30
    );
}

#[test]
fn keys_that_fold_into_one_path_are_not_lost_silently() {
    let home = Home::new();
    let _node = home.up();
    home.ok(&["bucket", "create", "fold"]);
    for key in ["q/b", "q//b"] {
        assert!(
            home.with_input(&["cp", "-", &format!("fold/{key}")], key.as_bytes())
                .status
                .success()
        );
    }
    let (code, said) = home.fails(&["cp", "-r", "fold/", "out"]);
    assert!(code == 1 && said.contains("fold/q//b"), "{said}");
    assert_eq!(std::fs::read(home.path("out/q/b")).unwrap(), b"q/b");
    home.ok(&["cp", "fold/q//b", "./other"]);
    assert_eq!(std::fs::read(home.path("other")).unwrap(), b"q//b");
}

#[test]
fn a_version_is_deleted_once_and_a_marker_too() {
    let home = Home::new();
    let _node = home.up();
    home.ok(&["bucket", "create", "kept", "--versioned"]);
    assert!(home.with_input(&["cp", "-", "kept/a"], b"1").status.success());
    let version = home.json(&["ls", "kept/"])["objects"][0]["version"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        home.ok(&["rm", "kept/a", "--version", &version])
            .contains("1 version")
    );
    let (code, said) = home.fails(&["rm", "kept/a", "--version", &version]);
    assert!(code == 1 && said.starts_with("error[STEAD-"), "{said}");

    assert!(home.with_input(&["cp", "-", "kept/b"], b"2").status.success());
    home.ok(&["rm", "kept/b"]);
    let events = home.ok(&["log", "--json"]);
    let marker: serde_json::Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    home.ok(&["rm", "kept/b", "--version", marker["id"].as_str().unwrap()]);
    assert_eq!(home.ok(&["cat", "kept/b"]), "2", "the marker is gone");
}

#[test]
fn the_past_can_be_listed_read_and_copied() {
    let home = Home::new();
    let _node = home.up();
    home.ok(&["bucket", "create", "notes"]);
    let first = home.file("todo.txt", b"first");
    let then = home.json(&["cp", &first, "notes/todo.txt"])["position"]
        .as_u64()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let moment = home.json(&["ls", "notes/"])["objects"][0]["at"]
        .as_str()
        .unwrap()
        .to_owned();
    home.file("todo.txt", b"second");
    home.ok(&["cp", &first, "notes/todo.txt"]);
    home.file("other.txt", b"other");
    home.ok(&["cp", "other.txt", "notes/other.txt"]);
    home.ok(&["rm", "notes/todo.txt"]);
    let at = then.to_string();
    for at in [at.as_str(), moment.as_str()] {
        assert_eq!(home.ok(&["cat", "--at", at, "notes/todo.txt"]), "first");
        let listed = home.json(&["ls", "notes/", "--at", at]);
        assert_eq!(listed["objects"].as_array().unwrap().len(), 1, "{listed}");
        home.ok(&["cp", "--at", at, "notes/todo.txt", "./old.txt"]);
        assert_eq!(std::fs::read(home.path("old.txt")).unwrap(), b"first");
    }
    home.ok(&["cp", "--at", &at, "notes/todo.txt", "stead:notes/todo.txt"]);
    assert_eq!(home.ok(&["cat", "notes/todo.txt"]), "first");
    let (code, said) = home.fails(&["ls", "notes/", "--at", "yesterday"]);
    assert_eq!(code, 2, "{said}");
    let (code, said) = home.fails(&["cat", "notes/todo.txt", "--at", "999999"]);
    assert_eq!(code, 1);
    assert!(said.contains("not reached"), "{said}");
}

/// Passes bytes on to a node until so many have gone up, then breaks every connection.
struct Flaky {
    address: String,
    left: Arc<AtomicI64>,
    sent: Arc<AtomicI64>,
}

impl Flaky {
    fn before(node: &str, budget: i64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let node = node.strip_prefix("http://").unwrap().to_owned();
        let flaky = Self {
            address,
            left: Arc::new(AtomicI64::new(budget)),
            sent: Arc::new(AtomicI64::new(0)),
        };
        let (left, sent) = (flaky.left.clone(), flaky.sent.clone());
        thread(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&node) else {
                    return;
                };
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (left, sent) = (left.clone(), sent.clone());
                thread(move || pass(from, to, &left, &sent));
                thread(move || pass(server, client, &AtomicI64::new(i64::MAX), &AtomicI64::new(0)));
            }
        });
        flaky
    }
}

#[allow(clippy::disallowed_methods)] // a test's own proxy, not a node's task
fn thread(work: impl FnOnce() + Send + 'static) {
    std::thread::spawn(work);
}

fn pass(mut from: TcpStream, mut to: TcpStream, left: &AtomicI64, sent: &AtomicI64) {
    let mut piece = [0; 64 << 10];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        if left.fetch_sub(read as i64, Ordering::SeqCst) < read as i64 {
            break;
        }
        sent.fetch_add(read as i64, Ordering::SeqCst);
        if to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(std::net::Shutdown::Both);
    let _ = to.shutdown(std::net::Shutdown::Both);
}

#[test]
fn an_interrupted_upload_and_download_go_on_where_they_stopped() {
    const SIZE: usize = 100 << 20;
    let home = Home::new();
    let node = home.up();
    home.ok(&["bucket", "create", "large"]);
    let bytes = noise(SIZE);
    let file = home.file("film.bin", &bytes);
    let flaky = Flaky::before(node.endpoint("api"), 84 << 20);
    let through = |args: &[&str]| {
        let mut command = common::stead();
        command
            .args(["--server", &flaky.address])
            .args(args)
            .env("XDG_STATE_HOME", home.path("state"));
        command.env("STEAD_ACCESS_KEY", node.ready["access_key"].as_str().unwrap());
        command.env("STEAD_SECRET_KEY", node.ready["secret_key"].as_str().unwrap());
        command
            .current_dir(home.path(""))
            .stdout(Stdio::piped())
            .output()
            .unwrap()
    };
    let broken = through(&["cp", &file, "large/film.bin"]);
    assert!(!broken.status.success());
    let first = flaky.sent.swap(0, Ordering::SeqCst);
    assert!(first > 70 << 20, "{first} bytes went before it broke");
    flaky.left.store(i64::MAX / 2, Ordering::SeqCst);
    let resumed = through(&["cp", &file, "large/film.bin"]);
    assert!(resumed.status.success(), "{}", text(&resumed.stderr));
    let second = flaky.sent.swap(0, Ordering::SeqCst);
    assert!(
        second < 60 << 20,
        "{second} bytes were sent again, though parts of them were there"
    );
    assert_eq!(
        std::fs::read_dir(home.path("state/stead/uploads"))
            .unwrap()
            .count(),
        0
    );

    // The other way: a part of the file is there already.
    std::fs::write(home.path("back.bin.part"), &bytes[..SIZE / 2]).unwrap();
    home.ok(&["cp", "large/film.bin", "./back.bin"]);
    assert!(std::fs::read(home.path("back.bin")).unwrap() == bytes);
    // A part of something else is found out by its CID, and the copy begins again.
    std::fs::write(home.path("back.bin.part"), vec![7; 1000]).unwrap();
    home.ok(&["cp", "large/film.bin", "./back.bin"]);
    assert!(std::fs::read(home.path("back.bin")).unwrap() == bytes);
}

#[test]
fn reading_works_without_a_node_and_writing_says_why_not() {
    let home = Home::new();
    let node = home.up();
    home.ok(&["bucket", "create", "kept"]);
    let large = noise(3 << 20);
    let file = home.file("a.bin", &large);
    home.ok(&["cp", &file, "kept/a.bin"]);
    node.stop();
    assert_eq!(home.json(&["bucket", "list"])["buckets"][0]["name"], "kept");
    assert_eq!(home.json(&["ls", "kept"])["objects"][0]["key"], "a.bin");
    assert!(home.run(&["cat", "kept/a.bin"]).stdout == large);
    home.ok(&["cp", "kept/a.bin", "./b.bin"]);
    assert!(std::fs::read(home.path("b.bin")).unwrap() == large);
    assert_eq!(home.json(&["status"])["running"], false);
    assert!(home.ok(&["log"]).contains("put kept/a.bin"));
    assert!(home.ok(&["log", "verify"]).contains("ok"));
    assert!(home.ok(&["history", "kept/a.bin"]).contains("ana put"));
    assert_eq!(home.json(&["key", "list"])["keys"][0]["name"], "root");
    home.ok(&["doctor"]);
    for args in [
        &["bucket", "create", "x"][..],
        &["rm", "kept/a.bin"],
        &["cp", &file, "kept/c"],
    ] {
        let (code, said) = home.fails(args);
        assert_eq!(code, 1);
        assert!(said.contains("STEAD-0054") && said.contains("stead up"), "{said}");
    }
    // A lock that is held by somebody who does not answer.
    let lock = std::fs::File::options()
        .write(true)
        .open(home.data().join("lock"))
        .unwrap();
    lock.try_lock().unwrap();
    let (_, said) = home.fails(&["ls"]);
    assert!(
        said.contains("STEAD-0001") && said.contains("does not answer"),
        "{said}"
    );
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_after_it() {
    let home = Home::new();
    let node = home.up();
    home.ok(&["bucket", "create", "kept"]);
    for number in 0..20 {
        let sent = home.with_input(
            &["cp", "-", &format!("kept/{number}")],
            format!("value {number}").as_bytes(),
        );
        assert!(sent.status.success());
    }
    node.kill();
    assert_eq!(home.ok(&["cat", "kept/7"]), "value 7", "without a node, too");
    let _node = home.up();
    for number in 0..20 {
        assert_eq!(
            home.ok(&["cat", &format!("kept/{number}")]),
            format!("value {number}")
        );
    }
    home.ok(&["log", "verify"]);
    assert_eq!(home.json(&["view", "rebuild"])["equal"], true);
}
