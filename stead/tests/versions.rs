//! Versions by their ids, deleting what is and is not there, and names that cannot be files together.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod common;

use common::{Home, text};

/// Stores texts under one key, one after the other.
fn put(home: &Home, path: &str, texts: &[&str]) {
    for value in texts {
        let sent = home.with_input(&["cp", "-", path], value.as_bytes());
        assert!(sent.status.success(), "{path}: {}", text(&sent.stderr));
    }
}

fn ids(home: &Home, path: &str) -> Vec<String> {
    home.json(&["ls", "-r", "--versions", path])["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["version"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn versions_are_listed_read_copied_and_deleted_by_their_ids() {
    let home = Home::new();
    let _node = home.up();
    home.ok(&["bucket", "create", "kept", "--versioned"]);
    put(&home, "kept/a.txt", &["one", "two"]);
    home.ok(&["rm", "kept/a.txt"]);
    let listed = home.json(&["ls", "--versions", "kept/"]);
    let versions = listed["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 3, "{listed}");
    assert!(
        versions[0]["marker"] == true && versions[0]["latest"] == true,
        "{listed}"
    );
    let ids = ids(&home, "kept/");
    let table = home.ok(&["ls", "--versions", "kept/"]);
    assert!(
        table.starts_with("CHANGED") && ids.iter().all(|id| table.contains(id)),
        "{table}"
    );
    assert!(table.contains("deleted") && table.contains("older"), "{table}");
    let history = home.ok(&["history", "kept/a.txt"]);
    assert!(ids.iter().all(|id| history.contains(id)), "{history}");

    assert_eq!(home.ok(&["cat", "--version", &ids[2], "kept/a.txt"]), "one");
    home.ok(&["cp", "--version", &ids[1], "kept/a.txt", "./back.txt"]);
    assert_eq!(std::fs::read(home.path("back.txt")).unwrap(), b"two");
    assert_eq!(home.ok(&["cp", "--version", &ids[2], "kept/a.txt", "-"]), "one");
    home.ok(&["cp", "--version", &ids[2], "kept/a.txt", "stead:kept/b.txt"]);
    assert_eq!(home.ok(&["cat", "kept/b.txt"]), "one");
    for args in [
        &["cat", "--version", &ids[0], "--at", "3", "kept/a.txt"][..],
        &["cp", "-r", "--version", &ids[0], "kept/", "./out"],
    ] {
        assert_eq!(home.fails(args).0, 2, "{args:?}");
    }
    home.ok(&["rm", "--version", &ids[0], "kept/a.txt"]);
    assert_eq!(
        home.ok(&["cat", "kept/a.txt"]),
        "two",
        "the delete marker is gone"
    );
}

#[test]
fn a_bucket_with_versions_is_emptied_as_the_refusal_says() {
    let home = Home::new();
    let _node = home.up();
    home.ok(&["bucket", "create", "kept", "--versioned"]);
    for key in ["kept/a", "kept/b/c"] {
        put(&home, key, &["1", "2", "3"]);
    }
    home.ok(&["rm", "-r", "kept/"]);
    let (_, said) = home.fails(&["bucket", "delete", "kept"]);
    assert!(
        said.contains("STEAD-0106") && said.contains("stead rm -r --versions BUCKET/"),
        "{said}"
    );
    assert!(
        home.ok(&["rm", "-r", "--versions", "kept/b/"])
            .contains("4 versions")
    );
    assert_eq!(ids(&home, "kept/").len(), 4);
    assert_eq!(home.json(&["rm", "-r", "--versions", "kept/"])["deleted"], 4);
    assert!(ids(&home, "kept/").is_empty());
    home.ok(&["bucket", "delete", "kept"]);
}

#[test]
fn deleting_nothing_is_a_failure_unless_forced() {
    let home = Home::new();
    let _node = home.up();
    home.ok(&["bucket", "create", "some"]);
    for args in [
        &["rm", "-r", "some/typo/"][..],
        &["rm", "-r", "--versions", "some/"],
        &["rm", "some/typo"],
        &["rm", "-r", "none/"],
    ] {
        let (code, said) = home.fails(args);
        assert!(code == 1 && said.contains("next step"), "{args:?}: {said}");
        let forced = home.json(&[args, &["-f"]].concat());
        assert_eq!(forced["deleted"], 0, "{args:?}");
    }
}

#[test]
fn listings_have_headings_and_empty_ones_are_empty_lists_to_programs() {
    let home = Home::new();
    let _node = home.up();
    assert_eq!(home.ok(&["bucket", "list"]), "", "not on a terminal");
    home.ok(&["bucket", "create", "some"]);
    assert_eq!(home.json(&["ls", "some/"])["objects"], serde_json::json!([]));
    assert_eq!(
        home.json(&["ls", "--versions", "some/"])["versions"],
        serde_json::json!([])
    );
    put(&home, "some/a", &["1"]);
    for (args, heading) in [
        (&["ls"][..], "BUCKET"),
        (&["ls", "some/"], "CHANGED"),
        (&["key", "list"], "ACCESS KEY"),
        (&["log"], "POSITION"),
        (&["history", "some/a"], "POSITION"),
    ] {
        let shown = home.ok(args);
        assert!(shown.starts_with(heading), "{args:?}: {shown}");
    }
}

#[test]
fn keys_that_cannot_be_files_together_are_refused_before_anything_is_written() {
    let home = Home::new();
    let _node = home.up();
    for (bucket, keys) in [("arriving", ["x/a", "x/a.part"]), ("both", ["x/a", "x/a/b"])] {
        home.ok(&["bucket", "create", bucket]);
        put(&home, &format!("{bucket}/{}", keys[0]), &["first"]);
        put(&home, &format!("{bucket}/{}", keys[1]), &["second"]);
        put(&home, &format!("{bucket}/x/0"), &["before both"]);
        let (code, said) = home.fails(&["cp", "-r", &format!("{bucket}/x/"), "./out"]);
        assert!(
            code == 1 && said.contains(&format!("{bucket}/x/a and {bucket}/{}", keys[1])),
            "{said}"
        );
        assert!(!home.path("out").exists(), "nothing was written");
    }
}

#[test]
fn a_request_that_makes_no_sense_is_answered_with_what_to_do() {
    let home = Home::new();
    let _node = home.up();
    home.ok(&["bucket", "create", "some"]);
    let (_, said) = home.fails(&["ls", "some/", "--at", "999999"]);
    assert!(
        said.contains("STEAD-0111") && said.contains("next step: give a position from 0 to "),
        "{said}"
    );
    let garbage = home.file("garbage", b"not a checkpoint");
    let (_, said) = home.fails(&["log", "verify", "--against", &garbage]);
    assert!(
        said.contains("STEAD-0111") && said.contains("`stead log checkpoint` wrote"),
        "{said}"
    );
    assert!(!home.ok(&["explain", "111"]).contains("Correct the request."));
}
