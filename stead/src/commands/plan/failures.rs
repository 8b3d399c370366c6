//! `plan lose` and `plan what-if`.

use super::{live, read, refuse, resolved, wrong};
use crate::args::{Global, PlanLose, PlanWhatIf};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use stead_plan::failures::{Forecaster, Report, Verdict, WhatIf, understand};
use stead_plan::lab::Resolved;
use stead_plan::live::Live;

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

/// A lab as a file says, or as the cluster is now, or both; what of the state is to be said besides.
async fn asked(global: &Global, args: &PlanWhatIf) -> Result<(Resolved, Option<Live>, Vec<String>), Failure> {
    let (file, _) = args.parts();
    if !args.live {
        let file = file.ok_or_else(|| wrong("say which inventory, or --live for the cluster as it is"))?;
        return Ok((resolved(global, file)?, None, Vec::new()));
    }
    let live = live::state(global).await?;
    let (lab, mut notes) = match file {
        Some(file) => {
            let mut lab = read(global, file)?;
            let notes = live.over(&mut lab);
            (lab, notes)
        }
        None => (live.lab(), Vec::new()),
    };
    notes.extend(live.notes());
    let name = file.map_or("the cluster".as_ref(), |file| file.as_path());
    let lab = lab.resolve().map_err(|errors| refuse(global, name, &errors))?;
    Ok((lab, Some(live), notes))
}

pub(super) async fn what_if(global: &Global, args: &PlanWhatIf) -> Result<u8, Failure> {
    let (lab, live, notes) = asked(global, args).await?;
    let (_, words) = args.parts();
    let understood = understand(&lab, &words.join(" ")).map_err(|error| {
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
    let forecaster = match &live {
        Some(live) => live.forecaster(&lab),
        None => Forecaster::new(&lab),
    };
    let mut answer = WhatIf::of(&forecaster, &understood);
    answer.notes.extend(notes);
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
