//! `doctor`.

use crate::args::Global;
use crate::client::{Needs, Url, find};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use stead_client::wire::{Check, Doctor, Verdict};

pub(super) async fn run(global: &Global) -> Result<u8, Failure> {
    let doctor = match find(global, Needs::Read).await {
        Ok(client) => client.get(Url::new("/api/v1/doctor")).await?,
        // That it does not even open is a finding, and the first one.
        Err(failure) if failure.exit != failure::USAGE => Doctor {
            checks: vec![unopened(failure)],
        },
        Err(failure) => return Err(failure),
    };
    let worst = doctor
        .checks
        .iter()
        .map(|check| check.verdict)
        .max()
        .unwrap_or(Verdict::Ok);
    let code = if worst == Verdict::Fail {
        failure::FAILED
    } else {
        failure::OK
    };
    if global.json {
        output::json(&doctor);
        return Ok(code);
    }
    let width = doctor
        .checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or(0);
    for check in &doctor.checks {
        let verdict = match check.verdict {
            Verdict::Ok => "ok  ",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        };
        output::line(format_args!(
            "{verdict}  {:width$}  {}",
            check.name, check.message
        ));
        if !check.next.is_empty() {
            output::line(format_args!("      {:width$}  next step: {}", "", check.next));
        }
    }
    if worst == Verdict::Fail {
        return Err(Failure::new(codes::FOUND, "something is not as it must be"));
    }
    Ok(code)
}

fn unopened(failure: Failure) -> Check {
    Check {
        name: "directory".to_owned(),
        verdict: Verdict::Fail,
        message: format!("{} [{}]", failure.message, failure.code),
        next: failure.next,
    }
}
