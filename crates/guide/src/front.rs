//! What stands above a guide's page: its title, its room, how long it takes.
//!
//! Lines `key: value` between two lines of three hyphens: less than YAML, so that nobody has to know YAML.

use crate::library::ROOMS;
use stead_client::wire::GuideSummary;

/// The keys there are; `nodes` and `ups`, which are for the test that follows the guide, may be left out.
const KEYS: &[&str] = &["title", "room", "summary", "minutes", "needs", "nodes", "ups"];

/// The longest summary, in letters: it has to fit a line of the list.
const SUMMARY: usize = 80;

/// Why a guide is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrontError {
    /// It does not begin with three hyphens, or they do not come again.
    #[error("its front matter does not stand between two lines `---`")]
    Fence,
    /// A line that is no `key: value`.
    #[error("line {0:?} of its front matter is not `key: value`")]
    Line(String),
    /// A key that there is none of, or one that stands twice.
    #[error("its front matter has {0:?}, which is unknown or there already")]
    Key(String),
    /// A key that has to be there.
    #[error("its front matter lacks `{0}`")]
    Missing(&'static str),
    /// A value that cannot be.
    #[error("its `{0}` cannot be {1:?}")]
    Value(&'static str, String),
}

/// What a guide says of itself, how many nodes its commands need, and the page below.
pub(crate) fn split<'a>(name: &str, text: &'a str) -> Result<(GuideSummary, u8, &'a str), FrontError> {
    let rest = text.strip_prefix("---\n").ok_or(FrontError::Fence)?;
    let (front, page) = rest.split_once("\n---\n").ok_or(FrontError::Fence)?;
    let mut values: Vec<(&str, &str)> = Vec::new();
    for line in front.lines() {
        let (key, value) = line
            .split_once(':')
            .ok_or_else(|| FrontError::Line(line.to_owned()))?;
        let key = key.trim();
        if !KEYS.contains(&key) || values.iter().any(|(own, _)| *own == key) {
            return Err(FrontError::Key(key.to_owned()));
        }
        values.push((key, value.trim()));
    }
    let value = |key: &'static str| {
        let found = values.iter().find(|(own, _)| *own == key);
        found.map(|(_, value)| *value).ok_or(FrontError::Missing(key))
    };
    let number = |key: &'static str, least: u16, most: u16| {
        let text = value(key)?;
        let number = text.parse().ok().filter(|n| (least..=most).contains(n));
        number.ok_or_else(|| FrontError::Value(key, text.to_owned()))
    };
    let bad = |key, text: &str| Err(FrontError::Value(key, text.to_owned()));
    let (room, summary) = (value("room")?, value("summary")?);
    if !ROOMS.contains(&room) {
        return bad("room", room);
    }
    if summary.is_empty() || summary.chars().count() > SUMMARY {
        return bad("summary", summary);
    }
    let nodes = match value("nodes") {
        Ok(_) => number("nodes", 0, 5)?,
        Err(_) => 1,
    };
    let about = GuideSummary {
        name: name.to_owned(),
        title: value("title")?.to_owned(),
        room: room.to_owned(),
        summary: summary.to_owned(),
        minutes: number("minutes", 1, 600)?,
        needs: value("needs")?.to_owned(),
    };
    Ok((about, u8::try_from(nodes).unwrap_or(1), page))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "---\ntitle: A: b\nroom: Ops\nsummary: Short.\nminutes: 5\nneeds: nothing\n---\n\nThe page.\n";

    #[test]
    fn what_a_guide_says_of_itself_is_read() {
        let (about, nodes, page) = split("x", GOOD).expect("good");
        assert_eq!((about.name.as_str(), about.title.as_str()), ("x", "A: b"));
        assert_eq!((about.minutes, nodes, page), (5, 1, "\nThe page.\n"));
        let three = GOOD.replace("needs:", "nodes: 3\nneeds:");
        assert_eq!(split("x", &three).expect("good").1, 3);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = |from: &str, to: &str| {
            split("x", &GOOD.replace(from, to))
                .expect_err("wrong")
                .to_string()
        };
        assert!(wrong("---\ntitle", "title").contains("between"));
        assert!(wrong("room: Ops", "room: Attic").contains("`room`"));
        assert!(wrong("minutes: 5", "minutes: 0").contains("`minutes`"));
        assert!(wrong("needs: nothing\n", "").contains("lacks `needs`"));
        assert!(wrong("needs", "wants").contains("\"wants\""));
        assert!(wrong("room: Ops", "title: Again").contains("\"title\""));
        assert!(wrong("Short.", &"x".repeat(81)).contains("`summary`"));
        assert!(wrong("room: Ops", "Ops").contains("\"Ops\""));
    }
}
