//! `stead plan` from outside: what is printed, what is written, and the exit codes.
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod common;

use common::{Home, text};
use serde_json::Value;

const LAB: &str = "\
name = \"two\"
[[circuit]]
name = \"c\"
volts = 120
amps = 15
[[outlet]]
name = \"o\"
circuit = \"c\"
[[node]]
name = \"größe\"
power = [\"o\"]
idle_w = 100
stress_w = 1440
disk = [{ kind = \"ssd\", size_gb = 1000 }]
";

fn code(home: &Home, args: &[&str]) -> (Option<i32>, String, String) {
    let output = home.run(args);
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn within_beyond_and_wrong_are_0_1_and_2() {
    let home = Home::new();
    let good = home.file("good.toml", LAB.as_bytes());
    let (exit, out, err) = code(&home, &["plan", "check", &good]);
    assert_eq!((exit, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.starts_with("two: within its limits\n"), "{out}");
    let over = home.file("over.toml", LAB.replace("1440", "1441").as_bytes());
    let (exit, out, err) = code(&home, &["plan", "check", &over]);
    assert_eq!(exit, Some(1), "{out}");
    assert!(
        out.contains("MAY BE OVER") && err.contains("STEAD-0081"),
        "{out}{err}"
    );
    let bad = LAB.replace("idle_w = 100", "idel_w = 100");
    let wrong = home.file("wrong.toml", bad.as_bytes());
    let (exit, out, err) = code(&home, &["plan", "check", &wrong]);
    assert_eq!((exit, out.as_str()), (Some(2), ""));
    assert!(
        err.contains("wrong.toml:12:1: a [[node]] has no field `idel_w`"),
        "{err}"
    );
    assert!(
        err.contains("Did you mean `idle_w`?") && err.contains("STEAD-0087"),
        "{err}"
    );
    let (exit, ..) = code(&home, &["plan", "check", "nowhere.toml"]);
    assert_eq!(exit, Some(2));
    let (exit, _, err) = code(&home, &["plan", "check", &home.file("bytes.toml", b"\xff\xfe")]);
    assert_eq!(exit, Some(2));
    assert!(err.contains("not UTF-8"), "{err}");
    let (exit, _, err) = code(
        &home,
        &[
            "plan",
            "check",
            &home.file("large.toml", &vec![b' '; (1 << 20) + 1]),
        ],
    );
    assert_eq!(exit, Some(2));
    assert!(err.contains("too-large"), "{err}");
}

#[test]
fn json_has_each_figure_with_its_unit_and_each_error_with_its_place() {
    let home = Home::new();
    let good = home.file("good.toml", LAB.as_bytes());
    let (exit, out, _) = code(&home, &["plan", "check", &good, "--json"]);
    let budget: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(exit, Some(0));
    let circuit = &budget["circuits"][0];
    assert_eq!(circuit["limit_w"], 1440.0);
    assert_eq!(circuit["continuous_w"]["low"], 100.0);
    assert_eq!(circuit["continuous_w"]["high"], 1440.0);
    assert_eq!(circuit["cold_start_w"]["high"], 1440.0);
    let two = home.file("two.toml", LAB.replace("[\"o\"]", "[\"p\", \"c\"]").as_bytes());
    let (exit, out, err) = code(&home, &["plan", "check", &two, "--json"]);
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(exit, Some(2));
    let kinds: Vec<_> = told["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["unknown-name", "wrong-kind"]);
    assert_eq!(told["errors"][0]["place"]["line"], 10);
    let failure: Value = serde_json::from_str(&err).unwrap();
    assert_eq!(failure["error"]["code"], "STEAD-0087");
}

#[test]
fn init_writes_what_check_takes_and_never_over_a_file() {
    let home = Home::new();
    home.ok(&["plan", "init"]);
    let first = std::fs::read_to_string(home.path("lab.toml")).unwrap();
    home.ok(&["plan", "check"]);
    std::fs::write(home.path("lab.toml"), "mine").unwrap();
    let (exit, _, err) = code(&home, &["plan", "init"]);
    assert_eq!(exit, Some(1));
    assert!(
        err.contains("lab.toml is there already") && err.contains("--force"),
        "{err}"
    );
    assert_eq!(std::fs::read_to_string(home.path("lab.toml")).unwrap(), "mine");
    home.ok(&["plan", "init", "--force"]);
    assert_eq!(std::fs::read_to_string(home.path("lab.toml")).unwrap(), first);
    assert_eq!(home.ok(&["plan", "init", "-"]), first);
}

#[test]
fn netbox_there_and_back() {
    let home = Home::new();
    let lab = home.file("lab.toml", LAB.as_bytes());
    let answers = home.file(
        "netbox.json",
        home.ok(&["plan", "export", "netbox", &lab]).as_bytes(),
    );
    let back = home.ok(&["plan", "import", "netbox", &answers]);
    assert!(back.starts_with("# Made from NetBox."), "{back}");
    let again = home.file("again.toml", back.as_bytes());
    let check = |path: &str| home.ok(&["plan", "check", path, "--json"]);
    assert_eq!(check(&again), check(&lab));
    let (exit, _, err) = code(&home, &["plan", "import", "netbox", &lab]);
    assert_eq!(exit, Some(2));
    assert!(err.contains("STEAD-0087"), "{err}");
}

#[test]
fn what_can_be_lost_is_said_and_words_that_are_not_understood_are_refused() {
    let home = Home::new();
    let file = home.file("lab.toml", LAB.as_bytes());
    let (exit, out, err) = code(&home, &["plan", "lose", &file, "--double"]);
    assert_eq!(exit, Some(1), "{out}{err}");
    assert!(
        out.contains("data lost  größe dies") && out.contains("IF TWO THINGS FAIL"),
        "{out}"
    );
    let (exit, out, _) = code(&home, &["plan", "lose", &file, "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((exit, &report["worst"]), (Some(1), &Value::from("data lost")));
    let (exit, out, err) = code(&home, &["plan", "what-if", &file, "circuit", "C", "trips"]);
    assert_eq!(exit, Some(1), "{err}");
    assert!(out.starts_with("Understood: circuit c trips.\n"), "{out}");
    let (exit, out, err) = code(&home, &["plan", "what-if", &file, "paint grösse"]);
    assert_eq!((exit, out.as_str()), (Some(2), ""));
    assert!(
        err.contains("\"paint\" is no name of the lab") && err.contains("größe dies"),
        "{err}"
    );
}

#[test]
fn designs_are_written_once_and_wishes_that_nothing_fits_are_told() {
    let home = Home::new();
    let directory = home.file("designs/x", b"").replace("/x", "");
    let wish = [
        "plan",
        "design",
        "--usable",
        "20TB",
        "--budget",
        "900",
        "--survive",
        "node",
        "--write",
        &directory,
    ];
    let (exit, out, err) = code(&home, &wish);
    assert_eq!(exit, Some(0), "{out}{err}");
    let first = format!("{directory}/design-1.toml");
    let (exit, out, err) = code(&home, &["plan", "check", &first]);
    assert_eq!(exit, Some(0), "{out}{err}");
    let (exit, _, err) = code(&home, &wish);
    assert_eq!(exit, Some(2), "nothing is written over: {err}");
    let (exit, out, _) = code(&home, &["plan", "design", "--usable", "20TB", "--budget", "50"]);
    assert_eq!(exit, Some(1));
    assert!(out.contains("instead of 50"), "{out}");
    for wrong in [["--usable", "many"], ["--usable", "-1TB"], ["--usable", "1e9TB"]] {
        assert_eq!(
            code(&home, &["plan", "design", wrong[0], wrong[1]]).0,
            Some(2),
            "{wrong:?}"
        );
    }
}
