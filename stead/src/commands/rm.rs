//! `rm`.

use super::ls::Pages;
use super::path::{Place, object, place};
use crate::args::{Global, Rm};
use crate::client::{Client, Needs, Url, empty, find, read, request};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use futures::StreamExt;
use http::Method;
use stead_gateway_api::wire;

/// Deletes that run at the same time.
const AT_ONCE: usize = 16;

pub(super) async fn run(global: &Global, args: &Rm) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let mut deleted = 0;
    for path in &args.paths {
        if args.recursive {
            deleted += below(&client, &place(path)?).await?;
            continue;
        }
        let place = object(path)?;
        let version = args.version.as_deref();
        // A typing mistake should not look like success.
        match client.head(|| url(&place, version)).await {
            // A version that is a delete marker has nothing to read, and can be deleted.
            Err(failure) if version.is_some() && failure.is(codes::DELETE_MARKER) => {}
            other => drop(other?),
        }
        delete(&client, &place, version).await?;
        deleted += 1;
    }
    if global.json {
        output::json(&serde_json::json!({ "deleted": deleted }));
    } else {
        output::line(format_args!("deleted {}", output::count(deleted, "object")));
    }
    Ok(failure::OK)
}

async fn below(client: &Client, place: &Place) -> Result<u64, Failure> {
    let mut deleted = 0;
    let mut pages = Pages::new(client, place, None, None);
    while let Some(page) = pages.next().await? {
        let targets = page.objects.into_iter().map(|object| Place {
            bucket: object.bucket,
            key: object.key,
        });
        let mut running = futures::stream::iter(targets)
            .map(|target| async move { delete(client, &target, None).await })
            .buffer_unordered(AT_ONCE);
        while let Some(done) = running.next().await {
            done.map_err(|failure| {
                Failure::new(
                    codes::PARTIAL,
                    format!("after {}: {}", output::count(deleted, "object"), failure.message),
                )
            })?;
            deleted += 1;
        }
    }
    Ok(deleted)
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
