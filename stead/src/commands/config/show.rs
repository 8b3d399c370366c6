//! `config show`, `config history`.

use super::{current, revision};
use crate::args::{ConfigShow, Global};
use crate::client::{Client, Url};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table};
use serde_json::Value;
use stead_client::wire::{self, Origin};

fn text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

pub(super) async fn show(global: &Global, client: &Client, args: &ConfigShow) -> Result<u8, Failure> {
    if let Some(number) = args.revision {
        let found = revision(client, number).await?;
        match global.json {
            true => output::json(&found),
            false => output::print(&found.document),
        }
        return Ok(failure::OK);
    }
    let mut config = current(client).await?;
    if args.document && !global.json {
        output::print(&config.document);
        return Ok(failure::OK);
    }
    if let Some(name) = &args.name {
        config
            .settings
            .retain(|setting| setting.name.starts_with(name.as_str()));
        if config.settings.is_empty() {
            return Err(Failure::new(
                codes::CONFIG,
                format!("no setting begins with {name}"),
            ));
        }
    }
    if global.json {
        output::json(&config);
        return Ok(failure::OK);
    }
    let mut table = Table::new(&[
        ("SETTING", Align::Left),
        ("VALUE", Align::Left),
        ("FROM", Align::Left),
        ("COUNTS", Align::Left),
    ]);
    for setting in &config.settings {
        let from = match setting.origin {
            Origin::Default => "default",
            Origin::Cluster => "all nodes",
            Origin::Node => "stead.toml",
        };
        let counts = match (&setting.running, setting.live) {
            (Some(running), _) => format!("after a restart; now {}", text(running)),
            (None, true) => "at once".to_owned(),
            (None, false) => "after a restart".to_owned(),
        };
        let counts = if setting.shared {
            counts
        } else {
            "only in stead.toml".to_owned()
        };
        table.row([
            setting.name.clone(),
            text(&setting.value),
            from.to_owned(),
            counts,
        ]);
    }
    table.print();
    if !config.waiting.is_empty() {
        output::line(format_args!(
            "this node is to be started anew for: {}",
            config.waiting.join(", ")
        ));
    }
    Ok(failure::OK)
}

pub(super) async fn history(global: &Global, client: &Client) -> Result<u8, Failure> {
    let found: wire::Page<wire::ConfigRevision> = client.all(Url::new("/api/v1/config/history")).await?;
    if global.json {
        output::json(&found.items);
        return Ok(failure::OK);
    }
    let mut table = Table::new(&[
        ("REVISION", Align::Right),
        ("SET", Align::Left),
        ("BY", Align::Left),
        ("POSITION", Align::Right),
        ("WHY", Align::Left),
    ])
    .or("settings were never shared");
    for revision in found.items {
        table.row([
            revision.revision.to_string(),
            revision.set_at.to_string(),
            revision.set_by,
            revision.position.to_string(),
            revision.message,
        ]);
    }
    table.print();
    Ok(failure::OK)
}

/// What changes, as a table.
pub(super) fn changes(changes: &[wire::SettingChange]) -> Table {
    let mut table = Table::new(&[
        ("SETTING", Align::Left),
        ("WAS", Align::Left),
        ("IS", Align::Left),
        ("COUNTS", Align::Left),
    ])
    .or("no setting changes");
    for change in changes {
        let counts = if change.restart {
            "after a restart"
        } else {
            "at once"
        };
        table.row([
            change.name.clone(),
            text(&change.from),
            text(&change.to),
            counts.to_owned(),
        ]);
    }
    table
}
