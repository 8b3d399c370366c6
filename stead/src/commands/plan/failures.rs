//! `plan lose` and `plan what-if`.

use super::{resolved, wrong};
use crate::args::{Global, PlanLose, PlanWhatIf};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use stead_plan::failures::{Forecaster, Report, Verdict, WhatIf, understand};

pub(super) fn lose(global: &Global, args: &PlanLose) -> Result<u8, Failure> {
    let lab = resolved(global, &args.file)?;
    let report = Report::of(&Forecaster::new(&lab), args.double);
    let worst = report.worst.max(report.now.worst());
    if global.json {
        output::json(&report);
        return Ok(code(worst));
    }
    output::print(&report.to_string());
    told(worst, "one failure can be too much")
}

pub(super) fn what_if(global: &Global, args: &PlanWhatIf) -> Result<u8, Failure> {
    let lab = resolved(global, &args.file)?;
    let understood = understand(&lab, &args.words.join(" ")).map_err(|error| {
        if global.json {
            output::json(&serde_json::json!({ "not_understood": error }));
        } else {
            for example in &error.understood {
                eprintln!("  {example}");
            }
        }
        Failure {
            next: format!("{} The lines above are understood.", error.next),
            ..wrong(error.message)
        }
    })?;
    let answer = WhatIf::of(&Forecaster::new(&lab), &understood);
    let worst = answer.outcome.worst();
    if global.json {
        output::json(&answer);
        return Ok(code(worst));
    }
    output::print(&answer.to_string());
    told(worst, "not everything goes on")
}

fn code(worst: Verdict) -> u8 {
    if worst.goes_on() {
        failure::OK
    } else {
        failure::FAILED
    }
}

fn told(worst: Verdict, what: &str) -> Result<u8, Failure> {
    match code(worst) {
        failure::OK => Ok(failure::OK),
        _ => Err(Failure::new(codes::FOUND, format!("{what}: {worst}"))),
    }
}
