//! What may be wrong with an inventory.
//!
//! Owns: the kinds, each with a word that stays the same, and where in the file it is.

use serde::Serialize;
use std::fmt;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
}

impl Place {
    /// Of a byte in a text.
    pub fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self {
            line: before.matches('\n').count() + 1,
            column: line.chars().count() + 1,
        }
    }
}

macro_rules! kinds {
    ($($kind:ident $word:literal $doc:literal;)*) => {
        /// What is wrong. The words are part of what programs may rely on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        pub enum LabErrorKind {
            $(#[doc = $doc] #[serde(rename = $word)] $kind,)*
        }

        impl LabErrorKind {
            /// All there are.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// Its word.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }
        }
    };
}

kinds! {
    TooLarge "too-large" "More bytes, or more things, than a plan may have.";
    Syntax "syntax" "The file is not TOML.";
    UnknownField "unknown-field" "A table has a field that there is none of.";
    MissingField "missing-field" "A field that a table must have is not there.";
    WrongType "wrong-type" "A field holds another kind of value.";
    WrongUnit "wrong-unit" "A figure is written with a unit, which is in the field's name already.";
    WrongFigure "wrong-figure" "A figure is negative, not finite, or beyond what can be.";
    WrongWord "wrong-word" "A field takes one of a few words, and this is none of them.";
    BadName "bad-name" "A name is empty, too long, or has control characters.";
    NameTwice "name-twice" "Two things have the same name.";
    UnknownName "unknown-name" "Something is named that is not in the file.";
    WrongKind "wrong-kind" "Something is named that cannot be used so, such as a plug in a rack.";
    PowerCycle "power-cycle" "Power goes round in a circle.";
    CableLoop "cable-loop" "A cable goes from a device to itself.";
    TooFewPlugs "too-few-plugs" "More is plugged in than there are plugs.";
    TooFewPorts "too-few-ports" "More cables than a switch has ports.";
    UnitTaken "unit-taken" "Two devices in one unit of a rack.";
    OutsideRack "outside-rack" "A device is below the bottom or above the top of its rack.";
    UnknownPart "unknown-part" "A part that is neither in the catalogue nor in the file.";
    NoStorage "no-storage" "There is data, and no node to keep it.";
}

impl fmt::Display for LabErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Something wrong with an inventory.
#[derive(Clone, Debug, PartialEq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct LabError {
    /// What kind.
    pub kind: LabErrorKind,
    /// Where in the file, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The name of the thing that it is about, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What, and why.
    pub message: String,
    /// What to do.
    pub next: String,
}

impl LabError {
    /// Of this kind.
    pub(super) fn new(kind: LabErrorKind, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            kind,
            place: None,
            about: None,
            message: message.into(),
            next: next.into(),
        }
    }

    /// At this byte of the text.
    pub(super) fn at(mut self, text: &str, byte: usize) -> Self {
        self.place = Some(Place::of(text, byte));
        self
    }

    /// About the thing of this name.
    pub(super) fn about(mut self, name: &str) -> Self {
        self.about = Some(name.to_owned());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_bear_any_byte() {
        let text = "a = 1\nü = ß2\n";
        let place = |byte| {
            let place = Place::of(text, byte);
            (place.line, place.column)
        };
        assert_eq!(place(0), (1, 1));
        assert_eq!(place(text.find('2').expect("there")), (2, 6));
        assert_eq!(place(text.len()), (3, 1));
        assert_eq!(place(text.len() + 99), (3, 1));
    }
}
