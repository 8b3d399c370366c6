//! `history` and `why`: where something came from, in sentences, with the proof.

use super::facts::{moment, sentence};
use super::path::place;
use crate::args::{Global, History, Why};
use crate::client::{Needs, Url, find};
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table, count, size};
use crate::when;
use serde_json::Value;
use stead_client::wire;
use stead_event::{Cid, cids};

pub(super) async fn history(global: &Global, args: &History) -> Result<u8, Failure> {
    let place = place(&args.path)?;
    let client = find(global, Needs::Read).await?;
    let url = Url::new("/api/v1/history").segment(&place.bucket);
    let url = if place.key.is_empty() {
        url
    } else {
        url.key(&place.key)
    };
    let url = if args.full { url.with("full", "1") } else { url };
    let mut history: wire::History = client.get(url.clone()).await?;
    while let Some(next) = history.next.take() {
        let page: wire::History = client.get(url.clone().with("cursor", &next)).await?;
        history.items.extend(page.items);
        history.next = page.next;
    }
    if global.json {
        output::json(&serde_json::json!({
            "bucket": history.bucket,
            "key": history.key,
            "facts": history.items,
            "complete": history.complete,
        }));
        return Ok(failure::OK);
    }
    // Where there are versions, their ids are what `cat --version` and its like take.
    let versions = history.items.iter().any(|fact| fact.version.is_some());
    let mut columns = vec![("POSITION", Align::Right), ("WHEN", Align::Left)];
    if versions {
        columns.push(("VERSION", Align::Left));
    }
    columns.push(("WHAT", Align::Left));
    let mut table = Table::new(&columns).or("nothing is known of it");
    for fact in &history.items {
        let mut cells = vec![fact.position.to_string(), moment(&fact.event)];
        if versions {
            cells.push(fact.version.clone().unwrap_or_default());
        }
        cells.push(sentence(&fact.event));
        table.row(cells);
    }
    table.print();
    if !history.complete && output::is_terminal() {
        output::line("\nolder states have passed their retention; --full reads all that the log knows");
    }
    Ok(failure::OK)
}

pub(super) async fn why(global: &Global, args: &Why) -> Result<u8, Failure> {
    let at = when::at(args.at.at.as_deref())?;
    let url = Url::new("/api/v1/why");
    let url = if args.what.parse::<Cid>().is_ok() {
        url.with("cid", &args.what)
    } else {
        let place = super::path::object(&args.what)?;
        url.with("path", &place.to_string()).maybe("at", at.as_deref())
    };
    let client = find(global, Needs::Read).await?;
    let why: wire::Why = client.get(url).await?;
    if global.json {
        output::json(&why);
    } else {
        output::print(&tell(&why));
    }
    Ok(failure::OK)
}

/// The whole answer in words.
fn tell(why: &wire::Why) -> String {
    let mut text = format!("{}\n", why.subject);
    let mut say = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    say(format!(
        "  On {} (UTC) {}.",
        moment(&why.fact.event),
        sentence(&why.fact.event)
    ));
    if let Some(object) = &why.object
        && !object.cid.is_empty()
    {
        say(format!(
            "  It is {} with content {}.",
            size(object.size),
            object.cid
        ));
    }
    if let Some(upload) = why.fact.event.pointer("/body/upload").and_then(Value::as_str) {
        say(format!("  It completed upload {upload}."));
    }
    before(why, &mut say);
    for fact in &why.after {
        say(format!(
            "  Since then, on {}, {} (position {}).",
            moment(&fact.event),
            sentence(&fact.event),
            fact.position
        ));
    }
    for fact in &why.also {
        say(format!(
            "  The same content: on {}, {} (position {}).",
            moment(&fact.event),
            sentence(&fact.event),
            fact.position
        ));
    }
    proof(why, &mut say);
    text
}

fn before(why: &wire::Why, say: &mut impl FnMut(String)) {
    if why.object.is_none() {
        return;
    }
    if why.before.is_empty() {
        say("  Nothing is known of this key from before.".to_owned());
        return;
    }
    say(format!(
        "  Before that there {} of this key:",
        states(why.before.len() as u64)
    ));
    for fact in why.before.iter().rev() {
        say(format!(
            "    {:>8}  {}  {}",
            fact.position,
            moment(&fact.event),
            sentence(&fact.event)
        ));
    }
}

fn states(n: u64) -> String {
    if n == 1 {
        "was 1 state".to_owned()
    } else {
        format!("were {}", count(n, "state"))
    }
}

/// What proves it, and how to check that by hand.
fn proof(why: &wire::Why, say: &mut impl FnMut(String)) {
    let fact = &why.fact;
    say(String::new());
    say("  Proof".to_owned());
    say(format!(
        "    position  {} of the log of {}",
        fact.position, fact.tenant
    ));
    say(format!("    line      {}", fact.cid));
    say(format!(
        "    follows   {}",
        fact.prev.as_deref().unwrap_or("nothing: it is the first")
    ));
    if let Some(place) = &fact.place
        && let Some(digest) = digest(&fact.cid)
    {
        let read = if place.file.ends_with(".zst") {
            "zstdcat"
        } else {
            "cat"
        };
        say("  Check it by hand: this prints the digest in the line's CID,".to_owned());
        say(format!(
            "    {read} {} | sed -n {}p | tr -d '\\n' | sha256sum",
            shell(&place.file),
            place.line
        ));
        say(format!("    {digest}"));
        say("  and the next line of the log names this one as its `prev`; `stead log verify` checks them all.".to_owned());
    }
    let raw = why.object.as_ref().and_then(|object| {
        let cid: Cid = object.cid.parse().ok()?;
        (cid.codec() == cids::RAW).then(|| digest(&object.cid)).flatten()
    });
    if let Some(digest) = raw {
        say(format!(
            "  The content's own digest, as `stead cat {} | sha256sum` prints it:",
            shell(&why.subject)
        ));
        say(format!("    {digest}"));
    } else if why.object.as_ref().is_some_and(|object| !object.cid.is_empty()) {
        say("  The content's CID is the one that this prints for the same bytes:".to_owned());
        say("    ipfs add --only-hash --cid-version=1 --raw-leaves --chunker=size-1048576 --max-file-links=1024".to_owned());
    }
}

/// The SHA-256 inside a CID, in hexadecimal.
fn digest(cid: &str) -> Option<String> {
    let cid: Cid = cid.parse().ok()?;
    cids::digest(&cid).map(hex::encode)
}

/// A word that a shell takes as it is.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_a_shell() {
        assert_eq!(shell("a/b.jsonl"), "a/b.jsonl");
        assert_eq!(shell("it's here"), "'it'\\''s here'");
        assert_eq!(shell("$(rm)"), "'$(rm)'");
    }
}
