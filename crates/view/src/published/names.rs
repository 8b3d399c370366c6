//! How keys become paths.
//!
//! A key is cut at its slashes; what lies between is a directory's or file's name. A key can say more than a
//! path can, so some names are written differently, and no two keys ever get the same path:
//!
//! - `%` before two hexadecimal digits becomes `%25`; control characters become `%XX`;
//! - the segments `.`, `..` and the empty one become `%2E`, `%2E%2E` and `%2F`;
//! - where there is a directory of the same name, a file's name gets `%2F` behind it;
//! - a key that ends with a slash and has no bytes (a folder's marker) is no entry. One with bytes is the
//!   file `%2F` in that directory.
//!
//! Names are bytes of UTF-8 as they are in the key: nothing is normalised.

use std::fmt::Write;

/// Put behind a file's name where a directory has it.
pub const BESIDE: &str = "%2F";

/// A segment of a key as the name of an entry.
pub fn name_of(segment: &str) -> String {
    match segment {
        "" => return BESIDE.to_owned(),
        "." => return "%2E".to_owned(),
        ".." => return "%2E%2E".to_owned(),
        _ => {}
    }
    let bytes = segment.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_hexdigit);
    let mut name = String::with_capacity(segment.len());
    for (at, c) in segment.char_indices() {
        if c.is_ascii_control() {
            let _ = write!(name, "%{:02X}", u32::from(c)); // writing to a string does not fail
        } else if c == '%' && digit(at + 1) && digit(at + 2) {
            name.push_str("%25");
        } else {
            name.push(c);
        }
    }
    name
}

/// A key below a prefix, as the directory's part (ending with a slash, or empty) and the last segment.
pub fn split(key: &str) -> (&str, &str) {
    match key.rfind('/') {
        Some(at) => key.split_at(at + 1),
        None => ("", key),
    }
}

/// The directory above one, and its own segment; `None` for the root.
pub fn parent(directory: &str) -> Option<(&str, &str)> {
    Some(split(directory.strip_suffix('/')?))
}

/// Whether an object of that key and size is an entry at all.
pub fn is_entry(key: &str, size: u64) -> bool {
    size > 0 || !key.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_segments_share_a_name_and_no_name_is_dangerous() {
        let segments = [
            "", ".", "..", "...", "%", "%%", "%2F", "%2f", "%252F", "%2E", "%2E%2E", "%25", "%2", "a", "a%",
            "a%2F", "\u{1}", "%01", "\u{7f}", "ü", "u\u{308}", "a b", "\\", "%\u{1}", "%%01", "%2\u{1}",
        ];
        let names: HashSet<String> = segments.iter().map(|s| name_of(s)).collect();
        assert_eq!(names.len(), segments.len());
        for name in &names {
            assert!(!name.is_empty() && !name.contains('/') && name != "." && name != "..");
            assert!(!name.chars().any(|c| c.is_ascii_control()));
        }
        let beside: HashSet<String> = segments.iter().map(|s| name_of(s) + BESIDE).collect();
        assert!(names.is_disjoint(&beside));
        assert_eq!(name_of("100%.txt"), "100%.txt");
    }

    #[test]
    fn keys_are_cut_at_their_slashes() {
        assert_eq!(split("a/b/c"), ("a/b/", "c"));
        assert_eq!(split("a//"), ("a//", ""));
        assert_eq!(split("a"), ("", "a"));
        assert_eq!(parent("a//"), Some(("a/", "")));
        assert_eq!(parent("/"), Some(("", "")));
        assert_eq!(parent(""), None);
        assert!(!is_entry("a/", 0) && is_entry("a/", 1) && is_entry("a", 0));
    }
}
