//! `bucket create|list|delete`.

use crate::args::{BucketCommand, Global};
use crate::client::{Client, Needs, Url, find};
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table};
use http::Method;
use stead_client::wire;
use stead_event::body::Versioning;

pub(super) async fn run(global: &Global, command: BucketCommand) -> Result<u8, Failure> {
    match command {
        BucketCommand::Create { name, versioned } => {
            let client = find(global, Needs::Node).await?;
            let url = Url::new("/api/v1/buckets").segment(&name);
            let url = if versioned {
                url.with("versioned", "true")
            } else {
                url
            };
            client.call(Method::PUT, url).await?;
            told(global, &name, "created");
        }
        BucketCommand::List => list(global, &find(global, Needs::Read).await?).await?,
        BucketCommand::Set {
            name,
            copies,
            erasure,
            writes,
        } => {
            let client = find(global, Needs::Node).await?;
            let url = |document| Url::new("/api/v1/buckets").segment(&name).segment(document);
            if copies.is_some() || erasure.is_some() {
                let copies = copies.and_then(|copies| copies.0);
                client
                    .put(url("copies"), &wire::BucketCopies { copies, erasure })
                    .await?;
            }
            if let Some(writes) = writes {
                client.put(url("writes"), &wire::BucketWrites { writes }).await?;
            }
            told(global, &name, "changed");
        }
        BucketCommand::Delete { name } => {
            let client = find(global, Needs::Node).await?;
            client
                .call(Method::DELETE, Url::new("/api/v1/buckets").segment(&name))
                .await?;
            told(global, &name, "deleted");
        }
    }
    Ok(failure::OK)
}

fn told(global: &Global, name: &str, what: &str) {
    if global.json {
        output::json(&serde_json::json!({ "bucket": name, what: true }));
    } else {
        output::line(format_args!("bucket {name} {what}"));
    }
}

/// The table of buckets, also for `ls` without a path.
pub(super) async fn list(global: &Global, client: &Client) -> Result<(), Failure> {
    let answer: wire::Page<wire::Bucket> = client.all(Url::new("/api/v1/buckets")).await?;
    if global.json {
        output::json(&serde_json::json!({ "buckets": answer.items }));
        return Ok(());
    }
    let columns = [
        ("BUCKET", Align::Left),
        ("OBJECTS", Align::Right),
        ("SIZE", Align::Right),
        ("VERSIONS", Align::Left),
        ("CREATED", Align::Left),
    ];
    let mut table = Table::new(&columns).or("no buckets yet: `stead bucket create NAME` makes one");
    for bucket in &answer.items {
        let versions = match bucket.versioning {
            Versioning::Off => "off",
            Versioning::Enabled => "kept",
            Versioning::Suspended => "suspended",
        };
        table.row([
            bucket.name.clone(),
            bucket.objects.to_string(),
            output::size(bucket.bytes),
            versions.to_owned(),
            output::moment(bucket.created),
        ]);
    }
    table.print();
    Ok(())
}
