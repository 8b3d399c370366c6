//! The log, history, why, keys, upkeep.

mod common;

use common::{Home, files, noise, stead, text};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

fn with_history() -> (Home, common::Node) {
    let home = Home::new();
    let node = home.up();
    home.ok(&["bucket", "create", "notes"]);
    for value in ["one", "two", "three"] {
        assert!(
            home.with_input(&["cp", "-", "notes/todo.txt"], value.as_bytes())
                .status
                .success()
        );
    }
    (home, node)
}

#[test]
fn history_and_why_are_sentences_with_a_proof_that_a_shell_can_check() {
    let (home, _node) = with_history();
    let history = home.ok(&["history", "notes/todo.txt"]);
    assert_eq!(history.lines().count(), 4, "{history}");
    assert!(history.starts_with("POSITION  WHEN"), "{history}");
    for line in history.lines().skip(1) {
        assert!(
            line.contains("ana put notes/todo.txt (") && line.contains("through the command line"),
            "{line}"
        );
    }
    assert!(
        home.ok(&["history", "notes"])
            .contains("ana created bucket notes")
    );

    let why = home.ok(&["why", "notes/todo.txt"]);
    assert!(
        why.contains("ana put notes/todo.txt (5 B)") && why.contains("were 2 states of this key"),
        "{why}"
    );
    let proof = why
        .lines()
        .find(|line| line.contains("| sha256sum"))
        .unwrap()
        .trim();
    let digest = why
        .lines()
        .skip_while(|line| !line.contains("sed -n"))
        .nth(1)
        .unwrap()
        .trim();
    let checked = Command::new("sh").args(["-c", proof]).output().unwrap();
    assert!(
        text(&checked.stdout).starts_with(digest),
        "{proof}: {}",
        text(&checked.stdout)
    );
    let content = why.lines().last().unwrap().trim();
    let sum = Command::new("sh")
        .args(["-c", "printf three | sha256sum"])
        .output()
        .unwrap();
    assert!(text(&sum.stdout).starts_with(content), "{why}");

    let told = home.json(&["why", "notes/todo.txt"]);
    let cid = told["object"]["cid"].as_str().unwrap();
    assert!(home.ok(&["why", cid]).contains("put notes/todo.txt"));
    let line = told["fact"]["cid"].as_str().unwrap();
    assert!(home.ok(&["why", line]).contains("put notes/todo.txt"));
    let (_, said) = home.fails(&[
        "why",
        "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
    ]);
    assert!(said.contains("no event names"), "{said}");
}

