//! Rules of single files: size, module docs, nothing unfinished, listeners only in the gateway room.

use super::Findings;
use crate::Outcome;
use std::path::{Path, PathBuf};

/// Lines from which a file is large, and from which it has to be split.
const WARN_LINES: usize = 600;
const FAIL_LINES: usize = 1_000;

/// Where our own code is.
const ROOMS: &[&str] = &["crates", "gateways", "sim", "stead", "xtask", "fuzz", "tests"];

/// What only these directories may write: words of a library that more than one room links.
const WORDS: &[(&str, &[&str])] = &[
    ("hyper::server", &["crates/gateway/"]),
    ("hyper_util::server", &["crates/gateway/"]),
    ("TcpListener", &["crates/gateway/", "xtask/"]),
    ("UnixListener", &["crates/gateway/", "xtask/"]),
    ("openraft::", &["crates/cluster/"]),
    ("redb::", &["crates/block/", "crates/view/"]),
];

/// Everything with one of these endings below the rooms, except what tools put there.
fn walk(dir: &Path, found: &mut Vec<PathBuf>) -> Outcome {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if ![
                "target",
                "node_modules",
                "corpus",
                "artifacts",
                "coverage",
                "__pycache__",
            ]
            .contains(&name.as_str())
                && !name.starts_with('.')
            {
                walk(&path, found)?;
            }
        } else if ["rs", "py", "sh", "mjs"]
            .iter()
            .any(|end| path.extension().is_some_and(|own| own == *end))
        {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether the part of a file that ships (not a test) has this text.
fn ships(text: &str, word: &str) -> bool {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    code.lines()
        .any(|line| !line.trim_start().starts_with("//") && line.contains(word))
}

/// Checks every file of ours.
pub fn check(root: &Path, findings: &mut Findings) -> Outcome {
    let mut files = Vec::new();
    for room in ROOMS {
        let dir = root.join(room);
        if dir.is_dir() {
            walk(&dir, &mut files)?;
        }
    }
    files.sort();
    for file in files {
        let name = file
            .strip_prefix(root)
            .unwrap_or(&file)
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read_to_string(&file).map_err(|why| format!("{name}: {why}"))?;
        size(&name, &text, findings);
        if name.ends_with(".rs") {
            rust(&name, &text, findings);
        }
    }
    Ok(())
}

fn size(name: &str, text: &str, findings: &mut Findings) {
    match text.lines().count() {
        lines if lines > FAIL_LINES => findings.error(format!(
            "{name} has {lines} lines: split it ({FAIL_LINES} at most)"
        )),
        lines if lines > WARN_LINES => {
            findings.warn(format!("{name} has {lines} lines: think about splitting it"))
        }
        _ => {}
    }
}

fn rust(name: &str, text: &str, findings: &mut Findings) {
    let first = text
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    if !first.is_some_and(|line| line.starts_with("//!")) {
        findings.error(format!("{name} does not begin with module docs (`//!`)"));
    }
    // Spelled in two halves, so that this file does not find itself.
    for unfinished in [
        concat!("tod", "o!("),
        concat!("unimplement", "ed!("),
        concat!("clippy::", "todo)"),
    ] {
        if text.contains(unfinished) {
            findings.error(format!("{name} is unfinished: it has `{unfinished}`"));
        }
    }
    if name.contains("/tests/") || name.starts_with("tests/") || name == "xtask/src/tidy/files.rs" {
        return;
    }
    for (word, rooms) in WORDS {
        if !rooms.iter().any(|room| name.starts_with(room)) && ships(text, word) {
            findings.error(format!("{name} says `{word}`: only {} may", rooms.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(name: &str, text: &str) -> Vec<String> {
        let mut findings = Findings::default();
        size(name, text, &mut findings);
        rust(name, text, &mut findings);
        findings.errors
    }

    #[test]
    fn each_rule_finds_its_breach() {
        assert!(errors("crates/a/src/lib.rs", "//! Docs.\nfn main() {}\n").is_empty());
        assert_eq!(errors("crates/a/src/lib.rs", "fn main() {}\n").len(), 1);
        assert_eq!(
            errors(
                "crates/a/src/lib.rs",
                &format!("//! Docs.\n{}", "\n".repeat(1_000))
            )
            .len(),
            1
        );
        let unfinished = format!("//! Docs.\nfn a() {{ {}) }}\n", concat!("tod", "o!("));
        assert_eq!(errors("crates/a/src/lib.rs", &unfinished).len(), 1);
        let listener = "//! Docs.\nuse tokio::net::TcpListener;\n";
        assert_eq!(errors("gateways/a/src/lib.rs", listener).len(), 1);
        assert!(errors("crates/gateway/src/lib.rs", listener).is_empty());
        let in_test = "//! Docs.\n#[cfg(test)]\nmod tests { use tokio::net::TcpListener; }\n";
        assert!(errors("gateways/a/src/lib.rs", in_test).is_empty());
    }
}
