//! A picture as SVG 1.1 text, put together of blocks.
//!
//! Owns: elements and escaping. Promises: whatever a name holds, what comes out is one well-formed document without a
//! script and without anything from outside; every text stays within the room it was given, and the areas of all texts
//! are known ([`Picture::labels`]), so that a test can tell whether they overlap.
//! One unit is one millimetre of a rack, and one CSS pixel.

use super::text;
use std::fmt::Write as _;

/// A rectangle: its corner at the top left, and its size.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
    /// How wide.
    pub width: f64,
    /// How high.
    pub height: f64,
}

impl Area {
    pub(super) const fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self { x, y, width, height }
    }

    /// Its right edge.
    pub fn right(self) -> f64 {
        self.x + self.width
    }

    /// Its lower edge.
    pub fn bottom(self) -> f64 {
        self.y + self.height
    }

    /// Whether both have an inner point in common.
    pub fn overlaps(self, other: Self) -> bool {
        /// Of a pixel: what touches does not overlap, however the last digit was rounded.
        const NEAR: f64 = 0.01;
        self.x + NEAR < other.right()
            && other.x + NEAR < self.right()
            && self.y + NEAR < other.bottom()
            && other.y + NEAR < self.bottom()
    }

    /// Whether all of the other one is in it, up to a rounding.
    pub fn holds(self, other: Self) -> bool {
        const ROUNDING: f64 = 0.01;
        self.x <= other.x + ROUNDING
            && self.y <= other.y + ROUNDING
            && other.right() <= self.right() + ROUNDING
            && other.bottom() <= self.bottom() + ROUNDING
    }

    fn moved(self, x: f64, y: f64) -> Self {
        Self {
            x: self.x + x,
            y: self.y + y,
            ..self
        }
    }

    /// Smaller by this much on each side.
    pub(super) fn inset(self, by: f64) -> Self {
        Self::new(
            self.x + by,
            self.y + by,
            self.width - 2.0 * by,
            self.height - 2.0 * by,
        )
    }
}

/// A text of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// As drawn.
    pub text: String,
    /// The most that it covers.
    pub area: Area,
    /// The box that it belongs into, if it is in one.
    pub inside: Option<Area>,
}

/// A picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The document.
    pub svg: String,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
    /// All its texts.
    pub labels: Vec<Label>,
}

impl Picture {
    /// The document, shown larger or smaller by this factor.
    pub(super) fn scaled(&self, by: f64) -> String {
        let size = |by: f64| {
            let (width, height) = (number(self.width * by), number(self.height * by));
            format!(r#" width="{width}" height="{height}" class="stead-picture"#)
        };
        self.svg.replacen(&size(1.0), &size(by), 1)
    }
}

/// How a text looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// The head of a picture.
    Title,
    /// The head of a part.
    Head,
    /// A name.
    Name,
    /// A figure or remark.
    Small,
    /// The same, of less weight.
    Quiet,
    /// The same, of what is beyond its limit.
    Bad,
    /// A letter on a circuit's colour.
    Ink(usize),
}

impl Style {
    /// Its class, its size, and whether it is bold.
    pub(super) fn look(self) -> (&'static str, f64, bool) {
        match self {
            Self::Title => ("t-title", 17.0, true),
            Self::Head => ("t-head", 13.0, true),
            Self::Name => ("t-name", 13.0, true),
            Self::Small => ("t-small", 11.0, false),
            Self::Quiet => ("t-quiet", 11.0, false),
            Self::Bad => ("t-bad", 11.0, true),
            Self::Ink(colour) => (INKS[colour % INKS.len()], 11.0, true),
        }
    }

    /// How high a line is.
    pub(super) fn line(self) -> f64 {
        self.look().1 * (ABOVE + BELOW)
    }
}

/// Classes of letters on colours.
const INKS: [&str; super::theme::CIRCUITS] = ["k0", "k1", "k2", "k3", "k4"];

/// How far letters reach above the baseline and below it, in parts of the size; a bit more than DejaVu Sans says.
const ABOVE: f64 = 0.94;
const BELOW: f64 = 0.24;

/// Which end of a text its place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A part of a picture, with a corner of its own. It is as large as what is in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    out: String,
    pub(super) width: f64,
    pub(super) height: f64,
    labels: Vec<Label>,
    boxed: Option<Area>,
}

