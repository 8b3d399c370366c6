//! Guides: what the community knows, as pages cut into blocks, so that nobody has to parse anything.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET /api/v1/guides`: one of them, without its pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuideSummary {
    /// What `stead guide NAME` takes.
    pub name: String,
    pub title: String,
    /// `Hardware`, `Ops`, `Software` or `Personal software`.
    pub room: String,
    /// In one line.
    pub summary: String,
    /// How long it takes to follow.
    pub minutes: u16,
    /// What has to be there before; may be empty.
    pub needs: String,
}

/// `GET /api/v1/guides/{guide}`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Guide {
    #[serde(flatten)]
    pub about: GuideSummary,
    pub blocks: Vec<GuideBlock>,
    /// The state that this guide goes by, now; absent where it goes by none, or the caller may not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<GuideLive>,
}

/// A piece of a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum GuideBlock {
    Heading {
        /// 2 is a section; the title is not among the blocks.
        level: u8,
        spans: Vec<GuideSpan>,
    },
    Text {
        spans: Vec<GuideSpan>,
    },
    Code {
        text: String,
        /// Whether a test runs these commands whenever Stead is built.
        run: bool,
    },
    List {
        /// Whether the order matters.
        ordered: bool,
        items: Vec<Vec<GuideBlock>>,
    },
    Table {
        head: Vec<Vec<GuideSpan>>,
        rows: Vec<Vec<Vec<GuideSpan>>>,
    },
}

/// A stretch of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum GuideSpan {
    Plain { text: String },
    Strong { text: String },
    Code { text: String },
    Link { text: String, to: String },
}

/// What is so now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuideLive {
    /// The state in sentences.
    pub facts: Vec<String>,
    /// The symptoms that are there, the worst first.
    pub present: Vec<GuideSymptom>,
}

/// A symptom, and the section of the guide that is about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GuideSymptom {
    /// The heading of the section.
    pub section: String,
    /// What is seen.
    pub what: String,
}
