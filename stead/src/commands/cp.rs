//! `cp`: between files and Stead, and within Stead.
//!
//! Owns: which side is which, and what is copied to where. Bytes go up in `upload`, down in `download`.

mod checksum;
mod download;
mod folder;
mod state;
mod upload;

use super::path::{Place, marked, object, place};
use crate::args::{Cp, Global};
use crate::client::{Client, Needs, Url, find};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use crate::when;
use std::path::{Path, PathBuf};
use stead_client::wire;

/// One side of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Side {
    /// Standard input or output.
    Stream,
    /// A file or folder.
    File(PathBuf),
    /// In Stead.
    Stead(Place),
}

/// What every copy is told.
struct Job<'a> {
    client: &'a Client,
    at: Option<String>,
    version: Option<String>,
    quiet: bool,
    restart: bool,
}

/// What was copied.
#[derive(Default, serde::Serialize)]
struct Copied {
    objects: u64,
    bytes: u64,
    /// Of a single object.
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
}

pub(super) async fn run(global: &Global, args: &Cp) -> Result<u8, Failure> {
    let source = source(&args.source)?;
    let target = target(&args.target, &source)?;
    let needs = if matches!(target, Side::Stead(_)) {
        Needs::Node
    } else {
        Needs::Read
    };
    let at = when::at(args.at.at.as_deref())?;
    if at.is_some() && !matches!(source, Side::Stead(_)) {
        return Err(Failure::usage(
            "--at is about what Stead has: the source must be in Stead",
        ));
    }
    let version = args.version.version.clone();
    if version.is_some() && (args.recursive || !matches!(source, Side::Stead(_))) {
        return Err(Failure::usage("--version is about one object that Stead has")
            .next("give the source as BUCKET/KEY, without -r"));
    }
    let client = find(global, needs).await?;
    let quiet = args.quiet || global.json;
    let job = Job {
        client: &client,
        at,
        version,
        quiet,
        restart: args.restart,
    };
    let copied = copy(&job, source, target, args.recursive).await?;
    if global.json {
        output::json(&copied);
    } else if !args.quiet && args.target != "-" {
        let (objects, bytes) = (
            output::count(copied.objects, "object"),
            output::size(copied.bytes),
        );
        let cid = copied
            .cid
            .as_deref()
            .map(|cid| format!(", {cid}"))
            .unwrap_or_default();
        output::line(format_args!("copied {objects}, {bytes}{cid}"));
    }
    Ok(failure::OK)
}

async fn copy(job: &Job<'_>, source: Side, target: Side, recursive: bool) -> Result<Copied, Failure> {
    match (source, target) {
        (Side::Stream, Side::Stead(place)) => {
            let place = named(place, None)?;
            upload::stream(job, tokio::io::stdin(), &place).await
        }
        (Side::File(path), Side::Stead(place)) if recursive && path.is_dir() => {
            folder::up(job, &path, &place).await
        }
        (Side::File(path), Side::Stead(place)) => {
            if path.is_dir() {
                return Err(Failure::usage(format!("{} is a folder", path.display()))
                    .next("add -r to copy it with all that is in it"));
            }
            let name = path.file_name().and_then(|name| name.to_str());
            upload::file(job, &path, &named(place, name)?).await
        }
        (Side::Stead(place), Side::Stead(to)) if recursive => folder::across_all(job, &place, &to).await,
        (Side::Stead(place), Side::Stead(to)) => {
            let from = object(&place.to_string())?;
            let to = named(to, from.key.rsplit('/').next())?;
            across(job, &from, &to).await
        }
        (Side::Stead(place), Side::File(path)) if recursive => folder::down(job, &place, &path).await,
        (Side::Stead(place), Side::File(path)) => {
            let from = object(&place.to_string())?;
            download::file(job, &from, &download::target(&path, &from)?).await
        }
        (Side::Stead(place), Side::Stream) => {
            let from = object(&place.to_string())?;
            let url = Url::new("/api/v1/objects")
                .segment(&from.bucket)
                .key(&from.key)
                .maybe("at", job.at.as_deref())
                .maybe("version", job.version.as_deref());
            super::cat::write(job.client, url).await?;
            Ok(Copied {
                objects: 1,
                ..Copied::default()
            })
        }
        _ => Err(Failure::usage("neither side is in Stead").next("mark the one that is: stead:BUCKET/KEY")),
    }
}

