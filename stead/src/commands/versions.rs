//! `ls --versions`: every version of what is below a prefix, delete markers too.

use super::ls::printable;
use super::path::Place;
use crate::args::Global;
use crate::client::{Client, Url};
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table};
use stead_gateway_api::wire;

/// What a page of versions goes on behind.
#[derive(Clone, Default)]
struct Behind {
    key: Option<String>,
    version: Option<String>,
}

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
    let mut behind = Behind::default();
    loop {
        let page = page(client, place, delimiter, &behind).await?;
        behind = Behind {
            key: page.next.clone(),
            version: page.next_version.clone(),
        };
        if global.json {
            output::json(&page);
        } else {
            page.versions.iter().for_each(|version| table.row(row(version)));
            for prefix in &page.prefixes {
                let [none, dash] = [String::new(), "-".to_owned()];
                table.row([none.clone(), dash, none.clone(), none, printable(prefix)]);
            }
            table.page();
        }
        if behind.key.is_none() {
            break;
        }
    }
    if !global.json {
        table.print();
    }
    Ok(failure::OK)
}

fn row(version: &wire::Version) -> [String; 5] {
    let state = match (version.marker, version.latest) {
        (true, true) => "deleted",
        (true, false) => "delete marker",
        (false, true) => "current",
        (false, false) => "older",
    };
    let size = if version.marker {
        "-".to_owned()
    } else {
        output::size(version.object.size)
    };
    [
        output::moment(version.object.at),
        size,
        version.object.version.clone(),
        state.to_owned(),
        printable(&version.object.key),
    ]
}

/// The first versions below a prefix; none where there are none.
pub(super) async fn first_versions(client: &Client, place: &Place) -> Result<Vec<wire::Version>, Failure> {
    Ok(page(client, place, None, &Behind::default()).await?.versions)
}

async fn page(
    client: &Client,
    place: &Place,
    delimiter: Option<&str>,
    behind: &Behind,
) -> Result<wire::Versions, Failure> {
    let url = Url::new("/api/v1/versions")
        .segment(&place.bucket)
        .with("prefix", &place.key)
        .maybe("delimiter", delimiter)
        .maybe("after", behind.key.as_deref())
        .maybe("after_version", behind.version.as_deref());
    client.get(url).await
}
