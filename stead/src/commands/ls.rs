//! `ls`, and the pages of a listing for whoever needs all of them.

use super::path::{Place, place};
use crate::args::{Global, Ls};
use crate::client::{Client, Needs, Url, find};
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table};
use crate::when;
use stead_client::wire;

pub(super) async fn run(global: &Global, args: &Ls) -> Result<u8, Failure> {
    let client = find(global, Needs::Read).await?;
    let Some(path) = &args.path else {
        if args.at.at.is_some() {
            return Err(Failure::usage(
                "--at needs a bucket: give `stead ls BUCKET/ --at …`",
            ));
        }
        super::bucket::list(global, &client).await?;
        return Ok(failure::OK);
    };
    let mut place = place(path)?;
    if args.versions {
        return super::versions::list(global, &client, &place, args.recursive).await;
    }
    let at = when::at(args.at.at.as_deref())?;
    // `ls photos/2026` means the folder where there is one.
    if !args.recursive && !place.key.is_empty() && !place.key.ends_with('/') {
        let folder = Place {
            key: format!("{}/", place.key),
            ..place.clone()
        };
        let page = page(&client, &folder, None, None, at.as_deref(), 1).await?;
        if !page.items.is_empty() {
            place = folder;
        }
    }
    let delimiter = if args.recursive { None } else { Some("/") };
    let mut pages = Pages::new(&client, &place, delimiter, at.as_deref());
    let columns = [
        ("CHANGED", Align::Left),
        ("SIZE", Align::Right),
        ("KEY", Align::Left),
    ];
    let mut table = Table::new(&columns).or("nothing there");
    while let Some(page) = pages.next().await? {
        if global.json {
            output::json(&told(&page));
        } else {
            show(&mut table, &page);
        }
    }
    if !global.json {
        table.print();
    }
    Ok(failure::OK)
}

/// A page as `--json` tells it.
fn told(page: &wire::Listing) -> serde_json::Value {
    serde_json::json!({ "objects": page.items, "prefixes": page.prefixes, "position": page.position })
}

fn show(table: &mut Table, page: &wire::Listing) {
    // Keys and folders in one order.
    let mut rows: Vec<(&str, Option<&wire::Object>)> = page
        .items
        .iter()
        .map(|object| (object.key.as_str(), Some(object)))
        .collect();
    rows.extend(page.prefixes.iter().map(|prefix| (prefix.as_str(), None)));
    rows.sort_by_key(|(key, _)| *key);
    for (key, object) in rows {
        let (changed, size) = match object {
            Some(object) => (output::moment(object.at), output::size(object.size)),
            None => (String::new(), "-".to_owned()),
        };
        table.row([changed, size, printable(key)]);
    }
    table.page();
}

/// A key without what would move a terminal's cursor.
pub(super) fn printable(key: &str) -> String {
    key.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

/// The pages of a listing, as they are needed.
pub(super) struct Pages<'a> {
    client: &'a Client,
    place: &'a Place,
    delimiter: Option<&'a str>,
    at: Option<String>,
    cursor: Option<String>,
    done: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn new(
        client: &'a Client,
        place: &'a Place,
        delimiter: Option<&'a str>,
        at: Option<&str>,
    ) -> Self {
        Self {
            client,
            place,
            delimiter,
            at: at.map(str::to_owned),
            cursor: None,
            done: false,
        }
    }

    pub(super) async fn next(&mut self) -> Result<Option<wire::Listing>, Failure> {
        if self.done {
            return Ok(None);
        }
        let (cursor, at) = (self.cursor.take(), self.at.clone());
        let page = page(
            self.client,
            self.place,
            self.delimiter,
            cursor.as_deref(),
            at.as_deref(),
            1000,
        )
        .await?;
        self.cursor = page.next.clone();
        self.done = page.next.is_none();
        Ok(Some(page))
    }
}

async fn page(
    client: &Client,
    place: &Place,
    delimiter: Option<&str>,
    cursor: Option<&str>,
    at: Option<&str>,
    max: usize,
) -> Result<wire::Listing, Failure> {
    let url = Url::new("/api/v1/objects")
        .segment(&place.bucket)
        .with("prefix", &place.key)
        .with("limit", &max.to_string())
        .maybe("delimiter", delimiter)
        .maybe("cursor", cursor)
        .maybe("at", at);
    client.get(url).await
}