/// A figure without needless digits.
pub(super) fn number(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    // No minus before nothing.
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

/// A text for an element or an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text::clean(text).chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}

impl Block {
    fn write(&mut self, what: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = self.out.write_fmt(what);
        self.out.push('\n');
    }

    /// At least this large.
    pub(super) fn reach(&mut self, right: f64, bottom: f64) {
        self.width = self.width.max(right);
        self.height = self.height.max(bottom);
    }

    /// A rectangle with round corners.
    pub(super) fn rect(&mut self, area: Area, radius: f64, class: &str) {
        let [x, y, width, height] = [area.x, area.y, area.width, area.height].map(number);
        let radius = number(radius);
        self.write(format_args!(
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}" class="{class}"/>"#
        ));
        self.reach(area.right(), area.bottom());
    }

    /// A line: `path` is SVG path data of figures only.
    pub(super) fn path(&mut self, path: &str, class: &str, title: &str) {
        let title = match title {
            "" => String::new(),
            title => format!("<title>{}</title>", escape(title)),
        };
        self.write(format_args!(r#"<path d="{path}" class="{class}">{title}</path>"#));
    }

    /// Begins a box that texts belong into until [`Self::close`].
    pub(super) fn open(&mut self, area: Area, radius: f64, class: &str, title: &str) {
        self.write(format_args!(r#"<g class="in"><title>{}</title>"#, escape(title)));
        self.rect(area, radius, class);
        self.boxed = Some(area);
    }

    /// Ends the box.
    pub(super) fn close(&mut self) {
        self.boxed = None;
        self.write(format_args!("</g>"));
    }

    /// One line of text whose upper edge is at `y`; returns how wide it is.
    pub(super) fn text(
        &mut self,
        (x, y): (f64, f64),
        room: f64,
        style: Style,
        anchor: Anchor,
        text: &str,
    ) -> f64 {
        let (class, size, bold) = style.look();
        let fitted = text::fit(text, size, bold, room);
        if fitted.text.is_empty() {
            return 0.0;
        }
        let (left, place) = match anchor {
            Anchor::Start => (x, ""),
            Anchor::Middle => (x - fitted.width / 2.0, r#" text-anchor="middle""#),
            Anchor::End => (x - fitted.width, r#" text-anchor="end""#),
        };
        let stated = match fitted.stated {
            true => format!(
                r#" textLength="{}" lengthAdjust="spacingAndGlyphs""#,
                number(fitted.width)
            ),
            false => String::new(),
        };
        let title = match fitted.cut {
            true => format!("<title>{}</title>", escape(text)),
            false => String::new(),
        };
        let (at, baseline) = (number(x), number(y + size * ABOVE));
        let letters = escape(&fitted.text);
        self.write(format_args!(
            r#"<text x="{at}" y="{baseline}" class="{class}"{place}{stated}>{letters}{title}</text>"#
        ));
        let area = Area::new(left, y, fitted.width, style.line());
        self.reach(area.right(), area.bottom());
        self.labels.push(Label {
            text: fitted.text,
            area,
            inside: self.boxed,
        });
        fitted.width
    }

    /// Another block, at this place.
    pub(super) fn put(&mut self, x: f64, y: f64, other: Self) {
        let (at_x, at_y) = (number(x), number(y));
        self.write(format_args!(r#"<g transform="translate({at_x} {at_y})">"#));
        self.out.push_str(&other.out);
        self.write(format_args!("</g>"));
        self.labels.extend(other.labels.into_iter().map(|label| Label {
            area: label.area.moved(x, y),
            inside: label.inside.map(|area| area.moved(x, y)),
            ..label
        }));
        self.reach(x + other.width, y + other.height);
    }

    /// The whole document; `style` is CSS of ours.
    pub(super) fn picture(self, title: &str, class: &str, style: &str, margin: f64) -> Picture {
        let (width, height) = (self.width + 2.0 * margin, self.height + 2.0 * margin);
        let mut whole = Self::default();
        whole.rect(Area::new(0.0, 0.0, width, height), 0.0, "ground");
        whole.put(margin, margin, self);
        let (wide, high) = (number(width), number(height));
        let (title, body) = (escape(title), whole.out);
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {wide} {high}\" width=\"{wide}\" height=\"{high}\" \
             class=\"stead-picture {class}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n\
             <style>{style}</style>\n{body}</svg>\n"
        );
        Picture {
            svg,
            width,
            height,
            labels: whole.labels,
        }
    }
}
