//! `scrub`, `gc`, `view rebuild`.

use super::progress;
use crate::args::{Gc, Global, Scrub, ViewCommand};
use crate::client::{Needs, Url, empty, find, json_request, request};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output::{self, count, size};
use crate::when;
use http::Method;
use stead_client::wire;

pub(super) async fn scrub(global: &Global, args: &Scrub) -> Result<u8, Failure> {
    let client = find(global, Needs::Read).await?;
    let rate = args.rate.map(|mib| (mib << 20).to_string());
    let url = Url::new("/api/v1/scrub").maybe("bytes_per_second", rate.as_deref());
    let bar = progress::bytes("reading", 0, global.json);
    let wanted = request(Method::POST, url, empty())?;
    let report: wire::Scrubbed = client.steps(wanted, progress::follow(&bar)).await?;
    bar.finish_and_clear();
    if global.json {
        output::json(&report);
        return Ok(if report.is_ok() {
            failure::OK
        } else {
            failure::FAILED
        });
    }
    output::line(format_args!(
        "read {}, {}",
        count(report.blocks, "block"),
        size(report.bytes)
    ));
    for damage in &report.damaged {
        let cid = damage.cid.as_deref().unwrap_or("a block whose name is lost");
        output::line(format_args!(
            "fail  {cid} in blocks/{:06}.pack at byte {}: {}",
            damage.pack, damage.offset, damage.why
        ));
    }
    for file in &report.restored {
        output::line(format_args!(
            "mended  {file} was damaged and is written anew from its blocks"
        ));
    }
    for lost in &report.lost {
        output::line(format_args!("fail  {} is damaged: {}", lost.file, lost.why));
    }
    if report.is_ok() {
        output::line("every block is what was written");
        return Ok(failure::OK);
    }
    let found = count(report.damaged.len() as u64, "damaged block");
    let lost = count(report.lost.len() as u64, "lost segment");
    Err(
        Failure::new(codes::FOUND, format!("{found} and {lost} of the log found"))
            .next("`stead why CID` says which objects are affected; store them again from where they came"),
    )
}

pub(super) async fn collect(global: &Global, args: &Gc) -> Result<u8, Failure> {
    let secs = |text: &Option<String>| -> Result<Option<u64>, Failure> {
        Ok(text
            .as_deref()
            .map(when::duration)
            .transpose()?
            .map(|duration| duration.as_secs()))
    };
    let wanted = wire::Collect {
        dry_run: args.dry_run,
        grace_secs: secs(&args.grace)?,
        retention_secs: secs(&args.retention)?,
    };
    let client = find(global, Needs::Node).await?;
    let bar = progress::count("collecting", 0, global.json);
    let wanted = json_request(Method::POST, Url::new("/api/v1/gc"), &wanted)?;
    let done: wire::Collected = client.steps(wanted, progress::follow(&bar)).await?;
    bar.finish_and_clear();
    if global.json {
        output::json(&done);
        return Ok(failure::OK);
    }
    let verb = if done.dry_run { "would delete" } else { "deleted" };
    output::line(format_args!(
        "{verb} {}, {}",
        count(done.deleted, "block"),
        size(done.deleted_bytes)
    ));
    output::line(format_args!(
        "kept {} in use and {} within the grace",
        count(done.reachable, "block"),
        count(done.protected, "block")
    ));
    if !done.dry_run {
        output::line(format_args!("the disk got {} back", size(done.freed_bytes)));
    }
    if done.unreadable == 0 {
        return Ok(failure::OK);
    }
    let found = count(done.unreadable, "block");
    Err(Failure::new(
        codes::FOUND,
        format!("{found} that lead to others cannot be read, so nothing was deleted"),
    )
    .next("run `stead scrub`"))
}

pub(super) async fn view(global: &Global, command: ViewCommand) -> Result<u8, Failure> {
    let ViewCommand::Rebuild = command;
    let client = find(global, Needs::Read).await?;
    let bar = progress::count("folding", 0, global.json);
    let wanted = request(Method::POST, Url::new("/api/v1/view/rebuild"), empty())?;
    let report: wire::Rebuilt = client.steps(wanted, progress::follow(&bar)).await?;
    bar.finish_and_clear();
    if global.json {
        output::json(&report);
        return Ok(if report.equal {
            failure::OK
        } else {
            failure::FAILED
        });
    }
    let (tables, events) = (
        count(report.tables.len() as u64, "table"),
        count(report.events, "event"),
    );
    output::line(format_args!("folded {events} into {tables}"));
    if report.equal {
        output::line("the views are byte for byte what they were");
        return Ok(failure::OK);
    }
    let different = report.different.join(", ");
    Err(Failure::new(
        codes::FOUND,
        format!("the views differed from the log in {different}; they are right now"),
    )
    .next("keep the node's log and report it: views must never differ"))
}