/// Copies one object inside Stead; no bytes move.
async fn across(job: &Job<'_>, from: &Place, to: &Place) -> Result<Copied, Failure> {
    let wanted = wire::Copy {
        source_bucket: from.bucket.clone(),
        source_key: from.key.clone(),
        source_version: job.version.clone(),
        source_at: job.at.clone(),
        bucket: to.bucket.clone(),
        key: to.key.clone(),
    };
    let stored: wire::Stored = job.client.post(Url::new("/api/v1/copy"), &wanted).await?;
    Ok(Copied {
        objects: 1,
        bytes: stored.size,
        cid: Some(stored.cid),
        position: Some(stored.position),
    })
}

/// `/…`, `./…`, `../…`, `.`, `..` and `~/…` are always files.
fn is_path(text: &str) -> bool {
    text == "." || text == ".." || ["/", "./", "../"].iter().any(|start| text.starts_with(start))
}

fn source(text: &str) -> Result<Side, Failure> {
    if text == "-" {
        return Ok(Side::Stream);
    }
    if marked(text).is_some() {
        return place(text).map(Side::Stead);
    }
    if is_path(text) || Path::new(text).exists() {
        let path = PathBuf::from(text);
        return match path.try_exists() {
            Ok(true) => Ok(Side::File(path)),
            Ok(false) => Err(Failure::new(
                codes::LOCAL_FILE,
                format!("there is no file {text}"),
            )),
            Err(e) => Err(Failure::io(format_args!("cannot read {text}"), &e)),
        };
    }
    let place = place(text)?;
    if place.key.is_empty() && !text.contains('/') {
        return Err(
            Failure::new(codes::LOCAL_FILE, format!("there is no file {text}"))
                .next("check its name; a whole bucket is copied with `stead cp -r BUCKET/ FOLDER`"),
        );
    }
    Ok(Side::Stead(place))
}

fn target(text: &str, source: &Side) -> Result<Side, Failure> {
    if text == "-" {
        return Ok(Side::Stream);
    }
    if marked(text).is_some() {
        return place(text).map(Side::Stead);
    }
    match source {
        Side::Stream | Side::File(_) if is_path(text) => Err(Failure::usage(format!(
            "both sides are files: {text} begins like one"
        ))
        .next("copy from files to BUCKET/KEY; `cp` without stead copies files")),
        Side::Stream | Side::File(_) => place(text).map(Side::Stead),
        Side::Stead(_) => Ok(Side::File(PathBuf::from(text))),
    }
}

/// A place with a key: where only a folder is named, the source's name goes into it.
fn named(place: Place, name: Option<&str>) -> Result<Place, Failure> {
    if !place.key.is_empty() && !place.key.ends_with('/') {
        return Ok(place);
    }
    match name {
        Some(name) => Ok(Place {
            key: format!("{}{name}", place.key),
            ..place
        }),
        None => Err(Failure::usage(format!(
            "{place} names no object: give BUCKET/KEY"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_told_apart() {
        let stead = |text: &str| Side::Stead(place(text).unwrap());
        assert_eq!(
            source("photos/none-such.jpg").unwrap(),
            stead("photos/none-such.jpg")
        );
        assert_eq!(source("Cargo.toml").unwrap(), Side::File("Cargo.toml".into()));
        assert_eq!(source("stead:Cargo.toml").unwrap(), stead("Cargo.toml"));
        assert!(source("./none-such.jpg").is_err());
        let file = Side::File("Cargo.toml".into());
        assert_eq!(target("photos/x", &file).unwrap(), stead("photos/x"));
        assert!(target("./x", &file).is_err());
        assert_eq!(target("x", &stead("b/k")).unwrap(), Side::File("x".into()));
        assert_eq!(target("s3://b/x", &stead("b/k")).unwrap(), stead("b/x"));
    }

    #[test]
    fn a_folder_keeps_the_name() {
        let of = |text: &str, name| named(place(text).unwrap(), name).map(|place| place.to_string());
        assert_eq!(of("b", Some("n")).unwrap(), "b/n");
        assert_eq!(of("b/d/", Some("n")).unwrap(), "b/d/n");
        assert_eq!(of("b/d", Some("n")).unwrap(), "b/d");
        assert!(of("b/", None).is_err());
    }
}
