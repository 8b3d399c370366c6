//! `config`: settings that all nodes share.

mod edit;
mod show;

use crate::args::{ConfigApply, ConfigCommand, ConfigDiff, ConfigSet, Global};
use crate::client::{Client, Needs, Url, find, json_request, read};
use crate::codes;
use crate::config::DOCUMENT_BYTES;
use crate::failure::{self, Failure};
use crate::output;
use http::Method;
use similar::TextDiff;
use std::io::Read;
use std::path::Path;
use stead_client::wire;
use toml_edit::{DocumentMut, Item, Table, Value};

pub(super) async fn run(global: &Global, command: ConfigCommand) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    match command {
        ConfigCommand::Show(args) => show::show(global, &client, &args).await,
        ConfigCommand::History => show::history(global, &client).await,
        ConfigCommand::Edit(args) => edit::edit(global, &client, &args.message).await,
        ConfigCommand::Apply(args) => apply(global, &client, &args).await,
        ConfigCommand::Set(args) => set(global, &client, &args).await,
        ConfigCommand::Unset(args) => {
            let (now, mut document) = editable(&client).await?;
            if !remove(&mut document, &args.name) {
                let why = format!("the shared document does not set {}", args.name);
                return Err(Failure::new(codes::CONFIG, why).next("`stead config show --document` shows it"));
            }
            change(global, &client, wanted(&now, document.to_string(), &args.message)).await
        }
        ConfigCommand::Diff(args) => diff(&client, &args).await,
        ConfigCommand::Rollback(args) => {
            let now = current(&client).await?;
            let old = revision(&client, args.revision).await?;
            let message = format!("back to revision {}", args.revision);
            change(global, &client, wanted(&now, old.document, &message)).await
        }
    }
}

/// The settings as they are now.
async fn current(client: &Client) -> Result<wire::Config, Failure> {
    client.get(Url::new("/api/v1/config")).await
}

/// One document that there was.
async fn revision(client: &Client, number: u64) -> Result<wire::ConfigRevision, Failure> {
    let url = Url::new("/api/v1/config/revisions").segment(&number.to_string());
    client.get(url).await
}

fn wanted(now: &wire::Config, document: String, message: &str) -> wire::SetConfig {
    wire::SetConfig {
        document,
        revision: now.revision,
        message: message.to_owned(),
        dry_run: false,
    }
}

/// Sets a document and tells what that changes.
async fn change(global: &Global, client: &Client, wanted: wire::SetConfig) -> Result<u8, Failure> {
    let dry_run = wanted.dry_run;
    let request = json_request(Method::PUT, Url::new("/api/v1/config"), &wanted)?;
    let changed: wire::ConfigChanged = read(client.send(request).await?).await?;
    if global.json {
        output::json(&changed);
        return Ok(failure::OK);
    }
    show::changes(&changed.changes).print();
    if dry_run {
        output::line("nothing was changed (--dry-run)");
    } else {
        output::line(format_args!("revision {} counts", changed.revision));
    }
    if changed.changes.iter().any(|change| change.restart) {
        output::line(
            "some of it counts on each node when that is started anew; `stead config show` says where it waits",
        );
    }
    Ok(failure::OK)
}

/// A file's document.
fn document(path: &Path) -> Result<String, Failure> {
    let failed = |e: std::io::Error| Failure::io(format_args!("cannot read {}", path.display()), &e);
    let most = DOCUMENT_BYTES as u64 + 1;
    let mut text = String::new();
    match path.as_os_str() == "-" {
        true => std::io::stdin().lock().take(most).read_to_string(&mut text),
        false => std::fs::File::open(path).and_then(|file| file.take(most).read_to_string(&mut text)),
    }
    .map_err(failed)?;
    Ok(text)
}

async fn apply(global: &Global, client: &Client, args: &ConfigApply) -> Result<u8, Failure> {
    let document = document(&args.file)?;
    let now = current(client).await?;
    let mut wanted = wanted(&now, document, &args.message);
    wanted.dry_run = args.dry_run;
    wanted.revision = args.over.unwrap_or(now.revision);
    change(global, client, wanted).await
}

/// The shared document, to be changed without its comments being lost.
async fn editable(client: &Client) -> Result<(wire::Config, DocumentMut), Failure> {
    let now = current(client).await?;
    let parsed = now.document.parse::<DocumentMut>();
    let document =
        parsed.map_err(|e| Failure::new(codes::CONFIG, format!("the shared document is not TOML: {e}")))?;
    Ok((now, document))
}

async fn set(global: &Global, client: &Client, args: &ConfigSet) -> Result<u8, Failure> {
    let (now, mut document) = editable(client).await?;
    let value: Value = args.value.parse().unwrap_or_else(|_| args.value.as_str().into());
    let (table, field) = match args.name.split_once('.') {
        Some((table, field)) if !field.is_empty() => (table, field),
        _ => {
            let why = format!("{} is no whole name, such as gc.retention_days", args.name);
            return Err(Failure::new(codes::CONFIG, why));
        }
    };
    let below = document.entry(table).or_insert_with(|| Item::Table(Table::new()));
    let Some(below) = below.as_table_like_mut() else {
        return Err(Failure::new(
            codes::CONFIG,
            format!("{table} is no table in the shared document"),
        ));
    };
    // In place, so that a comment beside it stays.
    match below.get_mut(field).and_then(Item::as_value_mut) {
        Some(known) => {
            let decor = known.decor().clone();
            *known = value;
            *known.decor_mut() = decor;
        }
        None => drop(below.insert(field, Item::Value(value))),
    }
    change(global, client, wanted(&now, document.to_string(), &args.message)).await
}

fn remove(document: &mut DocumentMut, name: &str) -> bool {
    let Some((table, field)) = name.split_once('.') else {
        return false;
    };
    let Some(below) = document.get_mut(table).and_then(Item::as_table_like_mut) else {
        return false;
    };
    let removed = below.remove(field).is_some();
    if below.is_empty() {
        document.remove(table);
    }
    removed
}

async fn diff(client: &Client, args: &ConfigDiff) -> Result<u8, Failure> {
    let to = match args.to {
        Some(number) => (
            format!("revision {number}"),
            revision(client, number).await?.document,
        ),
        None => {
            let now = current(client).await?;
            (format!("revision {}", now.revision), now.document)
        }
    };
    let (old, new) = match args.from.parse::<u64>() {
        Ok(number) => (
            (
                format!("revision {number}"),
                revision(client, number).await?.document,
            ),
            to,
        ),
        // Of a file: what applying it would change.
        Err(_) => (to, (args.from.clone(), document(Path::new(&args.from))?)),
    };
    let compared = TextDiff::from_lines(&old.1, &new.1);
    let text = compared.unified_diff().header(&old.0, &new.0).to_string();
    output::print(&text);
    Ok(if text.is_empty() {
        failure::OK
    } else {
        failure::FAILED
    })
}
