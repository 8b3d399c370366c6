//! What colours promise, computed.

use super::*;

/// Linear light of red, green and blue.
fn linear(colour: &str) -> [f64; 3] {
    [1, 3, 5].map(|at| {
        let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("a colour")) / 255.0;
        match value <= 0.04045 {
            true => value / 12.92,
            false => ((value + 0.055) / 1.055).powf(2.4),
        }
    })
}

/// WCAG 2.2, contrast ratio.
fn contrast(one: &str, other: &str) -> f64 {
    let light = |colour| {
        let [red, green, blue] = linear(colour);
        0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
    };
    let (one, other) = (light(one), light(other));
    one.max(other) / one.min(other)
}

type Matrix = [[f64; 3]; 3];

fn times(matrix: &Matrix, colour: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| {
        row.iter()
            .zip(colour)
            .map(|(by, value)| by * value)
            .sum::<f64>()
            .max(0.0)
    })
}

/// How people see who see all, or no red, no green, no blue: Machado, Oliveira, Fernandes 2009, severity 1.
const EYES: [Matrix; 4] = [
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
];

/// How far two colours are apart in Oklab, where 0.02 can just be seen, for whoever sees the least of it.
fn apart(one: &str, other: &str) -> f64 {
    const CONES: Matrix = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ];
    const LAB: Matrix = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ];
    let seen = |eye: &Matrix, colour| {
        let cones = times(&CONES, times(eye, linear(colour))).map(f64::cbrt);
        LAB.map(|row| row.iter().zip(cones).map(|(by, value)| by * value).sum::<f64>())
    };
    let distance = |eye| {
        let pairs = seen(eye, one).into_iter().zip(seen(eye, other));
        pairs
            .map(|(one, other)| (one - other).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    EYES.iter().map(distance).fold(f64::INFINITY, f64::min)
}

#[test]
fn text_is_read_and_lines_are_seen() {
    for palette in [&LIGHT, &DARK] {
        let colour = |name| {
            palette
                .named
                .iter()
                .find(|(own, _)| *own == name)
                .expect("there")
                .1
        };
        for ground in ["ground", "surface"] {
            for text in ["text", "quiet", "bad"] {
                let found = contrast(colour(text), colour(ground));
                assert!(found >= 4.5, "{text} on {ground}: {found}");
            }
            for line in ["strong", "load", "bad"] {
                let found = contrast(colour(line), colour(ground));
                assert!(found >= 3.0, "{line} on {ground}: {found}");
            }
        }
        for (circuit, ink) in palette.circuits {
            assert!(contrast(circuit, ink) >= 4.5, "{ink} on {circuit}");
            assert!(contrast(circuit, colour("ground")) >= 3.0, "{circuit}");
        }
    }
}

#[test]
fn circuits_stay_apart_for_every_eye() {
    for palette in [&LIGHT, &DARK] {
        for (at, (one, _)) in palette.circuits.iter().enumerate() {
            for (other, _) in &palette.circuits[at + 1..] {
                let found = apart(one, other);
                assert!(found > 0.08, "{one} and {other}: {found}");
            }
        }
    }
}

#[test]
fn a_theme_is_one_or_asks() {
    assert!(Theme::Auto.css().contains("prefers-color-scheme"));
    assert!(!Theme::Light.css().contains("#141311") && !Theme::Light.css().contains("@media"));
    assert!(Theme::Dark.css().contains("#141311") && !Theme::Dark.css().contains("--ground:#ffffff"));
}
