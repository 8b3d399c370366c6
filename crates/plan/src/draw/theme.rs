//! Colours: light and dark, and one for each circuit.
//!
//! Owns: the palette and the CSS of pictures. Promises: text on its ground has a contrast of at least 4.5, what else
//! carries meaning of at least 3 (WCAG 2.2, 1.4.3 and 1.4.11); colours of circuits stay apart for people who do not see
//! red, green or blue, and each has a letter besides. After five circuits colours come again, with another border.

use std::fmt::Write as _;

/// Which colours a picture has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
    /// As whoever looks at it prefers (`prefers-color-scheme`).
    #[default]
    Auto,
}

/// How many circuits have a colour of their own.
pub(super) const CIRCUITS: usize = 5;

/// Colours of one theme: of the ground and what is on it, of circuits, and of the letters on those.
struct Palette {
    named: [(&'static str, &'static str); 9],
    circuits: [(&'static str, &'static str); CIRCUITS],
}

const LIGHT: Palette = Palette {
    named: [
        ("ground", "#ffffff"),
        ("surface", "#f8f7f4"),
        ("line", "#d5d0c6"),
        ("strong", "#857e72"),
        ("text", "#1d1c19"),
        ("quiet", "#625c53"),
        ("bad", "#a3281c"),
        ("load", "#4b7f74"),
        ("most", "#b5d2cb"),
    ],
    circuits: [
        ("#1558d6", "#ffffff"),
        ("#d9750b", "#111111"),
        ("#1f2340", "#ffffff"),
        ("#0a98cc", "#111111"),
        ("#8a3206", "#ffffff"),
    ],
};

const DARK: Palette = Palette {
    named: [
        ("ground", "#141311"),
        ("surface", "#1f1e1b"),
        ("line", "#3c3a34"),
        ("strong", "#8b8477"),
        ("text", "#ece9e2"),
        ("quiet", "#aaa397"),
        ("bad", "#f39a8d"),
        ("load", "#6fcdb8"),
        ("most", "#2f5c52"),
    ],
    circuits: [
        ("#5f8dff", "#111111"),
        ("#f2a33c", "#111111"),
        ("#f4ecc2", "#111111"),
        ("#6fe0ee", "#111111"),
        ("#bd7046", "#111111"),
    ],
};

const RULES: &str = "
.stead-picture{font-family:system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,\"DejaVu Sans\",sans-serif}
.stead-picture text{font-size:11px}
.stead-picture .t-title,.stead-picture .t-head,.stead-picture .t-name,.stead-picture .t-small{fill:var(--text)}
.stead-picture .t-title{font-size:17px;font-weight:700}
.stead-picture .t-head,.stead-picture .t-name{font-size:13px;font-weight:700}
.stead-picture .t-quiet{fill:var(--quiet)}
.stead-picture .t-bad{fill:var(--bad);font-weight:700}
.stead-picture .ground{fill:var(--ground)}
.stead-picture .device{fill:var(--surface);stroke:var(--strong);stroke-width:1}
.stead-picture .away{fill:var(--surface);stroke:var(--strong);stroke-width:1;stroke-dasharray:4 3}
.stead-picture .frame{fill:none;stroke:var(--strong);stroke-width:2}
.stead-picture .site{fill:none;stroke:var(--line);stroke-width:1}
.stead-picture .rule{fill:none;stroke:var(--line);stroke-width:1}
.stead-picture .board{fill:var(--strong)}
.stead-picture .hole{fill:var(--ground);stroke:var(--strong);stroke-width:1}
.stead-picture .port{fill:var(--ground);stroke:var(--quiet);stroke-width:1}
.stead-picture .link{fill:none;stroke:var(--strong);stroke-width:1.5}
.stead-picture .fast{stroke-width:2.5}
.stead-picture .track{fill:var(--surface);stroke:var(--line);stroke-width:1}
.stead-picture .load{fill:var(--load)}
.stead-picture .most{fill:var(--most)}
.stead-picture .over{fill:var(--bad)}
.stead-picture .wire{fill:none;stroke-width:2}
.stead-picture .w1{stroke-dasharray:8 3}
.stead-picture .w2{stroke-dasharray:3 3}
.stead-picture .b1,.stead-picture .b2{fill:none;stroke-width:1.5}
.stead-picture .b2{stroke-dasharray:2 2}
";

impl Theme {
    /// Its class.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Light => "stead-light",
            Self::Dark => "stead-dark",
            Self::Auto => "stead-auto",
        }
    }

    /// The CSS of a picture with it.
    pub(super) fn css(self) -> String {
        let class = self.class();
        let mut css = match self {
            Self::Dark => DARK.variables(class),
            Self::Light | Self::Auto => LIGHT.variables(class),
        };
        if self == Self::Auto {
            let dark = DARK.variables(class);
            let _ = write!(css, "@media (prefers-color-scheme:dark){{{dark}}}");
        }
        css.push_str(RULES);
        for at in 0..CIRCUITS {
            let _ = write!(
                css,
                ".stead-picture .c{at}{{fill:var(--c{at})}}.stead-picture .s{at}{{stroke:var(--c{at})}}\
                 .stead-picture .i{at}{{stroke:var(--k{at})}}.stead-picture .k{at}{{fill:var(--k{at});font-weight:700}}"
            );
        }
        css
    }
}

impl Palette {
    fn variables(&self, class: &str) -> String {
        let mut css = format!(".stead-picture.{class}{{");
        for (name, colour) in self.named {
            let _ = write!(css, "--{name}:{colour};");
        }
        for (at, (colour, ink)) in self.circuits.iter().enumerate() {
            let _ = write!(css, "--c{at}:{colour};--k{at}:{ink};");
        }
        css.push('}');
        css
    }
}

#[cfg(test)]
#[path = "theme_tests.rs"]
mod tests;
