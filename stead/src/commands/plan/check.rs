//! `plan check`.

use super::resolved;
use crate::args::{Global, PlanCheck};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use stead_plan::Budget;

pub(super) fn run(global: &Global, args: &PlanCheck) -> Result<u8, Failure> {
    let lab = resolved(global, &args.file)?;
    let budget = Budget::of(&lab);
    let code = if budget.is_within() {
        failure::OK
    } else {
        failure::FAILED
    };
    if global.json {
        output::json(&budget);
        return Ok(code);
    }
    output::print(&budget.to_string());
    if code == failure::FAILED {
        let message = "the lab is not within its limits, or not for certain";
        return Err(Failure::new(codes::FOUND, message));
    }
    Ok(code)
}
