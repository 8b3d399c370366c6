//! Names in a zip: none leads out of the folder that it is unpacked into, and no two are the same.

use std::collections::HashSet;

/// The longest name, in bytes: what most file systems take for a path.
const LONGEST: usize = 4096;

/// The names that are taken.
#[derive(Default)]
pub(super) struct Names {
    keys: HashSet<String>,
    names: HashSet<String>,
}

impl Names {
    /// Whether the key is in already.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// A name for the key.
    pub(super) fn safe(&mut self, key: &str) -> String {
        self.keys.insert(key.to_owned());
        let name = safe(key);
        let mut unique = name.clone();
        let mut number = 1;
        // Case does not tell names apart everywhere.
        while !self.names.insert(unique.to_lowercase()) {
            number += 1;
            unique = format!("{name}~{number}");
        }
        unique
    }
}

fn safe(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    for segment in key.split('/') {
        let segment: String = segment
            .chars()
            .map(|c| match c {
                // Windows takes these for separators, drives and worse.
                '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
                c if c.is_control() => '_',
                c => c,
            })
            .collect();
        let segment = match segment.as_str() {
            "" | "." => continue,
            ".." => "__",
            other => other,
        };
        if !name.is_empty() {
            name.push('/');
        }
        name.push_str(segment);
    }
    if name.is_empty() {
        name.push('_');
    }
    while name.len() > LONGEST {
        name.pop();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out() {
        for (key, name) in [
            ("a/b.txt", "a/b.txt"),
            ("/etc/passwd", "etc/passwd"),
            ("../../x", "__/__/x"),
            ("a/./..//b", "a/__/b"),
            ("C:\\x", "C__x"),
            ("\u{1}ü", "_ü"),
            ("//", "_"),
        ] {
            assert_eq!(safe(key), name, "{key:?}");
        }
    }

    #[test]
    fn no_two_names_are_the_same() {
        let mut names = Names::default();
        assert_eq!(names.safe("a"), "a");
        assert_eq!(names.safe("/a"), "a~2");
        assert_eq!(names.safe("A"), "A~3");
        assert!(names.has("/a") && !names.has("b"));
    }
}
