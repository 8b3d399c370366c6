//! `disk list`, `disk empty`.

use super::progress;
use crate::args::{DiskCommand, Global};
use crate::client::{Needs, Url, find, json_request};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table, count, size};
use http::Method;
use stead_client::wire::{self, DiskState};

pub(super) async fn disk(global: &Global, command: DiskCommand) -> Result<u8, Failure> {
    match command {
        DiskCommand::List => list(global).await,
        DiskCommand::Empty { path } => leave(global, path).await,
    }
}

async fn list(global: &Global) -> Result<u8, Failure> {
    let client = find(global, Needs::Read).await?;
    let status: wire::Status = client.get(Url::new("/api/v1/status")).await?;
    if global.json {
        output::json(&status.disks);
        return Ok(failure::OK);
    }
    let mut table = Table::new(&[
        ("DIRECTORY", Align::Left),
        ("STATE", Align::Left),
        ("BLOCKS", Align::Right),
        ("FREE", Align::Right),
        ("SIZE", Align::Right),
    ]);
    for disk in &status.disks {
        let of_disk = |bytes| match disk.state {
            DiskState::Away => "-".to_owned(),
            _ => size(bytes),
        };
        table.row([
            disk.path.clone(),
            disk.state.words().to_owned(),
            of_disk(disk.bytes),
            of_disk(disk.free_bytes),
            of_disk(disk.total_bytes),
        ]);
    }
    table.print();
    Ok(failure::OK)
}

async fn leave(global: &Global, path: String) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let bar = progress::count("moving", 0, global.json);
    let asked = wire::EmptyDisk { path: path.clone() };
    let wanted = json_request(Method::POST, Url::new("/api/v1/disks/empty"), &asked)?;
    let done: wire::EmptiedDisk = client.steps(wanted, progress::follow(&bar)).await?;
    bar.finish_and_clear();
    if global.json {
        output::json(&done);
    } else {
        output::line(format_args!(
            "moved {} of {}",
            size(done.bytes),
            count(done.moved, "file")
        ));
    }
    if done.stuck > 0 {
        let stuck = count(done.stuck, "file of blocks");
        return Err(Failure::new(
            codes::FOUND,
            format!("{stuck} cannot be read whole and stays in {path}"),
        )
        .next("run `stead scrub`, store what it names again, and empty the directory once more"));
    }
    if !global.json {
        output::line(format_args!(
            "{path} is empty: take it out of storage.blocks in stead.toml"
        ));
    }
    Ok(failure::OK)
}
