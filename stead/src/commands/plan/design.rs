//! `plan design`.
//!
//! Promises: with `--write`, no file that is there is written over.

use super::{text, wrong};
use crate::args::{Global, PlanDesign};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use stead_plan::design::{Design, SURVIVABLE, Wish, search};
use stead_plan::failures::FailureKind;
use stead_plan::lab::model::Part;
use stead_plan::lab::{Lab, MAX_BYTES};

/// Figures beyond this are no wish.
const MOST: f64 = 1e9;

pub(super) fn run(global: &Global, args: &PlanDesign) -> Result<u8, Failure> {
    let wish = Wish {
        usable_tb: terabytes(&args.usable)?,
        budget_usd: positive("budget", args.budget)?,
        watts: positive("watts", args.watts)?,
        survive: args
            .survive
            .iter()
            .map(|word| kind(word))
            .collect::<Result<_, _>>()?,
    };
    let own = args.parts.as_deref().map(parts).transpose()?.unwrap_or_default();
    let designs = match search(&wish, &own) {
        Ok(designs) => designs,
        Err(none) if global.json => {
            output::json(&serde_json::json!({ "wish": wish, "designs": [], "give": none.give }));
            return Ok(failure::FAILED);
        }
        Err(none) => {
            for give in &none.give {
                output::line(format_args!("Possible with {give}."));
            }
            let failed = Failure::new(codes::FOUND, none.to_string());
            return Err(failed.next("Give up one of the wishes as far as the lines above say."));
        }
    };
    let files = match &args.write {
        Some(directory) => write(directory, &designs)?,
        None => Vec::new(),
    };
    if global.json {
        output::json(&serde_json::json!({ "wish": wish, "designs": designs, "files": files }));
        return Ok(failure::OK);
    }
    for (at, design) in designs.iter().enumerate() {
        output::print(&format!("{}{design}", if at > 0 { "\n" } else { "" }));
        if let Some(file) = files.get(at) {
            output::line(format_args!("    {}", file.display()));
        }
    }
    Ok(failure::OK)
}

/// A size in units of 1,000, as disks are sold.
fn terabytes(text: &str) -> Result<f64, Failure> {
    let trimmed = text.trim();
    let end = trimmed.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let (number, unit) = trimmed.split_at(end.unwrap_or(trimmed.len()));
    let factor = match unit.trim().to_ascii_uppercase().as_str() {
        "TB" | "T" => 1.0,
        "GB" | "G" => 1e-3,
        "PB" | "P" => 1e3,
        _ => 0.0,
    };
    let size = number.parse::<f64>().ok().map(|number| number * factor);
    size.filter(|size| (1e-3..=MOST).contains(size)).ok_or_else(|| {
        Failure::usage(format!(
            "--usable cannot be {text:?}; write a size such as 8TB or 500GB"
        ))
    })
}

fn positive(name: &str, value: Option<f64>) -> Result<Option<f64>, Failure> {
    match value {
        Some(value) if !(value > 0.0 && value <= MOST) => Err(Failure::usage(format!(
            "--{name} cannot be {value}; write a number above 0"
        ))),
        value => Ok(value),
    }
}

fn kind(word: &str) -> Result<FailureKind, Failure> {
    let named = |kind: &FailureKind| {
        let own = format!("{kind:?}").to_lowercase();
        own == word.trim().to_lowercase()
    };
    SURVIVABLE.into_iter().find(named).ok_or_else(|| {
        let all: Vec<String> = SURVIVABLE
            .iter()
            .map(|kind| format!("{kind:?}").to_lowercase())
            .collect();
        Failure::usage(format!("--survive knows {}, not {word:?}", all.join(", ")))
    })
}

fn parts(path: &Path) -> Result<Vec<Part>, Failure> {
    let text = text(path, MAX_BYTES)?;
    let lab =
        Lab::read(&text).map_err(|error| wrong(format!("{}: {error}", path.display())).next(error.next))?;
    Ok(lab.parts)
}

fn write(directory: &Path, designs: &[Design]) -> Result<Vec<PathBuf>, Failure> {
    let failed = |path: &Path, error: std::io::Error| Failure {
        exit: failure::USAGE,
        ..Failure::io(format_args!("cannot write {}", path.display()), &error)
    };
    std::fs::create_dir_all(directory).map_err(|error| failed(directory, error))?;
    let mut files = Vec::new();
    for (at, design) in designs.iter().enumerate() {
        let path = directory.join(format!("design-{}.toml", at + 1));
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        opened
            .and_then(|mut file| file.write_all(design.lab_toml.as_bytes()))
            .map_err(|error| failed(&path, error))?;
        files.push(path);
    }
    Ok(files)
}
