//! `plan draw`, `plan report`.

use super::resolved;
use crate::args::{Global, PlanDraw, PlanPicture, PlanReport, PlanTheme};
use crate::failure::{self, Failure};
use crate::output;
use std::path::Path;
use stead_plan::Budget;
use stead_plan::draw::{Runbook, Side, Theme, network, power, racks, report};

pub(super) fn draw(global: &Global, args: &PlanDraw) -> Result<u8, Failure> {
    let lab = resolved(global, &args.file)?;
    let theme = match args.theme {
        PlanTheme::Auto => Theme::Auto,
        PlanTheme::Light => Theme::Light,
        PlanTheme::Dark => Theme::Dark,
    };
    let picture = match args.what {
        PlanPicture::Rack if args.rear => racks(&lab, Side::Rear, theme),
        PlanPicture::Rack => racks(&lab, Side::Front, theme),
        PlanPicture::Power => power(&lab, &Budget::of(&lab), theme),
        PlanPicture::Network => network(&lab, theme),
    };
    write(global, args.output.as_deref(), &picture.svg)
}

pub(super) fn whole(global: &Global, args: &PlanReport) -> Result<u8, Failure> {
    let lab = resolved(global, &args.file)?;
    let budget = Budget::of(&lab);
    let page = report(&lab, &budget, &Runbook::of(&lab, &budget));
    write(global, args.output.as_deref(), &page)
}

/// To a file, or to standard output.
fn write(global: &Global, file: Option<&Path>, text: &str) -> Result<u8, Failure> {
    let Some(file) = file.filter(|file| file.as_os_str() != "-") else {
        output::print(text);
        return Ok(failure::OK);
    };
    let failed = |e: std::io::Error| Failure::io(format_args!("cannot write {}", file.display()), &e);
    std::fs::write(file, text).map_err(failed)?;
    match global.json {
        true => output::json(&serde_json::json!({ "file": file, "bytes": text.len() })),
        false => output::line(format_args!("Wrote {}.", file.display())),
    }
    Ok(failure::OK)
}
