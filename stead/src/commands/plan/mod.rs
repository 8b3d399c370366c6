//! `plan`: what follows from an inventory file. Needs no node.
//!
//! Owns: reading and writing the files; what is in them and what follows is `stead_plan`'s.

mod check;
mod design;
mod draw;
mod failures;
pub(super) mod host;
mod init;
pub(super) mod live;
mod netbox;
mod template;

use crate::args::{Global, PlanCommand, PlanExport, PlanImport};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use std::io::Read;
use std::path::Path;
use stead_plan::lab::{Lab, LabError, MAX_BYTES, Resolved, locate};

pub(super) async fn run(global: &Global, command: PlanCommand) -> Result<u8, Failure> {
    match command {
        PlanCommand::Init(args) => init::run(global, &args),
        PlanCommand::Check(args) => check::run(global, &args),
        PlanCommand::Lose(args) => failures::lose(global, &args),
        PlanCommand::WhatIf(args) => failures::what_if(global, &args).await,
        PlanCommand::Design(args) => design::run(global, &args),
        PlanCommand::Draw(args) => draw::draw(global, &args),
        PlanCommand::Report(args) => draw::whole(global, &args),
        PlanCommand::Import(PlanImport::Netbox(args)) => netbox::import(global, &args.file),
        PlanCommand::Export(PlanExport::Netbox(args)) => netbox::export(global, &args.file),
    }
}

/// A lab as its file says, which need not hold together yet.
fn read(global: &Global, path: &Path) -> Result<Lab, Failure> {
    let text = text(path, MAX_BYTES)?;
    Lab::read(&text).map_err(|error| refuse(global, path, &[error]))
}

/// A lab that holds together. What is wrong with it is told, all of it, and ends the command with exit code 2.
fn resolved(global: &Global, path: &Path) -> Result<Resolved, Failure> {
    let text = text(path, MAX_BYTES)?;
    let lab = Lab::read(&text).map_err(|error| refuse(global, path, &[error]))?;
    lab.resolve().map_err(|mut errors| {
        locate(&text, &mut errors);
        refuse(global, path, &errors)
    })
}

/// A file's text of at most so many bytes and one more, which its reader refuses. `-` is standard input.
fn text(path: &Path, most: usize) -> Result<String, Failure> {
    let failed = |e: std::io::Error| Failure {
        exit: failure::USAGE,
        ..Failure::io(format_args!("cannot read {}", path.display()), &e)
    };
    let mut bytes = Vec::new();
    let limit = most as u64 + 1;
    match path.as_os_str() == "-" {
        true => std::io::stdin().lock().take(limit).read_to_end(&mut bytes),
        false => std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
    }
    .map_err(failed)?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        wrong(format!("{} is not UTF-8 (byte {at})", path.display()))
    })
}

/// A file that is not what it must be.
fn wrong(message: impl Into<String>) -> Failure {
    Failure {
        exit: failure::USAGE,
        ..Failure::new(codes::INVENTORY, message)
    }
}

/// Tells all that is wrong.
fn refuse(global: &Global, path: &Path, errors: &[LabError]) -> Failure {
    if global.json {
        output::json(&serde_json::json!({ "errors": errors }));
    }
    for error in errors.iter().filter(|_| !global.json) {
        let place = error
            .place
            .map_or(String::new(), |place| format!(":{}:{}", place.line, place.column));
        eprintln!(
            "{}{place}: {} [{}]\n    {}",
            path.display(),
            error,
            error.kind,
            error.next
        );
    }
    let things = if errors.len() == 1 {
        "thing is"
    } else {
        "things are"
    };
    wrong(format!("{} {things} wrong with {}", errors.len(), path.display()))
}
