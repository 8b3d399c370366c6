//! `status`.

use crate::args::Global;
use crate::client::{Needs, Url, find};
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table, count, size};
use stead_client::wire::{self, DiskState};

pub(super) async fn run(global: &Global) -> Result<u8, Failure> {
    let client = find(global, Needs::Read).await?;
    let status: wire::Status = client.get(Url::new("/api/v1/status")).await?;
    if global.json {
        output::json(&status);
        return Ok(failure::OK);
    }
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let mut row = |name: &str, value: String| table.row([name.to_owned(), value]);
    let state = match status.uptime_secs {
        Some(secs) if status.running => format!("up for {}", output::duration(secs)),
        _ => "not running; this is what the directory holds".to_owned(),
    };
    row("node", state);
    row("name", status.node.clone());
    row("release", status.release.clone());
    for (name, url) in &status.endpoints {
        row(name, url.clone());
    }
    row(
        "data",
        format!("{}, {} free", status.data, size(status.free_bytes)),
    );
    let (buckets, objects) = (count(status.buckets, "bucket"), count(status.objects, "object"));
    row(
        "objects",
        format!("{objects} in {buckets}, {}", size(status.object_bytes)),
    );
    let blocks = &status.blocks;
    let (number, packs) = (count(blocks.blocks, "block"), count(blocks.packs, "pack"));
    row(
        "blocks",
        format!(
            "{number} in {packs}, {}, {} on disk",
            size(blocks.bytes),
            size(blocks.disk_bytes)
        ),
    );
    for disk in status.disks.iter().filter(|_| status.disks.len() > 1) {
        let how = match disk.state {
            DiskState::InUse => format!("{} of blocks, {} free", size(disk.bytes), size(disk.free_bytes)),
            state => state.words().to_owned(),
        };
        row("disk", format!("{}, {how}", disk.path));
    }
    for log in &status.logs {
        row(
            &format!("log {}", log.tenant),
            format!("position {}", log.position),
        );
    }
    if let Some(raft) = &status.raft {
        let leader = raft.leader.map_or("none".to_owned(), |leader| leader.to_string());
        let (applied, durable) = (raft.applied.unwrap_or(0), raft.durable.unwrap_or(0));
        let voters = count(raft.voters.len() as u64, "voter");
        row(
            "consensus",
            format!(
                "term {}, leader {leader}, {voters}, applied {applied}, durable {durable}",
                raft.term
            ),
        );
    }
    if let Some(power) = &status.power {
        row("power", said(power));
    }
    table.print();
    Ok(failure::OK)
}

/// What is drawn, and what each UPS is on.
fn said(power: &wire::Power) -> String {
    let mut said = match power.watts {
        Some(watts) => vec![format!("{watts:.0} W")],
        None => vec!["nothing measured".to_owned()],
    };
    for ups in &power.ups {
        said.push(format!("UPS {}: {}", ups.name, ups.supply.replace('_', " ")));
    }
    if !power.failed.is_empty() {
        said.push(format!("{} not read", count(power.failed.len() as u64, "source")));
    }
    if let Some(left) = power.stops_in_seconds {
        said.push(format!("stops in {left} s"));
    }
    said.join(", ")
}
