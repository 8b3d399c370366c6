//! `plan import netbox`, `plan export netbox`.

use super::{resolved, text, wrong};
use crate::args::Global;
use crate::failure::{self, Failure};
use crate::output;
use std::path::Path;
use stead_plan::lab::{Lab, netbox};

/// Prints an inventory made of NetBox's answers; what could not be taken over is told on standard error.
pub(super) fn import(global: &Global, path: &Path) -> Result<u8, Failure> {
    let answers = text(path, netbox::MAX_BYTES)?;
    let named = |message: &dyn std::fmt::Display| format!("{}: {message}", path.display());
    let made = netbox::import(&answers).map_err(|error| wrong(named(&error)).next(error.next.clone()))?;
    let tables = toml::to_string(&made.lab).map_err(|error| wrong(named(&error)))?;
    // What is printed must be readable, whatever NetBox said.
    let lab = Lab::read(&tables)
        .map_err(|error| wrong(named(&error)).next("Change it in NetBox, and ask again."))?;
    let mut notes = made.notes;
    if let Err(errors) = lab.resolve() {
        notes.extend(errors.into_iter().map(|error| error.message));
    }
    if global.json {
        output::json(&serde_json::json!({ "lab": lab, "notes": notes }));
        return Ok(failure::OK);
    }
    output::print(&format!("{}\n{tables}", sources()));
    for note in notes {
        eprintln!("note: {note}");
    }
    Ok(failure::OK)
}

/// Which field of NetBox's each of ours is, as comments.
fn sources() -> String {
    let mut all = String::from("# Made from NetBox. Where each field comes from:\n");
    for (ours, theirs) in netbox::SOURCES {
        all.push_str(&format!("#   {ours}: {theirs}\n"));
    }
    all
}

/// Prints a lab as NetBox's lists.
pub(super) fn export(global: &Global, path: &Path) -> Result<u8, Failure> {
    let lab = resolved(global, path)?;
    output::json(&netbox::export(&lab));
    Ok(failure::OK)
}
