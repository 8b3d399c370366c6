//! `ipfs import|export|pin|unpin`: DAGs in and out.

use crate::args::Global;
use crate::client::{Needs, Url, broken, empty, find, json_request, read, request, streamed};
use crate::commands::{path, progress};
use crate::failure::Failure;
use crate::output;
use http::Method;
use http_body_util::BodyExt;
use std::path::Path;
use stead_client::wire;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Bytes read from a file at a time (256 KiB).
const READ: usize = 256 << 10;

fn told(global: &Global, done: &wire::IpfsImported) {
    if global.json {
        output::json(done);
        return;
    }
    for root in &done.roots {
        output::line(format_args!("kept {root}"));
    }
    output::line(format_args!(
        "{}, {}; {}",
        output::count(done.blocks, "new block"),
        output::size(done.bytes),
        output::count(done.objects, "object")
    ));
}

pub(super) async fn import(global: &Global, file: &Path, place: &str, partial: bool) -> Result<(), Failure> {
    let place = path::place(place)?;
    let failed = |e: &std::io::Error| Failure::io(format_args!("cannot read {}", file.display()), e);
    let opened = tokio::fs::File::open(file).await.map_err(|e| failed(&e))?;
    let client = find(global, Needs::Node).await?;
    let url = Url::new("/api/v1/ipfs/import")
        .with("bucket", &place.bucket)
        .with("key", &place.key)
        .with("partial", if partial { "true" } else { "false" });
    let body = streamed(tokio_util::io::ReaderStream::with_capacity(opened, READ));
    let done: wire::IpfsImported = read(client.send(request(Method::POST, url, body)?).await?).await?;
    told(global, &done);
    Ok(())
}

pub(super) async fn pin(global: &Global, cid: String, place: &str, from: Vec<String>) -> Result<(), Failure> {
    let place = path::place(place)?;
    let client = find(global, Needs::Node).await?;
    let wanted = wire::IpfsFetch {
        cid,
        from,
        bucket: place.bucket,
        key: place.key,
    };
    let bar = progress::count("fetching", 0, global.json);
    let wanted = json_request(Method::POST, Url::new("/api/v1/ipfs/pin"), &wanted)?;
    let done: wire::IpfsImported = client.steps(wanted, progress::follow(&bar)).await?;
    bar.finish_and_clear();
    told(global, &done);
    Ok(())
}

pub(super) async fn unpin(global: &Global, cid: String, place: &str) -> Result<(), Failure> {
    let place = path::place(place)?;
    let client = find(global, Needs::Node).await?;
    let wanted = wire::IpfsUnpin {
        bucket: place.bucket,
        key: place.key,
        cid,
    };
    let done: wire::IpfsUnpublished = client.post(Url::new("/api/v1/ipfs/unpin"), &wanted).await?;
    if global.json {
        output::json(&done);
    } else {
        output::line(format_args!("{} is not kept any more", wanted.cid));
    }
    Ok(())
}

pub(super) async fn export(global: &Global, what: &str, file: &Path) -> Result<(), Failure> {
    let client = find(global, Needs::Node).await?;
    let url = Url::new("/api/v1/ipfs/export");
    let url = if what.contains('/') {
        let place = path::place(what)?;
        url.with("bucket", &place.bucket).with("key", &place.key)
    } else if what.len() >= 46 {
        url.with("cid", what)
    } else {
        url.with("bucket", what)
    };
    let response = client.send(request(Method::GET, url, empty())?).await?;
    let failed = |e: &std::io::Error| Failure::io(format_args!("cannot write {}", file.display()), e);
    if file == Path::new("-") {
        return copy(response.into_body(), tokio::io::stdout(), failed)
            .await
            .map(drop);
    }
    // Under another name until it is whole: half a CAR is not to be taken for one.
    let half = file.with_extension("car.part");
    let out = tokio::fs::File::create(&half).await.map_err(|e| failed(&e))?;
    let written = copy(response.into_body(), out, failed).await;
    if written.is_err() {
        let _ = std::fs::remove_file(&half);
    }
    let bytes = written?;
    std::fs::rename(&half, file).map_err(|e| failed(&e))?;
    if global.json {
        output::json(&serde_json::json!({ "file": file, "bytes": bytes }));
    } else {
        output::line(format_args!("{} in {}", output::size(bytes), file.display()));
    }
    Ok(())
}

async fn copy(
    mut body: crate::client::Answer,
    mut out: impl AsyncWrite + Unpin,
    failed: impl Fn(&std::io::Error) -> Failure,
) -> Result<u64, Failure> {
    let mut written = 0;
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|e| broken(&e))?.into_data() {
            out.write_all(&data).await.map_err(|e| failed(&e))?;
            written += data.len() as u64;
        }
    }
    out.flush().await.map_err(|e| failed(&e))?;
    Ok(written)
}
