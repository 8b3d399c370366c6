//! Events in words.
//!
//! Never: says what is not in the event.

use super::ls::printable;
use crate::output::{count, size};
use serde_json::Value;

/// Characters of a client's name for itself that are shown.
const AGENT_CHARS: usize = 40;

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

/// The moment of an event: `2026-11-20 13:00:00`.
pub(super) fn moment(event: &Value) -> String {
    text(event, "/at").get(..19).unwrap_or_default().replace('T', " ")
}

/// What stands above the lines of the log.
pub(super) const HEADING: &str = "POSITION  WHEN                 WHO  WHAT";

/// One line for the log: position, moment, who, what.
pub(super) fn line(event: &Value) -> String {
    let (seq, at) = (number(event, "/seq"), moment(event));
    let through = text(event, "/body/via/protocol");
    let through = if through.is_empty() {
        String::new()
    } else {
        format!("  ({through})")
    };
    format!(
        "{seq:>8}  {at}  {}  {}{through}",
        printable(text(event, "/actor")),
        deed(event)
    )
}

/// Who did what, through what and from where, as a sentence without its full stop.
pub(super) fn sentence(event: &Value) -> String {
    let who = printable(text(event, "/actor"));
    format!("{who} {}{}", deed(event), route(event))
}

/// `through s3 (aws-cli/2.1) from 10.0.0.7:5512 on node 4f2a…`
fn route(event: &Value) -> String {
    let protocol = match text(event, "/body/via/protocol") {
        "" => return String::new(),
        "cli" => "the command line",
        "api" => "the API",
        "s3" => "S3",
        "start" => "the first start",
        other => other,
    };
    let mut route = format!(" through {protocol}");
    let agent = text(event, "/body/via/agent");
    if !agent.is_empty() {
        route.push_str(&format!(" ({})", printable(&short(agent))));
    }
    match text(event, "/body/via/remote") {
        "" => {}
        remote => route.push_str(&format!(" from {}", printable(remote))),
    }
    let node = text(event, "/node");
    route.push_str(&format!(" on node {}", node.get(..12).unwrap_or(node)));
    route
}

/// A client's name for itself, of which some make a paragraph: cut behind the last word that fits. JSON has
/// all of it.
fn short(agent: &str) -> String {
    if agent.chars().count() <= AGENT_CHARS {
        return agent.to_owned();
    }
    let begin: String = agent.chars().take(AGENT_CHARS).collect();
    let words = begin.rsplit_once(' ').map_or(begin.as_str(), |(words, _)| words);
    format!("{} …", words.trim_end())
}

/// What was done, to what.
fn deed(event: &Value) -> String {
    let body = |name: &str| text(event, &format!("/body/{name}"));
    let path = || printable(&format!("{}/{}", body("bucket"), body("key")));
    match text(event, "/kind") {
        "bucket.created" => format!("created bucket {}", body("bucket")),
        "bucket.deleted" => format!("deleted bucket {}", body("bucket")),
        "bucket.versioned" => format!(
            "set the versioning of bucket {} to {}",
            body("bucket"),
            body("state")
        ),
        "bucket.configured" if body("document").is_empty() => {
            format!(
                "removed the {} configuration of bucket {}",
                body("name"),
                body("bucket")
            )
        }
        "bucket.configured" => format!(
            "set the {} configuration of bucket {}",
            body("name"),
            body("bucket")
        ),
        "object.put" => put(event, &path()),
        "object.deleted" => match body("version") {
            "" => format!("deleted {}", path()),
            version => format!("deleted version {version} of {}", path()),
        },
        "object.tagged" => format!("changed the tags of {}", path()),
        "upload.started" => format!("began to upload {} in parts", path()),
        "upload.part" => {
            let bytes = size(number(event, "/body/size"));
            format!(
                "uploaded part {} of {} ({bytes})",
                number(event, "/body/number"),
                path()
            )
        }
        "upload.aborted" => format!("gave up an upload of {}", path()),
        "key.created" => format!(
            "made access key {} for {}",
            body("access_key"),
            printable(body("name"))
        ),
        "key.revoked" => format!("revoked access key {}", body("access_key")),
        "node.started" => format!("started for the first time, release {}", body("release")),
        "log.sealed" => {
            let (first, last) = (number(event, "/body/first"), number(event, "/body/last"));
            format!(
                "sealed positions {first} to {last} of the log of {}",
                body("tenant")
            )
        }
        "ext" => extension(event),
        other => format!("did {}", printable(other)),
    }
}

fn put(event: &Value, path: &str) -> String {
    let bytes = size(number(event, "/body/size"));
    let source = text(event, "/body/source");
    let parts = event
        .pointer("/body/parts")
        .and_then(Value::as_array)
        .map_or(0, Vec::len) as u64;
    if !source.is_empty() {
        return format!("copied {} to {path} ({bytes})", printable(source));
    }
    match parts {
        0 => format!("put {path} ({bytes})"),
        _ => format!("put {path} ({bytes}, in {})", count(parts, "part")),
    }
}

fn extension(event: &Value) -> String {
    let owner = printable(text(event, "/body/owner"));
    match event
        .pointer("/body/body")
        .and_then(Value::as_object)
        .and_then(|body| body.keys().next())
    {
        Some(what) => format!("{owner}: {}", printable(what)),
        None => format!("{owner}: an event of its own"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_long_agent_is_cut_at_a_word() {
        assert_eq!(short("aws-cli/2.1"), "aws-cli/2.1");
        let long = "Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 os/linux#6.1 md/arch#x86_64 lang/python#3.11";
        assert_eq!(short(long), "Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 …");
        assert_eq!(short(&"x".repeat(80)), format!("{} …", "x".repeat(40)));
    }

    #[test]
    fn a_put_is_a_sentence() {
        let event = json!({
            "actor": "ana", "at": "2026-11-20T13:00:00.123456Z", "kind": "object.put", "seq": 42,
            "node": "4f2a5bdeadbeef0011", "body": {
                "bucket": "photos", "key": "cat\u{1b}[2J.jpg", "size": 1536,
                "via": {"protocol": "s3", "agent": "aws-cli/2.1", "remote": "10.0.0.7:5512"},
            }
        });
        assert_eq!(
            sentence(&event),
            "ana put photos/cat\u{fffd}[2J.jpg (1.5 KiB) through S3 (aws-cli/2.1) from 10.0.0.7:5512 on node 4f2a5bdeadbe"
        );
        assert_eq!(
            line(&event),
            "      42  2026-11-20 13:00:00  ana  put photos/cat\u{fffd}[2J.jpg (1.5 KiB)  (s3)"
        );
    }
}
