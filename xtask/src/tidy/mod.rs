//! The rules of the tree as a test: layers, third-party fences, sizes, docs that move with the code.
//!
//! `cargo xtask tidy` and the test below run the same. Rules that the compiler or clippy can check are not
//! here (`clippy.toml`, `[workspace.lints]`).

mod docs;
mod files;
mod layers;

use crate::args::Args;
use crate::{Outcome, paths};

/// What is wrong, and what is only large.
#[derive(Default)]
pub struct Findings {
    /// Each fails the run.
    pub errors: Vec<String>,
    /// Each is printed.
    pub warnings: Vec<String>,
}

impl Findings {
    fn error(&mut self, text: impl Into<String>) {
        self.errors.push(text.into());
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }
}

/// Checks everything.
fn check() -> Outcome<Findings> {
    let root = paths::root();
    let mut findings = Findings::default();
    let packages = layers::packages(&root)?;
    layers::check(&packages, &mut findings);
    files::check(&root, &mut findings)?;
    docs::check(&root, &packages, &mut findings)?;
    Ok(findings)
}

/// `cargo xtask tidy`
pub fn run(args: Args) -> Outcome {
    args.done()?;
    let findings = check()?;
    for warning in &findings.warnings {
        println!("warning: {warning}");
    }
    for error in &findings.errors {
        println!("error: {error}");
    }
    if !findings.errors.is_empty() {
        return Err(format!("tidy: {} rules broken", findings.errors.len()).into());
    }
    println!(
        "tidy: nothing to complain about ({} warnings)",
        findings.warnings.len()
    );
    Ok(())
}

#[cfg(test)]
#[test]
fn the_tree_is_tidy() {
    let findings = check().expect("the tree can be read");
    assert!(findings.errors.is_empty(), "{}", findings.errors.join("\n"));
}
