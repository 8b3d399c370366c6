//! `guide`: lists guides, finds words in them, shows one; that of outages with what the cluster says now.

use crate::args::{Global, Guide as Args};
use crate::client::{Needs, Url, find};
use crate::failure::{self, Failure};
use crate::output;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;
use stead_client::wire;
use stead_guide::{Found, Guide, Kind, Method, Recommendation};

/// How wide prose is at most.
const WIDTH: usize = 80;

/// How long a node may take to say how it is: who reads this has an outage, and the guide has to come.
const PATIENCE: Duration = Duration::from_secs(4);

pub(super) async fn run(global: &Global, args: &Args) -> Result<u8, Failure> {
    if args.recommendations {
        return recommendations(global);
    }
    if args.markdown && global.json {
        return Err(Failure::usage(
            "--markdown and --json are two forms: give one of them",
        ));
    }
    match (&args.name, &args.search) {
        (Some(name), _) => one(global, name, args.markdown).await,
        (None, Some(words)) => search(global, words),
        (None, None) => list(global),
    }
}

fn list(global: &Global) -> Result<u8, Failure> {
    let all = stead_guide::all();
    if global.json {
        output::json(&all.iter().map(|guide| &guide.about).collect::<Vec<_>>());
        return Ok(failure::OK);
    }
    let widest = all.iter().map(|guide| guide.about.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for room in stead_guide::ROOMS {
        let mut here = all.iter().filter(|guide| guide.about.room == *room).peekable();
        if here.peek().is_none() {
            continue;
        }
        text.push_str(&format!("{}{room}\n", if text.is_empty() { "" } else { "\n" }));
        for guide in here {
            let about = &guide.about;
            text.push_str(&format!("  {:<widest$}  {}\n", about.name, about.summary));
        }
    }
    text.push_str("\nstead guide NAME shows one; stead guide --search WORDS finds them.\n");
    output::print(&text);
    Ok(failure::OK)
}

fn search(global: &Global, words: &str) -> Result<u8, Failure> {
    let found = stead_guide::search(words);
    if global.json {
        let json = |found: &Found| serde_json::json!({ "guide": found.guide.about, "lines": found.lines });
        output::json(&found.iter().map(json).collect::<Vec<_>>());
        return Ok(failure::OK);
    }
    if found.is_empty() {
        output::line(format_args!(
            "no guide has {words:?} in it; `stead guide` lists them all"
        ));
    }
    for found in &found {
        output::line(format_args!(
            "{}: {}",
            found.guide.about.name, found.guide.about.summary
        ));
        for line in &found.lines {
            output::line(format_args!("    {line}"));
        }
    }
    Ok(failure::OK)
}

fn recommendations(global: &Global) -> Result<u8, Failure> {
    let all = stead_guide::recommendations();
    if global.json {
        output::json(&all);
        return Ok(failure::OK);
    }
    let mut text = String::new();
    let mut last = None;
    for one in &all {
        if last.replace(one.kind) != Some(one.kind) {
            let heading = match one.kind {
                Kind::Machine => "Machines",
                Kind::Disk => "Disks",
                Kind::Network => "Network",
                Kind::Power => "Power",
                Kind::Program => "Programs",
            };
            text.push_str(&format!("{}{heading}\n", if text.is_empty() { "" } else { "\n" }));
        }
        text.push_str(&recommended(one));
    }
    output::print(&text);
    Ok(failure::OK)
}

fn recommended(one: &Recommendation) -> String {
    let mut figures = Vec::new();
    let watts = |name: &str, watts: Option<f64>| watts.map(|watts| format!("{watts} W {name}"));
    figures.extend(watts("at rest", one.idle_w));
    figures.extend(watts("at work", one.busy_w));
    figures.extend(one.price_usd.map(|price| format!("{price:.0} USD")));
    figures.extend(one.year.map(|year| year.to_string()));
    let known = match one.method {
        Method::Metered => "metered at the plug",
        Method::Vendor => "its maker's figures",
        Method::Community => "owners' figures",
        Method::Tested => "run by our tests",
    };
    figures.push(known.to_owned());
    format!(
        "  {}: {}\n    {}\n    {}\n    {}\n",
        one.name,
        one.what_for,
        one.why,
        figures.join(", "),
        one.source
    )
}

async fn one(global: &Global, name: &str, markdown: bool) -> Result<u8, Failure> {
    let Some(guide) = stead_guide::find(name) else {
        let next = match stead_guide::nearest(name) {
            Some(meant) => format!("did you mean `stead guide {meant}`? `stead guide` lists them all"),
            None => "`stead guide` lists them all".to_owned(),
        };
        return Err(Failure::usage(format!("there is no guide {name:?}")).next(next));
    };
    if markdown {
        output::print(guide.markdown);
        return Ok(failure::OK);
    }
    let live = match name {
        stead_guide::OUTAGE => Some(live(global).await),
        _ => None,
    };
    let mut page = wire::Guide {
        blocks: stead_guide::blocks(guide.page),
        about: guide.about.clone(),
        live,
    };
    if let Some(live) = &page.live {
        page.blocks = stead_guide::with_present_first(page.blocks, live);
    }
    if global.json {
        output::json(&page);
        return Ok(failure::OK);
    }
    show(&text(&guide, &page));
    Ok(failure::OK)
}

/// How the node that this command would ask is; that it does not answer is an answer.
async fn live(global: &Global) -> wire::GuideLive {
    let asked = tokio::time::timeout(PATIENCE, ask(global)).await;
    let why = match asked {
        Ok(Ok(live)) => return live,
        Ok(Err(failure)) => failure.message,
        Err(_) => format!("no answer within {} s", PATIENCE.as_secs()),
    };
    stead_guide::silent(&why)
}

async fn ask(global: &Global) -> Result<wire::GuideLive, Failure> {
    let client = find(global, Needs::Node).await?;
    let status: wire::Status = client.get(Url::new("/api/v1/status")).await?;
    // A node that answers the first and not the second still tells most of it.
    let overview: Result<wire::Overview, Failure> = client.get(Url::new("/api/v1/overview")).await;
    let warnings = overview.map(|overview| overview.warnings).unwrap_or_default();
    Ok(stead_guide::live(&status, &warnings))
}

fn text(guide: &Guide, page: &wire::Guide) -> String {
    let about = &guide.about;
    let mut text = format!("{}\n{}\n\n", about.title, "=".repeat(about.title.chars().count()));
    text.push_str(&format!(
        "{} About {} min. Needs: {}.\n\n",
        about.summary, about.minutes, about.needs
    ));
    if let Some(live) = &page.live {
        text.push_str(&now(live));
    }
    text.push_str(&stead_guide::render(&page.blocks, WIDTH));
    text
}

/// What is so now, above the guide.
fn now(live: &wire::GuideLive) -> String {
    let item = |text: &str| {
        vec![wire::GuideBlock::Text {
            spans: vec![wire::GuideSpan::Plain {
                text: text.to_owned(),
            }],
        }]
    };
    let list = |items: Vec<Vec<wire::GuideBlock>>| {
        stead_guide::render(
            &[wire::GuideBlock::List {
                ordered: false,
                items,
            }],
            WIDTH,
        )
    };
    let facts = list(live.facts.iter().map(|fact| item(fact)).collect());
    let found = if live.present.is_empty() {
        "No symptom is seen from here.\n".to_owned()
    } else {
        let seen = live
            .present
            .iter()
            .map(|seen| item(&format!("{}: {}", seen.section, seen.what)));
        format!("What is wrong, the worst first:\n\n{}", list(seen.collect()))
    };
    format!("Now\n---\n\n{facts}\n{found}\n")
}

/// Prints it; through `$PAGER` for somebody at a terminal who has one.
fn show(text: &str) {
    let pager = std::env::var("PAGER")
        .ok()
        .filter(|pager| !pager.trim().is_empty());
    match pager {
        Some(pager) if output::is_terminal() && paged(&pager, text).is_ok() => {}
        _ => output::print(text),
    }
}

fn paged(pager: &str, text: &str) -> std::io::Result<()> {
    // As git and man do: what $PAGER says may have arguments, so a shell reads it.
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(pager)
        .stdin(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // Whoever leaves the pager early has seen enough.
        let _ = input.write_all(text.as_bytes());
    }
    let status = child.wait()?;
    // The shell's way to say that there is no such program.
    if matches!(status.code(), Some(126 | 127)) {
        return Err(std::io::Error::from(std::io::ErrorKind::NotFound));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::codes;
    use stead_guide::Symptom;

    #[test]
    fn codes_of_warnings_lead_to_their_sections() {
        for (code, symptom) in [
            (codes::DISK_FULL, Symptom::Full),
            (codes::BLOCK_DAMAGED, Symptom::Damaged),
            (codes::LOG_DAMAGED, Symptom::Damaged),
            (codes::UPS, Symptom::Power),
            (codes::POWER, Symptom::Power),
            (codes::BREAKER, Symptom::Breaker),
            (codes::CLOCK_SKEW, Symptom::Clock),
            (codes::SETTINGS, Symptom::Other),
        ] {
            assert_eq!(Symptom::of_code(&code.to_string()), symptom, "{code}");
        }
    }

    #[test]
    fn codes_that_guides_name_are_there() {
        for guide in stead_guide::all() {
            let words = guide
                .page
                .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
            for code in words.filter(|word| word.starts_with("STEAD-")) {
                assert!(codes::find(code).is_some(), "{}: {code}", guide.about.name);
            }
        }
    }
}
