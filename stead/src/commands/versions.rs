//! `ls --versions`: every version of what is below a prefix, delete markers too.

use super::ls::printable;
use super::path::Place;
use crate::args::Global;
use crate::client::{Client, Url};
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table};
use stead_client::wire;

pub(super) async fn list(
    global: &Global,
    client: &Client,
    place: &Place,
    recursive: bool,
) -> Result<u8, Failure> {
    let delimiter = if recursive { None } else { Some("/") };
    let mut table = Table::new(&[
        ("CHANGED", Align::Left),
        ("SIZE", Align::Right),
        ("VERSION", Align::Left),
        ("STATE", Align::Left),
        ("KEY", Align::Left),
    ])
    .or("no versions there");
    let mut cursor = None;
    loop {
        let page = page(client, place, delimiter, cursor.as_deref()).await?;
        cursor = page.next.clone();
        if global.json {
            output::json(&serde_json::json!({ "versions": page.items, "prefixes": page.prefixes }));
        } else {
            page.items.iter().for_each(|version| table.row(row(version)));
            for prefix in &page.prefixes {
                let [none, dash] = [String::new(), "-".to_owned()];
                table.row([none.clone(), dash, none.clone(), none, printable(prefix)]);
            }
            table.page();
        }
        if cursor.is_none() {
            break;
        }
    }
    if !global.json {
        table.print();
    }
    Ok(failure::OK)
}

fn row(version: &wire::Object) -> [String; 5] {
    let state = match (version.marker, version.latest.unwrap_or_default()) {
        (true, true) => "deleted",
        (true, false) => "delete marker",
        (false, true) => "current",
        (false, false) => "older",
    };
    let size = if version.marker {
        "-".to_owned()
    } else {
        output::size(version.size)
    };
    [
        output::moment(version.at),
        size,
        version.version.clone(),
        state.to_owned(),
        printable(&version.key),
    ]
}

/// The first versions below a prefix; none where there are none.
pub(super) async fn first_versions(client: &Client, place: &Place) -> Result<Vec<wire::Object>, Failure> {
    Ok(page(client, place, None, None).await?.items)
}

async fn page(
    client: &Client,
    place: &Place,
    delimiter: Option<&str>,
    cursor: Option<&str>,
) -> Result<wire::Listing, Failure> {
    let url = Url::new("/api/v1/objects")
        .segment(&place.bucket)
        .with("prefix", &place.key)
        .maybe("delimiter", delimiter)
        .with("versions", "true")
        .with("limit", "1000")
        .maybe("cursor", cursor);
    client.get(url).await
}
