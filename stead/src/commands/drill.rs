//! `drill`: what is forecast to be safe is tried, and what happened is compared with the forecast.

mod probe;

use crate::args::{Drill, Global};
use crate::client::{Client, Needs, Url, find};
use crate::codes;
use crate::commands::progress;
use crate::failure::{self, Failure};
use crate::output;
use probe::{Happened, Probe};
use serde::Serialize;
use std::time::Duration;
use stead_client::wire;
use tokio::time::Instant;

/// The longest that writing may pause while another leader is elected, in seconds: what `docs/cluster.md` promises.
const ELECTION: f64 = 10.0;
/// The longest that anything may take that nothing was to hold up, in seconds.
const UNTOUCHED: f64 = 5.0;
/// How long the nodes may take to be back with all their copies.
const BACK: Duration = Duration::from_secs(120);

/// What is printed as JSON.
#[derive(Serialize)]
struct Told {
    forecast: wire::Drill,
    #[serde(skip_serializing_if = "Option::is_none")]
    happened: Option<Happened>,
    /// In sentences; nothing where all is as it was forecast.
    differs: Vec<String>,
}

pub(super) async fn run(global: &Global, args: &Drill) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let Some(what) = args.what.as_deref().filter(|_| !args.stop) else {
        return stop(global, &client).await;
    };
    let asked = |forecast_only| wire::BeginDrill {
        what: what.to_owned(),
        seconds: args.seconds,
        forecast_only,
    };
    let url = Url::new("/api/v1/cluster/drill");
    let forecast: wire::Drill = client.post(url.clone(), &asked(true)).await?;
    if !global.json {
        output::print(&expected(&forecast));
    }
    if args.dry_run {
        if global.json {
            tell(forecast, None, Vec::new());
        }
        return Ok(failure::OK);
    }
    let mut probe = Probe::begin(&client).await?;
    let begun: Result<wire::Drill, _> = client.post(url.clone(), &asked(false)).await;
    let happened = match begun {
        Ok(_) => watch(global, &client, &mut probe, args.seconds).await,
        Err(error) => Err(error),
    };
    let lost = probe.end().await;
    let mut happened = happened?;
    happened.lost = lost?;
    let differs = compare(&forecast, &happened);
    if global.json {
        tell(forecast, Some(happened), differs.clone());
    } else {
        output::print(&happened.to_string());
    }
    match differs.is_empty() {
        true => {
            if !global.json {
                output::line("as forecast");
            }
            Ok(failure::OK)
        }
        false => Err(Failure::new(
            codes::FOUND,
            format!("not as forecast: {}", differs.join("; ")),
        )),
    }
}

fn tell(forecast: wire::Drill, happened: Option<Happened>, differs: Vec<String>) {
    output::json(&Told {
        forecast,
        happened,
        differs,
    });
}

async fn stop(global: &Global, client: &Client) -> Result<u8, Failure> {
    let url = Url::new("/api/v1/cluster/drill");
    let stopped: wire::Stopped = client.delete(url).await?;
    if global.json {
        output::json(&stopped);
    } else if stopped.deaf.is_empty() {
        output::line("every drill is over");
    }
    if stopped.deaf.is_empty() {
        return Ok(failure::OK);
    }
    let deaf = stopped.deaf.join(", ");
    Err(Failure::new(
        codes::PARTIAL,
        format!("could not be told, and end theirs by themselves: {deaf}"),
    ))
}

/// The forecast, in sentences.
fn expected(drill: &wire::Drill) -> String {
    let loss = &drill.loss;
    let mut text = format!(
        "{} {} fails for {} s: {}\n",
        loss.kind,
        loss.name,
        drill.seconds,
        loss.nodes.join(", ")
    );
    let service = match (loss.service_goes_on, drill.leader) {
        (true, true) => "goes on, after a pause of writing: whoever leads fails with it",
        (true, false) => "goes on",
        (false, _) => "stops",
    };
    let data = if loss.data_stays {
        "all of it is readable"
    } else {
        "some of it has no other copy"
    };
    text.push_str(&format!(
        "forecast  service {service}; {} votes are left, {} are needed\n          data: {data}\n",
        loss.votes, loss.quorum
    ));
    text
}

/// Probes until the time is over, or somebody presses Ctrl-C; then until all nodes are back.
async fn watch(
    global: &Global,
    client: &Client,
    probe: &mut Probe<'_>,
    seconds: u32,
) -> Result<Happened, Failure> {
    let bar = progress::spinner("drill: Ctrl-C ends it", global.json);
    let begin = Instant::now();
    let over = tokio::time::sleep(Duration::from_secs(seconds.into()));
    tokio::pin!(over);
    let mut stopped = false;
    loop {
        tokio::select! {
            () = &mut over => break,
            _ = tokio::signal::ctrl_c() => {
                stopped = true;
                break;
            }
            () = probe.step() => {}
        }
        bar.set_message(format!(
            "drill: {} s of {seconds}, Ctrl-C ends it",
            begin.elapsed().as_secs()
        ));
    }
    if stopped {
        let _: wire::Stopped = client.delete(Url::new("/api/v1/cluster/drill")).await?;
    }
    let mut happened = probe.so_far(begin.elapsed(), stopped);
    let ended = Instant::now();
    bar.set_message("drill: waiting for all nodes to be back");
    while ended.elapsed() < BACK {
        let cluster: wire::Cluster = client.get(Url::new("/api/v1/cluster")).await?;
        let back = |node: &wire::ClusterNode| {
            node.state == "up" && (node.witness || node.copies.as_ref().is_some_and(|copies| copies.level))
        };
        if cluster.nodes.iter().all(back) {
            happened.back_s = Some(ended.elapsed().as_secs_f64());
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    bar.finish_and_clear();
    Ok(happened)
}

/// Where what happened is not what was forecast.
fn compare(forecast: &wire::Drill, happened: &Happened) -> Vec<String> {
    let mut differs = Vec::new();
    let pause = if forecast.leader { ELECTION } else { UNTOUCHED };
    if happened.write_pause_s > pause {
        differs.push(format!(
            "nothing could be written for {:.1} s, at most {pause} were forecast",
            happened.write_pause_s
        ));
    }
    if happened.read_pause_s > pause {
        differs.push(format!(
            "nothing could be read for {:.1} s, at most {pause} were forecast",
            happened.read_pause_s
        ));
    }
    if happened.written == 0 {
        differs.push("nothing was written at all".into());
    }
    if happened.lost > 0 {
        differs.push(format!(
            "{} acknowledged objects cannot be read back",
            happened.lost
        ));
    }
    if happened.back_s.is_none() {
        differs.push(format!(
            "not all nodes are back with their copies after {} s",
            BACK.as_secs()
        ));
    }
    differs
}
