//! How wide a text is, and what of it fits.
//!
//! Owns: a measure that needs no font. Promises: no common sans-serif font draws a text wider than it says, and a text
//! with letters that it knows nothing about is drawn with its width stated, so that it holds whatever the font; what
//! is made of a name has no letters that turn the direction of others, that pile up, or that XML cannot hold.
//! Widths are of DejaVu Sans, the widest of the fonts that pictures ask for.

/// Widths of the letters from U+0020 to U+007E in hundredths of the size: as drawn, and bold.
const PLAIN: [u8; 95] = [
    32, 41, 46, 84, 64, 96, 78, 28, 40, 40, 50, 84, 32, 37, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    34, 34, 84, 84, 84, 54, 100, 69, 69, 70, 77, 64, 58, 78, 76, 30, 30, 66, 56, 87, 75, 79, 61, 79, 70, 64,
    62, 74, 69, 99, 69, 62, 69, 40, 34, 40, 84, 50, 50, 62, 64, 55, 64, 62, 36, 64, 64, 28, 28, 58, 28, 98,
    64, 62, 64, 64, 42, 53, 40, 64, 60, 82, 60, 60, 53, 64, 34, 64, 84,
];
const BOLD: [u8; 95] = [
    35, 46, 53, 84, 70, 101, 88, 31, 46, 46, 53, 84, 38, 42, 38, 37, 70, 70, 70, 70, 70, 70, 70, 70, 70, 70,
    40, 40, 84, 84, 84, 58, 100, 78, 77, 74, 83, 69, 69, 83, 84, 38, 38, 78, 64, 100, 84, 85, 74, 85, 77, 73,
    69, 82, 78, 111, 78, 73, 73, 46, 37, 46, 84, 50, 50, 68, 72, 60, 72, 68, 44, 72, 72, 35, 35, 67, 35, 105,
    72, 69, 72, 72, 50, 60, 48, 72, 66, 93, 65, 66, 59, 72, 37, 72, 84,
];

/// Room for another renderer's rounding.
const SAFETY: f64 = 1.02;

/// Marks on one letter that are kept; more would climb out of the line.
const MOST_MARKS: usize = 2;

/// A text as it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fitted {
    /// Its letters.
    pub(super) text: String,
    /// At most so wide.
    pub(super) width: f64,
    /// Whether the width has to be stated, because no font is known that has its letters.
    pub(super) stated: bool,
    /// Whether something was left out.
    pub(super) cut: bool,
}

/// Whether it is drawn on the letter before it.
fn is_mark(letter: char) -> bool {
    matches!(u32::from(letter),
        0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5bd | 0x5bf | 0x5c1..=0x5c2 | 0x5c4..=0x5c7 | 0x610..=0x61a
        | 0x64b..=0x65f | 0x670 | 0x6d6..=0x6dc | 0x6df..=0x6e4 | 0x6e7..=0x6e8 | 0x6ea..=0x6ed | 0xe31 | 0xe34..=0xe3a
        | 0xe47..=0xe4e | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x200c..=0x200d | 0x20d0..=0x20ff | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f | 0xe0020..=0xe007f | 0xe0100..=0xe01ef)
}

/// Whether it has no place in a picture: controls, marks of direction, what XML 1.0 (2.2) cannot hold.
fn is_refused(letter: char) -> bool {
    letter.is_control()
        || matches!(u32::from(letter),
            0xad | 0x61c | 0x115f..=0x1160 | 0x180e | 0x200b | 0x200e..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
            | 0x3164 | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0xe0000..=0xe001f)
        || u32::from(letter) & 0xfffe == 0xfffe
}