#[test]
fn the_log_is_shown_followed_and_filtered() {
    let (home, _node) = with_history();
    let all = home.ok(&["log", "--from", "1", "--json"]);
    let seqs: Vec<u64> = all
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["seq"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    let stored = files(&home.data().join("log/main"));
    assert_eq!(
        all,
        std::fs::read_to_string(&stored[0]).unwrap(),
        "the lines are the ones that are stored"
    );
    let filtered = home.ok(&["log", "--stream", "bucket/notes"]);
    assert_eq!(
        filtered.lines().count(),
        5,
        "a heading and four events: {filtered}"
    );

    let mut follow = home
        .command(&["log", "--follow", "--stream", "bucket/notes"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    for _ in 0..5 {
        lines.next().unwrap().unwrap();
    }
    home.ok(&["rm", "notes/todo.txt"]);
    assert!(lines.next().unwrap().unwrap().contains("deleted notes/todo.txt"));
    Command::new("kill")
        .args(["-INT", &follow.id().to_string()])
        .status()
        .unwrap();
    assert!(follow.wait().unwrap().success());
}

#[test]
fn a_flipped_byte_and_a_rewritten_history_are_found() {
    let (home, node) = with_history();
    let checkpoint = home.file("checkpoint", home.ok(&["log", "checkpoint"]).as_bytes());
    assert!(
        home.ok(&["log", "verify", "--against", &checkpoint])
            .contains("the chain up to there is whole and unchanged")
    );
    node.stop();
    let segment = files(&home.data().join("log/main")).remove(0);
    let lines = std::fs::read_to_string(&segment).unwrap();
    assert!(home.ok(&["log", "verify"]).contains("all in order"));

    let changed = lines.replacen("\"actor\":\"ana\"", "\"actor\":\"eve\"", 1);
    assert_ne!(changed, lines);
    std::fs::write(&segment, &changed).unwrap();
    let output = home.run(&["log", "verify"]);
    assert_eq!(output.status.code(), Some(1));
    let position = lines
        .lines()
        .position(|line| line.contains("\"actor\":\"ana\""))
        .unwrap()
        + 1;
    let said = text(&output.stdout);
    assert!(
        said.contains(&format!("position {position}")) && said.contains("00000000000000000001.jsonl"),
        "{said}"
    );
    // The checkpoint's own line is as it was; what it stands on is not.
    let output = home.run(&["log", "verify", "--against", &checkpoint]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("fail  checkpoint") && said.contains("the chain below it is broken"),
        "{said}"
    );
    let (_, said) = home.fails(&["view", "rebuild"]);
    assert!(
        said.contains("STEAD-0031") && said.contains("next step"),
        "{said}"
    );
    std::fs::write(&segment, &lines).unwrap();
    home.ok(&["log", "verify"]);

    let forged = std::fs::read_to_string(&checkpoint)
        .unwrap()
        .replacen("\"position\":", "\"position\":1", 1);
    let forged = home.file("forged", forged.as_bytes());
    let output = home.run(&["log", "verify", "--against", &forged]);
    assert!(!output.status.success());
    assert!(
        text(&output.stdout).contains("fail  checkpoint"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_log_that_was_cut_emptied_or_removed_is_named() {
    let (home, node) = with_history();
    node.stop();
    let folder = home.data().join("log/main");
    let segment = files(&folder).remove(0);
    let lines = std::fs::read_to_string(&segment).unwrap();
    let count = lines.lines().count();
    let without_last: String = lines.split_inclusive('\n').take(count - 1).collect();
    let named = |what: &str, position: usize| {
        let verified = home.run(&["log", "verify"]);
        let said = text(&verified.stdout);
        assert_eq!(verified.status.code(), Some(1), "{what}: {said}");
        assert!(
            said.contains("fail  main") && said.contains(&format!("position {position}")),
            "{what}: {said}"
        );
        let examined = home.run(&["doctor"]);
        let said = text(&examined.stdout);
        assert_eq!(examined.status.code(), Some(1), "{what}: {said}");
        assert!(
            said.lines()
                .any(|line| line.contains("fail") && line.contains("log of main")),
            "{what}: {said}"
        );
    };
    home.ok(&["log", "verify"]);
    std::fs::write(&segment, without_last).unwrap();
    named("cut", count);
    let (_, said) = home.fails(&["history", "notes/todo.txt"]);
    assert!(said.contains("stead log verify"), "{said}");
    std::fs::write(&segment, "").unwrap();
    named("emptied", 1);
    std::fs::remove_dir_all(&folder).unwrap();
    named("removed", 1);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(&segment, lines).unwrap();
    assert!(
        home.ok(&["log", "verify"])
            .contains(&format!("main: {count} events"))
    );
}

#[test]
fn what_does_not_exist_is_refused_and_not_passed_over() {
    let (home, _node) = with_history();
    for blank in ["", " \n\n"] {
        let file = home.file("blank", blank.as_bytes());
        let (code, said) = home.fails(&["log", "verify", "--against", &file]);
        assert!(code == 1 && said.contains("holds no checkpoint"), "{said}");
    }
    for args in [
        &["log", "--tenant", "nope"][..],
        &["log", "verify", "--tenant", "nope"],
        &["log", "checkpoint", "--tenant", "nope"],
    ] {
        let (code, said) = home.fails(args);
        assert!(
            code == 1 && said.contains("no tenant nope") && said.contains("main"),
            "{args:?}: {said}"
        );
    }
    home.ok(&["log", "verify", "--tenant", "main"]);
    home.ok(&["log", "--tenant", "system"]);
    let (_, said) = home.fails(&["cat", "--at", "2999-01-01", "notes/todo.txt"]);
    assert!(said.contains("in the future"), "{said}");
    assert_eq!(home.ok(&["cat", "--at", "0s", "notes/todo.txt"]), "three");
    let (_, said) = home.fails(&["rm", "notes/todo.txt", "--version", "01JD0000000000000000000000"]);
    assert!(!said.contains("deleted"), "{said}");
    assert_eq!(home.ok(&["cat", "notes/todo.txt"]), "three");
}

#[test]
fn keys_are_made_scoped_used_from_afar_and_revoked() {
    let (home, node) = with_history();
    home.ok(&["bucket", "create", "other"]);
    let key = home.json(&["key", "create", "viewer", "--read-only", "--bucket", "notes"]);
    assert_eq!(key["id"].as_str().unwrap().len(), 64);
    let afar = |key: &serde_json::Value, args: &[&str]| {
        let mut command = stead();
        command.args(["--server", node.endpoint("api")]).args(args);
        command.env("STEAD_ACCESS_KEY", key["access_key"].as_str().unwrap());
        command.env("STEAD_SECRET_KEY", key["secret_key"].as_str().unwrap());
        command.output().unwrap()
    };
    assert_eq!(text(&afar(&key, &["cat", "notes/todo.txt"]).stdout), "three");
    let seen = text(&afar(&key, &["bucket", "list", "--json"]).stdout);
    assert!(seen.contains("notes") && !seen.contains("other"), "{seen}");
    for args in [
        &["rm", "notes/todo.txt"][..],
        &["ls", "other"],
        &["key", "list"],
        &["log"],
        &["gc"],
    ] {
        let refused = afar(&key, args);
        assert!(
            text(&refused.stderr).contains("STEAD-0200"),
            "{args:?}: {}",
            text(&refused.stderr)
        );
    }
    let mut wrong = key.clone();
    wrong["secret_key"] = "0".repeat(40).into();
    assert!(text(&afar(&wrong, &["cat", "notes/todo.txt"]).stderr).contains("STEAD-0202"));
    let other = home.json(&["key", "create", "ben"]);
    assert!(text(&afar(&other, &["key", "list"]).stderr).contains("STEAD-0200"));
    let all = home.json(&["key", "create", "root"]);
    assert!(text(&afar(&all, &["key", "list"]).stdout).contains("viewer"));
    assert!(afar(&all, &["log", "--from", "1"]).status.success());
    home.ok(&["key", "revoke", key["access_key"].as_str().unwrap()]);
    assert!(text(&afar(&key, &["cat", "notes/todo.txt"]).stderr).contains("STEAD-0201"));
    assert!(home.ok(&["key", "list"]).contains("revoked"));
}

#[test]
fn scrub_gc_rebuild_and_doctor_do_their_work() {
    let (home, node) = with_history();
    let file = home.file("big.bin", &noise(3 << 20));
    home.ok(&["cp", &file, "notes/big.bin"]);
    let scrubbed = home.json(&["scrub"]);
    assert!(scrubbed["blocks"].as_u64().unwrap() >= 6 && scrubbed["damaged"].as_array().unwrap().is_empty());
    assert_eq!(home.json(&["view", "rebuild"])["equal"], true);
    home.ok(&["rm", "notes/big.bin"]);
    let dry = home.json(&["gc", "--dry-run", "--grace", "0s", "--retention", "0s"]);
    assert!(dry["deleted_bytes"].as_u64().unwrap() > 3 << 20, "{dry}");
    let kept = home.json(&["gc", "--grace", "0s", "--retention", "30d"]);
    assert_eq!(kept["deleted"], 0, "{kept}");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let done = home.json(&["gc", "--grace", "0s", "--retention", "0s"]);
    assert!(done["deleted_bytes"].as_u64().unwrap() > 3 << 20, "{done}");
    assert_eq!(home.ok(&["cat", "notes/todo.txt"]), "three");
    for args in [
        &["cat", "--at", "2", "notes/todo.txt"][..],
        &["ls", "--at", "2", "notes/"],
        &["why", "--at", "2", "notes/big.bin"],
        &["cp", "--at", "2", "notes/todo.txt", "stead:notes/again.txt"],
    ] {
        let (code, said) = home.fails(args);
        assert!(
            code == 1
                && said.contains("STEAD-0150")
                && said.contains("dropped")
                && said.contains("before 20"),
            "{args:?}: {said}"
        );
    }
    assert_eq!(home.ok(&["cat", "--at", "0s", "notes/todo.txt"]), "three");
    home.ok(&["ls", "--at", "0s", "notes/"]);
    assert_eq!(home.json(&["view", "rebuild"])["equal"], true);
    assert!(
        home.ok(&["history", "--full", "notes/big.bin"])
            .contains("deleted notes/big.bin")
    );

    let healthy = home.ok(&["doctor"]);
    assert!(
        healthy.lines().count() >= 10 && !healthy.contains("fail"),
        "{healthy}"
    );
    node.stop();
    let secret = home.data().join("root.json");
    let mut open = std::fs::metadata(&secret).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut open, 0o644);
    std::fs::set_permissions(&secret, open).unwrap();
    let sick = home.run(&["doctor"]);
    assert_eq!(sick.status.code(), Some(1));
    assert!(text(&sick.stdout).contains("chmod 600"), "{}", text(&sick.stdout));
}

#[test]
fn codes_completions_and_the_manual_are_there() {
    let home = Home::new();
    assert!(home.ok(&["explain", "STEAD-0001"]).contains("in use"));
    assert!(home.ok(&["explain", "82"]).contains("not what was sent"));
    assert!(home.ok(&["explain", "stead-0101"]).contains("No such object"));
    assert_eq!(home.fails(&["explain", "STEAD-9999"]).0, 2);
    assert!(home.ok(&["completions", "bash"]).contains("_stead"));
    assert!(home.ok(&["man"]).contains(".TH stead 1"));
    home.ok(&["man", "--dir", "man"]);
    assert!(home.path("man/stead-log-verify.1").exists());
    let help = home.ok(&["cp", "--help"]);
    assert!(
        help.contains("Examples:") && help.contains("--recursive"),
        "{help}"
    );
}

#[test]
fn a_full_segment_is_sealed_and_stays_readable_and_proven() {
    let home = Home::new();
    std::fs::create_dir(home.data()).unwrap();
    std::fs::write(home.data().join("stead.toml"), "[storage]\nsegment_mib = 1\n").unwrap();
    let node = home.up();
    home.ok(&["bucket", "create", "many"]);
    for number in 0..2500 {
        home.file(&format!("in/{number}"), format!("{number}").as_bytes());
    }
    assert_eq!(home.json(&["cp", "-r", "in", "many/"])["objects"], 2500);
    node.stop();
    let _node = home.up();
    let sealed = home.data().join("log/main/00000000000000000001.jsonl.zst");
    for _ in 0..400 {
        if sealed.exists() && !sealed.with_extension("").exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    assert!(
        home.ok(&["log", "verify"])
            .contains("main: 2501 events in 2 segments, all in order")
    );
    assert!(
        home.ok(&["log", "--tenant", "system"])
            .contains("sealed positions 1 to")
    );
    assert_eq!(home.ok(&["log", "--from", "1", "--json"]).lines().count(), 2501);
    let first = home.ok(&["log", "--from", "2", "--json"]);
    let key = serde_json::from_str::<serde_json::Value>(first.lines().next().unwrap()).unwrap();
    let key = key["body"]["key"].as_str().unwrap().to_owned();
    let why = home.ok(&["why", &format!("many/{key}")]);
    assert!(
        why.contains("zstdcat") && why.contains(".jsonl.zst | sed -n 2p"),
        "{why}"
    );
    assert!(home.ok(&["doctor"]).contains("1 sealed, each kept as blocks too"));
    assert_eq!(home.json(&["view", "rebuild"])["equal"], true);
    let kept = home.json(&["gc", "--grace", "0s"]);
    assert_eq!(kept["deleted"], 0, "the copies of segments are in use: {kept}");
}
