//! `rm`.

use super::ls::Pages;
use super::path::{Place, object, place};
use super::versions::first_versions;
use crate::args::{Global, Rm};
use crate::client::{Client, Needs, Url, empty, find, read, request};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use futures::StreamExt;
use http::Method;
use stead_client::wire;

/// Deletes that run at the same time.
const AT_ONCE: usize = 16;

pub(super) async fn run(global: &Global, args: &Rm) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let mut deleted = 0;
    for path in &args.paths {
        deleted += match remove(&client, path, args).await {
            Err(failure) if args.force && is_absence(&failure) => 0,
            done => done?,
        };
    }
    let noun = if args.versions || args.version.is_some() {
        "version"
    } else {
        "object"
    };
    if global.json {
        output::json(&serde_json::json!({ "deleted": deleted }));
    } else if deleted > 0 || !args.force {
        output::line(format_args!("deleted {}", output::count(deleted, noun)));
    }
    Ok(failure::OK)
}

/// Whether what was to be deleted is not there.
fn is_absence(failure: &Failure) -> bool {
    [
        codes::NO_SUCH_BUCKET,
        codes::NO_SUCH_KEY,
        codes::NO_SUCH_VERSION,
        codes::DELETE_MARKER,
    ]
    .into_iter()
    .any(|code| failure.is(code))
}

/// Deletes what one argument names. Nothing there is a failure: a typing mistake should not look like success.
async fn remove(client: &Client, path: &str, args: &Rm) -> Result<u64, Failure> {
    if args.recursive {
        let place = place(path)?;
        let deleted = if args.versions {
            all_versions(client, &place).await?
        } else {
            below(client, &place).await?
        };
        return if deleted == 0 {
            Err(nothing(&place, args.versions))
        } else {
            Ok(deleted)
        };
    }
    let place = object(path)?;
    let version = args.version.as_deref();
    match client.head(|| url(&place, version)).await {
        // A version that is a delete marker has nothing to read, and can be deleted.
        Err(failure) if version.is_some() && failure.is(codes::DELETE_MARKER) => {}
        other => drop(other?),
    }
    delete(client, &place, version).await?;
    Ok(1)
}

fn nothing(place: &Place, versions: bool) -> Failure {
    let what = if versions { "version" } else { "object" };
    let next = if versions {
        "`stead ls -r --versions BUCKET/` shows what is there; with --force this is no failure"
    } else {
        "`stead ls -r BUCKET/` shows what is there (versions: `ls -r --versions`); with --force this is no failure"
    };
    let message = format!("there is no {what} below {place}: nothing was deleted");
    Failure::new(codes::NO_SUCH_KEY, message).next(next)
}

async fn below(client: &Client, place: &Place) -> Result<u64, Failure> {
    let mut deleted = 0;
    let mut pages = Pages::new(client, place, None, None);
    while let Some(page) = pages.next().await? {
        let targets = page.items.into_iter().map(|object| (object, None));
        delete_all(client, targets, &mut deleted).await?;
    }
    Ok(deleted)
}

/// Every version and delete marker. Always the first page: what it had is gone when the next is asked for.
async fn all_versions(client: &Client, place: &Place) -> Result<u64, Failure> {
    let mut deleted = 0;
    loop {
        let page = first_versions(client, place).await?;
        if page.is_empty() {
            return Ok(deleted);
        }
        let targets = page.into_iter().map(|version| {
            let id = version.version.clone();
            (version, Some(id))
        });
        delete_all(client, targets, &mut deleted).await?;
    }
}

async fn delete_all(
    client: &Client,
    targets: impl Iterator<Item = (wire::Object, Option<String>)>,
    deleted: &mut u64,
) -> Result<(), Failure> {
    let mut running = futures::stream::iter(targets)
        .map(|(object, version)| async move {
            let place = Place {
                bucket: object.bucket,
                key: object.key,
            };
            delete(client, &place, version.as_deref()).await
        })
        .buffer_unordered(AT_ONCE);
    while let Some(done) = running.next().await {
        done.map_err(|failure| {
            let done = output::count(*deleted, "object");
            let message = format!("after {done}: {} [{}]", failure.message, failure.code);
            Failure::new(codes::PARTIAL, message).next(failure.next)
        })?;
        *deleted += 1;
    }
    Ok(())
}

fn url(place: &Place, version: Option<&str>) -> Url {
    Url::new("/api/v1/objects")
        .segment(&place.bucket)
        .key(&place.key)
        .maybe("version", version)
}

async fn delete(client: &Client, place: &Place, version: Option<&str>) -> Result<wire::Deleted, Failure> {
    read(
        client
            .send(request(Method::DELETE, url(place, version), empty())?)
            .await?,
    )
    .await
}
