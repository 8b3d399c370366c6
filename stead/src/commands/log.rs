//! `log`, `log verify`, `log checkpoint`.

use super::{facts, progress};
use crate::args::{Global, LogShow, LogVerify};
use crate::client::{Client, LinesOf, Needs, Url, body_of, bytes_of, empty, find, request};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use http::Method;
use std::path::Path;
use stead_gateway_api::wire;

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
        let url = url(args).with("follow", "1");
        let url = match from {
            Some(from) => url.with("from", &from.to_string()),
            None => url.with("last", LAST),
        };
        return follow(&mut shown, &client, url).await;
    }
    loop {
        let url = match from {
            Some(from) => url(args).with("from", &from.to_string()),
            None => url(args).with("last", LAST),
        };
        let response = client.send(request(Method::GET, url, empty())?).await?;
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

fn url(args: &LogShow) -> Url {
    Url::new("/api/v1/log")
        .with("tenant", &args.tenant)
        .maybe("stream", args.stream.as_deref())
}

async fn follow(shown: &mut Shown, client: &Client, url: Url) -> Result<u8, Failure> {
    let mut lines = LinesOf::new(client.send(request(Method::GET, url, empty())?).await?);
    loop {
        let line = tokio::select! {
            line = lines.next() => line?,
            _ = tokio::signal::ctrl_c() => return Ok(failure::OK),
        };
        match line {
            Some(line) => {
                if let Some(data) = line.strip_prefix(b"data: ") {
                    shown.print(data);
                }
            }
            None => return Ok(failure::OK),
        }
    }
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
