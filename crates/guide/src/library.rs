//! The guides that are embedded, and finding one.

use crate::front::{self, FrontError};
use stead_client::wire::GuideSummary;

/// The community's rooms, in the order in which they are listed.
pub const ROOMS: &[&str] = &["Hardware", "Ops", "Software", "Personal software"];

macro_rules! guides {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../docs/guides/", $name, ".md")))),*]
    };
}

/// By name, in the order in which somebody new would read them.
const GUIDES: &[(&str, &str)] = guides![
    "first-node",
    "first-three",
    "power-and-ups",
    "outage",
    "replacing-a-disk",
    "replacing-a-node",
    "moving-house",
    "restoring-everything",
    "recycling-an-old-server",
    "linux-basics",
    "network-and-security-basics",
    "leaving-a-cloud-service",
];

/// Lines of a guide that `search` shows.
const SHOWN: usize = 3;

/// A guide.
#[derive(Clone, Debug)]
pub struct Guide {
    /// What it says of itself.
    pub about: GuideSummary,
    /// How many nodes the commands in it are run on.
    pub nodes: u8,
    /// The whole file.
    pub markdown: &'static str,
    /// The file below its front matter.
    pub page: &'static str,
}

impl Guide {
    fn read(name: &str, markdown: &'static str) -> Result<Self, FrontError> {
        let (about, nodes, page) = front::split(name, markdown)?;
        Ok(Self {
            about,
            nodes,
            markdown,
            page,
        })
    }
}

/// Every guide, by room.
pub fn all() -> Vec<Guide> {
    let read = GUIDES
        .iter()
        .filter_map(|(name, text)| Guide::read(name, text).ok());
    let mut all: Vec<Guide> = read.collect();
    all.sort_by_key(|guide| ROOMS.iter().position(|room| *room == guide.about.room));
    all
}

/// The guide of this name.
pub fn find(name: &str) -> Option<Guide> {
    let (name, text) = GUIDES.iter().find(|(own, _)| *own == name)?;
    Guide::read(name, text).ok()
}

/// The name that somebody may have meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    stead_plan::lab::nearest(name, GUIDES.iter().map(|(name, _)| *name))
}

/// A guide in which a word was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Which.
    pub guide: Guide,
    /// The first lines with it.
    pub lines: Vec<&'static str>,
    /// How many lines have it.
    pub hits: usize,
}

/// The guides with every one of these words in a line or in what they say of themselves; most hits first.
pub fn search(words: &str) -> Vec<Found> {
    let words: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let has = |text: &str| {
        let text = text.to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let mut found: Vec<Found> = all()
        .into_iter()
        .filter_map(|guide| {
            let lines = guide.page.lines().filter(|line| has(line));
            let lines: Vec<&str> = lines.map(str::trim).collect();
            let about = &guide.about;
            let said = has(&format!(
                "{} {} {} {}",
                about.name, about.title, about.summary, about.needs
            ));
            (said || !lines.is_empty()).then(|| Found {
                hits: lines.len() + usize::from(said) * 2,
                lines: lines.into_iter().take(SHOWN).collect(),
                guide,
            })
        })
        .collect();
    found.sort_by_key(|found| std::cmp::Reverse(found.hits));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_guide_parses_and_is_short() {
        for (name, text) in GUIDES {
            let guide = Guide::read(name, text).unwrap_or_else(|why| panic!("{name}: {why}"));
            let lines = text.lines().count();
            assert!((40..=130).contains(&lines), "{name} has {lines} lines");
            assert!(!crate::blocks(guide.page).is_empty(), "{name}");
        }
        assert_eq!(all().len(), GUIDES.len());
    }

    #[test]
    fn every_file_of_the_directory_is_embedded() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides");
        let files = std::fs::read_dir(directory).expect("the guides are there");
        let mut names: Vec<String> = files
            .map(|file| file.expect("readable").file_name().to_string_lossy().into_owned())
            .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
            .collect();
        names.sort();
        let mut embedded: Vec<&str> = GUIDES.iter().map(|(name, _)| *name).collect();
        embedded.sort_unstable();
        assert_eq!(names, embedded);
    }

    #[test]
    fn names_and_words_find_guides() {
        assert_eq!(find("outage").expect("there").about.name, "outage");
        assert!(find("outrage").is_none());
        assert_eq!(nearest("outrage"), Some("outage"));
        assert_eq!(nearest("frist-node"), Some("first-node"));
        assert_eq!(nearest("zzz"), None);
        assert!(search("").is_empty() && search("no-such-word-anywhere").is_empty());
        let battery = search("UPS battery");
        assert!(
            battery
                .iter()
                .any(|found| found.guide.about.name == "power-and-ups")
        );
    }
}
