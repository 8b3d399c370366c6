//! How many tests a step ran, from what its tool printed.

use std::path::Path;

/// Tests by result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Well.
    pub passed: u64,
    /// Not well.
    pub failed: u64,
}

/// The number that stands before `word`.
fn before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> = line
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let at = words.iter().position(|own| *own == word);
    at.and_then(|at| words.get(at.checked_sub(1)?)?.parse().ok())
        .unwrap_or(0)
}

/// One line of cargo-nextest, `cargo test` or pytest that sums up.
fn sums_up(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("Summary [")
        || line.starts_with("test result:")
        || (line.contains(" passed") || line.contains(" failed"))
            && line.contains(" in ")
            // Behind a minute pytest says the time in a second way as well, in parentheses.
            && line.ends_with(['=', 's', ')'])
}

/// The sum of a text's summary lines; zero where it has none.
fn from_text(text: &str) -> Counts {
    let mut counts = Counts::default();
    for line in text.lines().filter(|line| sums_up(line)) {
        counts.passed += before(line, "passed");
        counts.failed += before(line, "failed") + before(line, "errors") + before(line, "error");
    }
    counts
}

/// The sum of a log.
pub fn from_log(log: &Path) -> Counts {
    from_text(&String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_understood() {
        let nextest = "     Summary [   1.234s] 12 tests run: 11 passed, 1 failed, 2 skipped\n";
        assert_eq!(
            from_text(nextest),
            Counts {
                passed: 11,
                failed: 1
            }
        );
        let cargo =
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
        assert_eq!(from_text(&cargo.repeat(2)), Counts { passed: 6, failed: 0 });
        let pytest = "==== 2 failed, 40 passed, 1 error in 3.21s ====\n";
        assert_eq!(
            from_text(pytest),
            Counts {
                passed: 40,
                failed: 3
            }
        );
        let long = "863 passed, 1 warning in 96.95s (0:01:36)\n";
        assert_eq!(
            from_text(long),
            Counts {
                passed: 863,
                failed: 0
            }
        );
        assert_eq!(from_text("12 files passed the border\n"), Counts::default());
    }
}
