//! Docs that move with the code: every path and link they name is there, and every room is described.

use super::{Findings, layers::Package};
use crate::Outcome;
use std::path::Path;

/// The documents that are checked; all have to be there.
const DOCUMENTS: &[&str] = &[
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/ARCHITECTURE.md",
];

/// A word in backticks that begins like this is a path of ours.
const TREES: &[&str] = &[
    "crates/",
    "gateways/",
    "sim/",
    "stead/",
    "xtask/",
    "docs/",
    "tests/",
    "fuzz/",
    ".ci/",
    ".cargo/",
];

/// The words in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The targets of `[text](target)` that are files of ours.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| {
        !target.contains("://") && !target.starts_with('#') && !target.starts_with("mailto:")
    })
}

/// The paths that a document names, as given, and whether each is from the root or from the document.
fn named(text: &str) -> Vec<(String, bool)> {
    // A fenced block is for pictures and commands: its three backticks would shift the pairs.
    let prose: Vec<&str> = text.split("```").step_by(2).collect();
    let mut paths = Vec::new();
    for part in prose {
        for word in quoted(part).filter(|word| TREES.iter().any(|tree| word.starts_with(tree))) {
            if !word.contains(['*', '<', '{', ' ', '…']) {
                paths.push((
                    word.split("::")
                        .next()
                        .unwrap_or(word)
                        .trim_end_matches(':')
                        .to_owned(),
                    true,
                ));
            }
        }
        paths
            .extend(links(part).map(|target| (target.split('#').next().unwrap_or(target).to_owned(), false)));
    }
    paths
}

/// Checks the documents.
pub fn check(root: &Path, packages: &[Package], findings: &mut Findings) -> Outcome {
    for document in DOCUMENTS {
        let file = root.join(document);
        let Ok(text) = std::fs::read_to_string(&file) else {
            findings.error(format!("{document} is not there"));
            continue;
        };
        for (path, from_root) in named(&text) {
            let base = if from_root {
                root
            } else {
                file.parent().unwrap_or(root)
            };
            if !base.join(&path).exists() {
                findings.error(format!("{document} names {path}, which is not there"));
            }
        }
        if *document == "docs/ARCHITECTURE.md" {
            for package in packages
                .iter()
                .filter(|package| !text.contains(&format!("`{}`", package.dir)))
            {
                findings.error(format!(
                    "{document} does not describe `{}` ({})",
                    package.dir, package.name
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_links_are_found_and_code_blocks_are_not() {
        let text = "See `crates/log` and `crates/log/src/lib.rs::Log`, [this](docs/x.md#there), [that](https://a.b).\n\
                    ```\n`crates/none`\n```\nAnd `gateways/<name>`, `cargo xtask`.";
        let paths: Vec<String> = named(text).into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["crates/log", "crates/log/src/lib.rs", "docs/x.md"]);
    }
}
