//! `log`, `log verify`, `log checkpoint`.

use super::{facts, progress};
use crate::args::{Global, LogShow, LogVerify};
use crate::client::{Body, Client, LinesOf, Needs, Url, body_of, bytes_of, empty, find, request};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::path::Path;
use stead_client::wire;

/// Events shown where nobody says from where.
const LAST: &str = "20";

pub(super) async fn show(global: &Global, args: &LogShow) -> Result<u8, Failure> {
    let client = find(global, Needs::Read).await?;
    let mut shown = Shown {
        json: global.json,
        any: false,
    };
    let mut from = args.from;
    if args.follow {
        return follow(&mut shown, &client, args).await;
    }
    loop {
        let url = match from {
            Some(from) => url(args).with("from", &from.to_string()),
            None => url(args).with("last", LAST),
        };
        let response = client.send(as_stored(url)?).await?;
        let next = response
            .headers()
            .get("x-stead-next")
            .and_then(|next| next.to_str().ok()?.parse::<u64>().ok());
        let mut lines = LinesOf::new(response);
        while let Some(line) = lines.next().await? {
            shown.print(&line);
        }
        // The end is where a page brings nothing further.
        match (from, next) {
            (Some(from_now), Some(next)) if next > from_now => from = Some(next),
            _ => break,
        }
    }
    if !shown.any && !global.json && output::is_terminal() {
        output::line("no events there");
    }
    Ok(failure::OK)
}

/// A request for lines as they are stored.
fn as_stored(url: Url) -> Result<http::Request<Body>, Failure> {
    let mut wanted = request(Method::GET, url, empty())?;
    let kind = http::HeaderValue::from_static("application/x-ndjson");
    wanted.headers_mut().insert(http::header::ACCEPT, kind);
    Ok(wanted)
}

fn url(args: &LogShow) -> Url {
    filtered(Url::new("/api/v1/log"), args)
}

fn filtered(url: Url, args: &LogShow) -> Url {
    url.with("tenant", &args.tenant)
        .maybe("stream", args.stream.as_deref())
}

async fn follow(shown: &mut Shown, client: &Client, args: &LogShow) -> Result<u8, Failure> {
    let mut from = args.from;
    if from.is_none() {
        // The end first, so that nothing that comes meanwhile is missed: it is told again from there on.
        let head = client.send(as_stored(url(args).with("last", LAST))?).await?;
        from = head
            .headers()
            .get("x-stead-next")
            .and_then(|next| next.to_str().ok()?.parse().ok());
        let mut lines = LinesOf::new(head);
        while let Some(line) = lines.next().await? {
            shown.print(&line);
        }
    }
    let url = filtered(Url::new("/api/v1/events"), args);
    let url = url.with("from", &from.unwrap_or(1).to_string());
    let mut lines = LinesOf::new(client.send(request(Method::GET, url, empty())?).await?);
    loop {
        let line = tokio::select! {
            line = lines.next() => line?,
            _ = tokio::signal::ctrl_c() => return Ok(failure::OK),
        };
        match line {
            Some(line) => {
                if let Some(data) = line.strip_prefix(b"data: ") {
                    shown.print(told(data)?.get().as_bytes());
                }
            }
            None => return Ok(failure::OK),
        }
    }
}

/// The line within the data of an event, byte for byte.
fn told(data: &[u8]) -> Result<&RawValue, Failure> {
    #[derive(Deserialize)]
    struct Told<'a> {
        #[serde(borrow)]
        line: &'a RawValue,
    }
    let told: Told<'_> = serde_json::from_slice(data).map_err(|e| {
        let message = format!("the node's answer is not understood: {e}");
        Failure::new(codes::PROTOCOL, message)
    })?;
    Ok(told.line)
}

/// Lines on their way to standard output.
struct Shown {
    json: bool,
    any: bool,
}

impl Shown {
    fn print(&mut self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let first = !std::mem::replace(&mut self.any, true);
        if self.json {
            output::line(text);
            return;
        }
        if first {
            output::line(facts::HEADING);
        }
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(event) => output::line(facts::line(&event)),
            Err(_) => output::line(text),
        }
    }
}

pub(super) async fn verify(global: &Global, args: &LogVerify) -> Result<u8, Failure> {
    let against = match &args.against {
        Some(path) => checkpoint_in(path)?,
        None => Vec::new(),
    };
    let client = find(global, Needs::Read).await?;
    let url = Url::new("/api/v1/log/verify").maybe("tenant", args.tenant.as_deref());
    let bar = progress::count("verifying", 0, global.json);
    let wanted = request(Method::POST, url, body_of(against.into()))?;
    let verified: wire::Verified = client.steps(wanted, progress::follow(&bar)).await?;
    bar.finish_and_clear();
    if global.json {
        output::json(&verified);
        return Ok(if verified.ok { failure::OK } else { failure::FAILED });
    }
    for log in &verified.logs {
        match &log.damage {
            None => output::line(format_args!(
                "ok    {}: {} in {}, all in order",
                log.tenant,
                output::count(log.position, "event"),
                output::count(log.segments, "segment")
            )),
            Some(damage) => output::line(format_args!("fail  {}: {damage}", log.tenant)),
        }
    }
    if let Some(verdict) = &verified.checkpoint {
        checkpoint_verdict(verdict);
    }
    if verified.ok {
        return Ok(failure::OK);
    }
    let message = "the log is not what it was";
    Err(Failure::new(codes::FOUND, message).next(
        "keep a copy of the directory as it is; restore the named segment from a backup, then verify again",
    ))
}

/// The text of a checkpoint. A blank file is refused: the node would take it for none at all.
fn checkpoint_in(path: &Path) -> Result<Vec<u8>, Failure> {
    let text =
        std::fs::read(path).map_err(|e| Failure::io(format_args!("cannot read {}", path.display()), &e))?;
    if String::from_utf8_lossy(&text).trim().is_empty() {
        let message = format!("{} is empty: it holds no checkpoint", path.display());
        return Err(Failure::new(codes::LOCAL_FILE, message)
            .next("give a file that `stead log checkpoint` wrote; make a new one where that is lost"));
    }
    Ok(text)
}

fn checkpoint_verdict(verdict: &wire::CheckpointVerdict) {
    let who = if verdict.own {
        "this node".to_owned()
    } else {
        format!("node {}", verdict.node)
    };
    match &verdict.why {
        None => output::line(format_args!(
            "ok    checkpoint: signed by {who} at position {}; the chain up to there is whole and unchanged",
            verdict.position
        )),
        Some(why) => output::line(format_args!(
            "fail  checkpoint at position {}: {why}",
            verdict.position
        )),
    }
}

pub(super) async fn checkpoint(global: &Global, tenant: &str) -> Result<u8, Failure> {
    let client = find(global, Needs::Read).await?;
    let url = Url::new("/api/v1/log/checkpoint").with("tenant", tenant);
    let response = client.send(request(Method::POST, url, empty())?).await?;
    output::print(&String::from_utf8_lossy(&bytes_of(response).await?));
    Ok(failure::OK)
}
