//! `cat`.

use super::path::object;
use crate::args::{Cat, Global};
use crate::client::{Client, Needs, Url, broken, empty, find, request};
use crate::failure::{self, Failure};
use crate::when;
use http::Method;
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;

pub(super) async fn run(global: &Global, args: &Cat) -> Result<u8, Failure> {
    let at = when::at(args.at.at.as_deref())?;
    let client = find(global, Needs::Read).await?;
    for path in &args.paths {
        let place = object(path)?;
        let url = Url::new("/api/v1/objects")
            .segment(&place.bucket)
            .key(&place.key)
            .maybe("at", at.as_deref())
            .maybe("version", args.version.version.as_deref());
        write(&client, url).await?;
    }
    Ok(failure::OK)
}

/// Writes an object to standard output.
pub(super) async fn write(client: &Client, url: Url) -> Result<(), Failure> {
    let response = client.send(request(Method::GET, url, empty())?).await?;
    let mut body = response.into_body();
    let mut out = tokio::io::stdout();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|e| broken(&e))?.into_data() else {
            continue;
        };
        match out.write_all(&data).await {
            Ok(()) => {}
            // The reader has seen enough.
            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
            Err(e) => return Err(Failure::io("cannot write to standard output", &e)),
        }
    }
    match out.flush().await {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::io("cannot write to standard output", &e))
        }
        _ => Ok(()),
    }
}