/// A text without the letters that have no place in a picture; each of them is a space, and spaces are single.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = 0;
    for letter in text.chars() {
        if is_mark(letter) {
            marks += 1;
            if marks <= MOST_MARKS && !out.is_empty() {
                out.push(letter);
            }
            continue;
        }
        marks = 0;
        match is_refused(letter) || letter.is_whitespace() {
            true if out.is_empty() || out.ends_with(' ') => {}
            true => out.push(' '),
            false => out.push(letter),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// A letter's width in hundredths, and whether that is more than a guess.
fn letter(letter: char, bold: bool) -> (f64, bool) {
    let code = u32::from(letter);
    let table = if bold { &BOLD } else { &PLAIN };
    let plain = match code {
        0x20..=0x7e => return (f64::from(table[(code - 0x20) as usize]), true),
        _ if is_mark(letter) => return (0.0, code != 0x200d),
        0xb7 => (40.0, true),
        0xa0..=0x17f | 0x370..=0x3ff | 0x400..=0x45f | 0x1e00..=0x1eff if letter.is_lowercase() => {
            (100.0, true)
        }
        0xa0..=0x17f | 0x370..=0x3ff | 0x400..=0x45f | 0x1e00..=0x1eff => (122.0, true),
        0x5d0..=0x5ea => (75.0, true),
        0x620..=0x64a => (125.0, true),
        0x2010..=0x2027 | 0x2032..=0x203a | 0x2190..=0x2193 => (104.0, true),
        0x3000..=0x30ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7a3 | 0xff00..=0xff60 => {
            (105.0, true)
        }
        _ => (140.0, false),
    };
    match (bold, plain.1) {
        (true, true) => (plain.0 * 1.1, true),
        _ => plain,
    }
}

/// How wide a text is at this size, and whether that is known.
pub(super) fn measure(text: &str, size: f64, bold: bool) -> (f64, bool) {
    let mut known = true;
    let mut sum = 0.0;
    for each in text.chars() {
        let (width, sure) = letter(each, bold);
        sum += width;
        known &= sure;
    }
    (sum * size / 100.0 * SAFETY, known)
}

/// As much of a text as there is room for, with `…` for the rest.
pub(super) fn fit(text: &str, size: f64, bold: bool, room: f64) -> Fitted {
    let whole = clean(text);
    let (width, known) = measure(&whole, size, bold);
    if width <= room {
        return Fitted {
            text: whole,
            width,
            stated: !known,
            cut: false,
        };
    }
    let room = room - measure("…", size, bold).0;
    let (mut kept, mut end) = (0.0, 0);
    for (at, each) in whole.char_indices() {
        kept += letter(each, bold).0 * size / 100.0 * SAFETY;
        if kept > room {
            break;
        }
        end = at + each.len_utf8();
    }
    let mut text = whole[..end].trim_end().to_owned();
    // A joiner would join the next letter to what is not there.
    while text.ends_with('\u{200d}') {
        text.pop();
    }
    text.push('…');
    let (width, known) = measure(&text, size, bold);
    Fitted {
        text,
        width,
        stated: !known,
        cut: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_whole_and_what_does_not_ends_in_dots() {
        let whole = fit("pi-1", 13.0, true, 100.0);
        assert_eq!(
            (whole.text.as_str(), whole.cut, whole.stated),
            ("pi-1", false, false)
        );
        let cut = fit(&"w".repeat(200), 13.0, false, 100.0);
        assert!(
            cut.cut && cut.text.ends_with('…') && cut.width <= 100.0,
            "{cut:?}"
        );
        assert!(cut.text.chars().count() > 5);
        // No room at all still leaves the sign that there is something.
        assert_eq!(fit("pi", 13.0, false, 1.0).text, "…");
    }

    #[test]
    fn letters_that_turn_pile_up_or_break_xml_are_not_drawn() {
        assert_eq!(clean("a\u{202e}b\u{0}c\n\n d\u{ffff}"), "a b c d");
        assert_eq!(clean(&format!("z{}", "\u{301}".repeat(50))), "z\u{301}\u{301}");
        assert!(fit("𒐫", 10.0, false, 99.0).stated && !fit("日本", 10.0, false, 99.0).stated);
    }
}
