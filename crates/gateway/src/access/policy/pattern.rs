//! Patterns: text with `*`, `?` and policy variables (`${aws:username}`).

use super::keys::Key;
use super::{Values, fault};
use crate::access::policy::PolicyError;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Char(char),
    /// `?`
    One,
    /// `*`
    Any,
    /// A variable, with what it is where the request has none.
    Variable(Key, Option<String>),
}

/// What a text is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pieces: Vec<Piece>,
    /// Whether there is no wildcard and no variable in it.
    fixed: bool,
}

/// What has a meaning in a pattern.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax {
    /// `*` and `?`.
    pub wildcards: bool,
    /// `${…}`, which the language of 2008 does not have.
    pub variables: bool,
}

impl Pattern {
    /// # Errors
    /// A variable that is not closed, or that is not known.
    pub(super) fn parse(text: &str, syntax: Syntax) -> Result<Self, PolicyError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if syntax.variables && rest.starts_with("${") {
                let Some(end) = rest.find('}') else {
                    return Err(fault(format!("The policy variable in {text:?} is not closed.")));
                };
                pieces.push(variable(&rest[2..end])?);
                rest = &rest[end + 1..];
                continue;
            }
            pieces.push(match c {
                '*' if syntax.wildcards => Piece::Any,
                '?' if syntax.wildcards => Piece::One,
                c => Piece::Char(c),
            });
            rest = &rest[c.len_utf8()..];
        }
        let fixed = pieces.iter().all(|piece| matches!(piece, Piece::Char(_)));
        Ok(Self { pieces, fixed })
    }

    /// Whether it stands for one text only.
    pub(super) fn is_fixed(&self) -> bool {
        self.fixed
    }

    /// Whether `text` is what it stands for; a variable that has no value stands for nothing.
    pub(super) fn matches(&self, text: &str, values: &dyn Values, ignore_case: bool) -> bool {
        let fold = |c: char| {
            if ignore_case { c.to_ascii_lowercase() } else { c }
        };
        let mut steps = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            match piece {
                Piece::Char(c) => steps.push(Step::Char(fold(*c))),
                Piece::One => steps.push(Step::One),
                Piece::Any => steps.push(Step::Any),
                Piece::Variable(key, default) => {
                    let value = values.get(key).and_then(|values| match &values[..] {
                        [value] => Some(value.clone()),
                        _ => None,
                    });
                    let Some(value) = value.or_else(|| default.clone()) else {
                        return false;
                    };
                    steps.extend(value.chars().map(|c| Step::Char(fold(c))));
                }
            }
        }
        let text: Vec<_> = text.chars().map(fold).collect();
        glob(&steps, &text)
    }

    /// Whether it stands for a text that goes on behind `prefix`.
    pub(super) fn reaches(&self, prefix: &str) -> bool {
        // The places in the pattern that a reader of the prefix may be at.
        let mut at = vec![false; self.pieces.len() + 1];
        at[0] = true;
        self.skip(&mut at);
        for c in prefix.chars() {
            let mut next = vec![false; at.len()];
            for (place, piece) in self.pieces.iter().enumerate().filter(|(place, _)| at[*place]) {
                match piece {
                    Piece::Char(own) if *own == c => next[place + 1] = true,
                    Piece::One => next[place + 1] = true,
                    Piece::Any | Piece::Variable(..) => next[place] = true,
                    Piece::Char(_) => {}
                }
            }
            at = next;
            self.skip(&mut at);
        }
        at.contains(&true)
    }

    /// A star, or a variable, may stand for nothing.
    fn skip(&self, at: &mut [bool]) {
        for (place, piece) in self.pieces.iter().enumerate() {
            if at[place] && matches!(piece, Piece::Any | Piece::Variable(..)) {
                at[place + 1] = true;
            }
        }
    }
}

/// A piece once its variables have values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Char(char),
    One,
    Any,
}

fn variable(text: &str) -> Result<Piece, PolicyError> {
    if let "*" | "?" | "$" = text {
        return Ok(Piece::Char(text.chars().next().unwrap_or_default()));
    }
    let (name, default) = match text.split_once(',') {
        Some((name, default)) => {
            let default = default.trim();
            let quoted = default
                .strip_prefix('\'')
                .and_then(|default| default.strip_suffix('\''));
            let Some(default) = quoted else {
                return Err(fault(format!(
                    "The default of the policy variable {text:?} is not quoted."
                )));
            };
            (name.trim(), Some(default.to_owned()))
        }
        None => (text, None),
    };
    match Key::parse(name) {
        Some(key) => Ok(Piece::Variable(key, default)),
        None => Err(fault(format!("The policy variable {name:?} is not known."))),
    }
}

/// Whether a text is what a pattern stands for. Goes back to the last star only, so that no pattern takes
/// longer than its length times the text's.
fn glob(pattern: &[Step], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Step::Any) => {
                star = Some((p, t));
                p += 1;
            }
            Some(step) if *step == Step::One || *step == Step::Char(text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|step| *step == Step::Any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::policy::testing::Table;

    const ALL: Syntax = Syntax {
        wildcards: true,
        variables: true,
    };

    fn matches(pattern: &str, text: &str) -> bool {
        let values = Table::of(&[("aws:username", "an*a"), ("s3:prefix", "home")]);
        Pattern::parse(pattern, ALL)
            .unwrap()
            .matches(text, &values, false)
    }

    #[test]
    fn stars_question_marks_and_variables() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("*", "a/b"),
            ("a*c", "abbc"),
            ("a*b*c", "aXbYbc"),
            ("a?c", "abc"),
            ("${aws:username}", "an*a"),
            ("x/${aws:username}/*", "x/an*a/y"),
            ("${*}", "*"),
            ("${$}{a}", "${a}"),
            ("${s3:delimiter, 'none'}", "none"),
        ] {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("", "a"),
            ("a", ""),
            ("a?c", "ac"),
            ("a*c", "abcd"),
            ("${aws:username}", "anxa"),
            ("${*}", "a"),
            ("${s3:delimiter}", ""),
        ] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
        let hard = "*a".repeat(200);
        assert!(!matches(&hard, &"b".repeat(1000)));
        assert!(Pattern::parse("${a", ALL).is_err() && Pattern::parse("${made:up}", ALL).is_err());
        let old = Syntax {
            variables: false,
            ..ALL
        };
        assert!(Pattern::parse("${a", old).is_ok());
    }

    #[test]
    fn what_a_pattern_may_reach() {
        let reaches = |pattern: &str, prefix: &str| Pattern::parse(pattern, ALL).unwrap().reaches(prefix);
        for pattern in ["b/*", "*", "b*", "b/x/y", "?/*", "${aws:username}/x", "b/"] {
            assert!(reaches(pattern, "b/"), "{pattern}");
        }
        for pattern in ["b", "c/*", "", "?"] {
            assert!(!reaches(pattern, "b/"), "{pattern}");
        }
    }
}
