//! `plan init`: an inventory to begin with.

use super::host::{Host, HostDisk};
use super::template::{HEAD, TAIL};
use crate::args::{Global, PlanInit};
use crate::codes;
use crate::failure::Failure;
use crate::output;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use stead_plan::lab::Catalogue;

pub(super) fn run(global: &Global, args: &PlanInit) -> Result<u8, Failure> {
    let host = Host::read(Path::new("/"));
    let text = example(&host);
    if args.file.as_os_str() == "-" {
        output::print(&text);
        return Ok(crate::failure::OK);
    }
    write(&args.file, &text, args.force)?;
    let path = args.file.display();
    if global.json {
        output::json(
            &serde_json::json!({ "file": args.file, "part": part(&host), "disks": host.disks.len() }),
        );
        return Ok(crate::failure::OK);
    }
    output::line(format_args!(
        "Wrote {path}. Change it to what is there, then: stead plan check {path}"
    ));
    Ok(crate::failure::OK)
}

fn write(path: &Path, text: &str, over: bool) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    match over {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    let written = options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            Failure::new(codes::FILE, format!("{} is there already", path.display()))
                .next("Name another file, or write over it with --force.")
        }
        _ => Failure::io(format_args!("cannot write {}", path.display()), &e),
    })
}

/// The part of the catalogue that a machine says it is: the longest name that is in its model's.
fn part(host: &Host) -> Option<&'static str> {
    let product = host.product.as_ref()?.to_lowercase();
    let all = Catalogue::built_in().parts();
    all.map(|part| part.name.as_str())
        .filter(|name| product.contains(&name.to_lowercase()))
        .max_by_key(|name| name.len())
}

/// A text as TOML has it.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A name that an inventory takes.
fn name(host: &Host) -> String {
    let name: String = host
        .name
        .as_deref()
        .unwrap_or_default()
        .chars()
        .filter(|it| !it.is_control())
        .collect();
    let taken = ["home", "kitchen", "wall", "shelf", "switch"].contains(&name.as_str());
    match name.trim() {
        name if name.is_empty() || taken => "machine".to_owned(),
        name => name.chars().take(63).collect(),
    }
}

/// The whole file.
fn example(host: &Host) -> String {
    let mut text = HEAD.to_owned();
    text.push_str(&machine(host));
    text.push_str(TAIL);
    text
}

fn machine(host: &Host) -> String {
    let mut text = String::from("\n# This machine, as far as it says itself.\n[[node]]\n");
    let mut line = |it: std::fmt::Arguments<'_>| {
        // Writing to a String does not fail.
        let _ = text.write_fmt(it);
        text.push('\n');
    };
    line(format_args!("name = {}", quoted(&name(host))));
    match (&host.product, part(host)) {
        (Some(product), Some(part)) => {
            line(format_args!("# It calls itself {}.", quoted(product)));
            line(format_args!("part = {}", quoted(part)));
        }
        (Some(product), None) => {
            line(format_args!(
                "# It calls itself {}, which the catalogue does not have.",
                quoted(product)
            ));
        }
        (None, _) => line(format_args!("# It does not say what it is: part = \"…\"")),
    }
    if part(host).is_none() {
        line(format_args!("# Measure it at the plug, with its disks:"));
        line(format_args!("# idle_w = 10"));
        line(format_args!("# stress_w = 40"));
    }
    if host.rapl {
        line(format_args!(
            "# Its processor counts its own energy (RAPL); the rest of the machine is not in that."
        ));
    }
    line(format_args!("power = [\"wall\"]\nrack = \"shelf\""));
    if let Some(memory) = host.memory_gb {
        line(format_args!("memory_gb = {memory}"));
    }
    if let Some(cores) = host.cores {
        line(format_args!("cores = {cores}"));
    }
    for card in &host.cards {
        let speed = card
            .mbit_per_second
            .map_or(String::new(), |speed| format!(", {speed} Mbit/s"));
        let linked = if card.linked {
            "a cable in it"
        } else {
            "no cable in it"
        };
        line(format_args!(
            "# Network card {}: {linked}{speed}.",
            quoted(&card.name)
        ));
    }
    let cables = host.cards.iter().filter(|card| card.linked).count().clamp(1, 4);
    line(format_args!(
        "network = [{}]",
        vec!["\"switch\""; cables].join(", ")
    ));
    for disk in &host.disks {
        line(format_args!("{}", disk_table(disk)));
    }
    text
}

fn disk_table(disk: &HostDisk) -> String {
    let HostDisk {
        name,
        kind,
        size_gb,
        model,
    } = disk;
    let model = model
        .as_ref()
        .map_or(String::new(), |model| format!("  # {}", quoted(model)));
    let size = match *kind {
        "hdd-3.5" => "  # or \"hdd-2.5\": the system does not say which",
        _ => "",
    };
    format!(
        "\n[[node.disk]]\nname = {}{model}\nkind = \"{kind}\"{size}\nsize_gb = {}\n# data = false              # if only the system is on it",
        quoted(name),
        size_gb.max(1.0)
    )
}

#[cfg(test)]
mod tests {
    use super::super::host::HostCard;
    use super::*;
    use stead_plan::Budget;
    use stead_plan::lab::Lab;

    fn check(host: &Host) -> stead_plan::lab::Resolved {
        let text = example(host);
        let lab = Lab::read(&text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        lab.resolve()
            .unwrap_or_else(|errors| panic!("{errors:?}\n{text}"))
    }

    #[test]
    fn the_example_holds_together_whatever_the_machine_says() {
        check(&Host::default());
        let host = Host {
            name: Some("switch".to_owned()),
            product: Some("Raspberry Pi 5 Model B Rev 1.0".to_owned()),
            memory_gb: Some(8.3),
            cores: Some(4),
            disks: vec![HostDisk {
                name: "sd\"a\u{7}".to_owned(),
                kind: "hdd-3.5",
                size_gb: 8_002.0,
                model: Some("ST8000 \"x\"\n[[node]]".to_owned()),
            }],
            cards: vec![HostCard {
                name: "eth0".to_owned(),
                linked: true,
                mbit_per_second: Some(1_000),
            }],
            rapl: true,
        };
        assert_eq!(part(&host), Some("Raspberry Pi 5 model B"));
        let hostile = Host {
            disks: Vec::new(),
            ..host.clone()
        };
        let lab = check(&hostile);
        assert!(Budget::of(&lab).is_within());
        assert_eq!(lab.lab.nodes[0].common.name, "machine");
    }

    #[test]
    fn with_every_example_switched_on_it_holds_together_still() {
        let text = example(&Host::default());
        let on: String = text
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.starts_with("[[") || rest.contains(" = ") && !rest.contains("…") => rest,
                _ => line,
            })
            .map(|line| format!("{line}\n"))
            .collect();
        let lab = Lab::read(&on).unwrap_or_else(|error| panic!("{error:?}\n{on}"));
        assert_eq!((lab.upses.len(), lab.pdus.len(), lab.nodes.len()), (1, 1, 2));
        lab.resolve().unwrap_or_else(|errors| panic!("{errors:?}\n{on}"));
    }
}
