//! The table of stable error codes: every error that a person meets has one, and `stead explain CODE`
//! has its page. A code's number is never reused and never changes its meaning.
//!
//! Numbers: 1–29 the data directory, 30–49 damage, 50–69 the disk and the node, 70–99 settings and the
//! command line, 100–199 objects and buckets, 200–249 who asks, 250–299 how they ask, 300–349 IPFS.

mod pages;

pub use pages::*;

use std::fmt;

/// A stable error code: `STEAD-0001`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "STEAD-{:04}", self.0)
    }
}

/// What there is to say about a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The code.
    pub code: Code,
    /// In a few words.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do.
    pub next: &'static str,
}

/// The page of a code, written as `STEAD-0001`, `stead-1` or `1`.
pub fn explain(code: &str) -> Option<&'static Page> {
    let text = code.trim();
    let digits = match text.get(..6) {
        Some(prefix) if prefix.eq_ignore_ascii_case("stead-") => &text[6..],
        _ => text,
    };
    page(Code(digits.parse().ok()?))
}

/// The page of a code.
pub fn page(code: Code) -> Option<&'static Page> {
    pages().iter().find(|page| page.code == code)
}

/// Every page, by code.
pub fn pages() -> &'static [Page] {
    PAGES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_ascending_and_every_page_is_complete() {
        for pair in pages().windows(2) {
            assert!(
                pair[0].code < pair[1].code,
                "{} before {}",
                pair[0].code,
                pair[1].code
            );
        }
        for page in pages() {
            for text in [page.title, page.meaning, page.next] {
                assert!(text.len() >= 10 && text.trim() == text, "{}: {text:?}", page.code);
            }
            assert!(!page.title.ends_with('.') && page.meaning.ends_with('.') && page.next.ends_with('.'));
        }
    }

    #[test]
    fn a_page_is_found_however_its_code_is_written() {
        for text in ["STEAD-0001", "stead-1", "1", " Stead-0001 "] {
            assert_eq!(explain(text).map(|page| page.code), Some(LOCKED), "{text}");
        }
        for text in ["", "STEAD-", "STEAD-9999", "x", "STEAD-0001x"] {
            assert!(explain(text).is_none(), "{text}");
        }
    }
}
