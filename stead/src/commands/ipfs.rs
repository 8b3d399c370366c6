//! `ipfs publish|unpublish|ls`; DAGs in and out are `cars`.

mod cars;

use super::path;
use crate::args::{Global, IpfsCommand};
use crate::client::{Client, Needs, Url, find};
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table};
use stead_client::wire;

pub(super) async fn run(global: &Global, command: IpfsCommand) -> Result<u8, Failure> {
    match command {
        IpfsCommand::Publish { path } => publish(global, &path).await?,
        IpfsCommand::Unpublish { path } => unpublish(global, &path).await?,
        IpfsCommand::Pin { cid, path, from } => cars::pin(global, cid, &path, from).await?,
        IpfsCommand::Unpin { cid, path } => cars::unpin(global, cid, &path).await?,
        IpfsCommand::Export { what, file } => cars::export(global, &what, &file).await?,
        IpfsCommand::Import { file, path, partial } => cars::import(global, &file, &path, partial).await?,
        IpfsCommand::Ls => list(global, &find(global, Needs::Read).await?).await?,
    }
    Ok(failure::OK)
}

fn place(text: &str) -> Result<wire::IpfsPlace, Failure> {
    let place = path::place(text)?;
    Ok(wire::IpfsPlace {
        bucket: place.bucket,
        prefix: place.key,
    })
}

async fn publish(global: &Global, text: &str) -> Result<(), Failure> {
    let client = find(global, Needs::Node).await?;
    let url = Url::new("/api/v1/ipfs/publish");
    let done: wire::IpfsPublication = client.post(url, &place(text)?).await?;
    if global.json {
        output::json(&done);
        return Ok(());
    }
    let root = match &done.cid {
        Some(cid) => format!("/ipfs/{cid}"),
        None => "its directory is being made; `stead ipfs ls` shows it then".to_owned(),
    };
    output::line(format_args!(
        "{}/{} is public\n\n  now     {root}\n  always  /ipns/{}",
        done.bucket, done.prefix, done.ipns
    ));
    Ok(())
}

async fn unpublish(global: &Global, text: &str) -> Result<(), Failure> {
    let client = find(global, Needs::Node).await?;
    let url = Url::new("/api/v1/ipfs/unpublish");
    let done: wire::IpfsUnpublished = client.post(url, &place(text)?).await?;
    if global.json {
        output::json(&done);
    } else if done.done {
        output::line(format_args!("{text} is not public any more"));
    } else {
        output::line(format_args!(
            "{text} is being taken back; some of it may be given for a moment"
        ));
    }
    Ok(())
}

async fn list(global: &Global, client: &Client) -> Result<(), Failure> {
    let answer: wire::Ipfs = client.get(Url::new("/api/v1/ipfs")).await?;
    if global.json {
        output::json(&answer);
        return Ok(());
    }
    let columns = [
        ("PUBLIC", Align::Left),
        ("ROOT", Align::Left),
        ("IPNS NAME", Align::Left),
        ("ENTRIES", Align::Right),
        ("BEHIND", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for publication in &answer.published {
        table.row([
            format!("{}/{}", publication.bucket, publication.prefix),
            publication.cid.clone().unwrap_or_else(|| "being made".into()),
            publication.ipns.clone(),
            publication
                .entries
                .map(|entries| entries.to_string())
                .unwrap_or_default(),
            output::count(publication.behind, "event"),
        ]);
    }
    table.print();
    let mut pins = Table::new(&[
        ("PINNED", Align::Left),
        ("AT", Align::Left),
        ("SINCE", Align::Left),
    ]);
    for pin in &answer.pins {
        let partial = if pin.partial { " (partial)" } else { "" };
        pins.row([
            format!("{}{partial}", pin.cid),
            format!("{}/{}", pin.bucket, pin.key),
            output::moment(pin.at),
        ]);
    }
    pins.print();
    if answer.published.is_empty() && output::is_terminal() {
        output::line("nothing is public: `stead ipfs publish BUCKET` makes a bucket so");
    }
    Ok(())
}
