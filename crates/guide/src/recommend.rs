//! Recommendations: machines, parts and programs, what each is for, why, and who says so.
//!
//! Owns: the format of `docs/recommendations`, which is embedded. Promises: every entry has a source; a figure that is
//! not known is left out.

use serde::{Deserialize, Serialize};

/// The files, embedded.
const FILES: &[(&str, &str)] = &[
    (
        "hardware.toml",
        include_str!("../../../docs/recommendations/hardware.toml"),
    ),
    (
        "software.toml",
        include_str!("../../../docs/recommendations/software.toml"),
    ),
];

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recommendation {
    /// What it is called.
    pub name: String,
    /// What sort of thing.
    pub kind: Kind,
    /// What to use it for.
    pub what_for: String,
    /// Why this one, or why not.
    pub why: String,
    /// Watts at rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_w: Option<f64>,
    /// Watts at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_w: Option<f64>,
    /// What it cost then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_usd: Option<f64>,
    /// When it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<u16>,
    /// How its figures or its fitness came about.
    pub method: Method,
    /// Where to look: an address, or a path in this tree.
    pub source: String,
}

/// What sort of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Kind {
    Machine,
    Disk,
    Network,
    Power,
    Program,
}

/// How something is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// A meter at the plug.
    Metered,
    /// Its maker says so.
    Vendor,
    /// People who have one say so.
    Community,
    /// Our own tests run it.
    Tested,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    recommendation: Vec<Recommendation>,
}

/// All of them, by kind, those that draw least first. A file that is damaged has none; a test reads all.
pub fn recommendations() -> Vec<Recommendation> {
    let read = FILES
        .iter()
        .filter_map(|(_, text)| toml::from_str::<File>(text).ok());
    let mut all: Vec<Recommendation> = read.flat_map(|file| file.recommendation).collect();
    all.sort_by(|one, other| {
        let watts = |it: &Recommendation| it.idle_w.unwrap_or(f64::MAX);
        one.kind
            .cmp(&other.kind)
            .then(watts(one).total_cmp(&watts(other)))
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_entry_is_whole_and_has_a_source() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut names = Vec::new();
        for (file, text) in FILES {
            let read: File = toml::from_str(text).unwrap_or_else(|why| panic!("{file}: {why}"));
            assert!(!read.recommendation.is_empty(), "{file}");
            for one in read.recommendation {
                let name = &one.name;
                for text in [name, &one.what_for, &one.why] {
                    assert!(
                        !text.trim().is_empty() && text.chars().count() <= 160,
                        "{name}: {text:?}"
                    );
                }
                let source = &one.source;
                assert!(
                    source.starts_with("https://") || root.join(source).exists(),
                    "{name}: {source}"
                );
                let tested = one.method == Method::Tested;
                assert_eq!(
                    tested,
                    !source.starts_with("https://"),
                    "{name}: what is tested is in this tree"
                );
                for watts in [one.idle_w, one.busy_w].into_iter().flatten() {
                    assert!((0.1..=1_000.0).contains(&watts), "{name}: {watts}");
                }
                if let (Some(idle), Some(busy)) = (one.idle_w, one.busy_w) {
                    assert!(idle <= busy, "{name}");
                }
                names.push(one.name);
            }
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "each is there once");
        assert_eq!(recommendations().len(), count);
    }
}
