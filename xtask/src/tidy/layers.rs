//! Who may import whom, of our own rooms and of other people's crates.

use super::Findings;
use crate::{Outcome, process};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Rooms by path, and the rooms that each may import. `*` is everything.
const LAYERS: &[(&str, &[&str])] = &[
    ("crates/event", &[]),
    ("crates/runtime", &[]),
    ("crates/plan", &["crates/event"]),
    ("crates/power", &["crates/event", "crates/runtime", "crates/plan"]),
    ("crates/log", &["crates/event", "crates/runtime"]),
    ("crates/block", &["crates/event", "crates/runtime"]),
    (
        "crates/view",
        &["crates/event", "crates/runtime", "crates/log", "crates/block"],
    ),
    (
        "crates/cluster",
        &[
            "crates/plan",
            "crates/event",
            "crates/runtime",
            "crates/log",
            "crates/block",
        ],
    ),
    (
        "crates/gateway",
        &[
            "crates/event",
            "crates/runtime",
            "crates/log",
            "crates/block",
            "crates/view",
        ],
    ),
    ("crates/client", &["crates/event", "crates/runtime"]),
    ("crates/guide", &["crates/client", "crates/plan"]),
    (
        "gateways/api",
        &[
            "crates/gateway",
            "crates/view",
            "crates/event",
            "crates/client",
            "crates/guide",
        ],
    ),
    ("gateways/", &["crates/gateway", "crates/view", "crates/event"]),
    ("patches/", &[]),
    ("sim", &["crates/plan", "crates/runtime"]),
    ("stead", &["*"]),
    ("xtask", &[]),
];

/// Other people's crates that one room keeps to itself. `gateways/` alone would be every gateway.
const FENCES: &[(&str, &[&str])] = &[
    ("openraft", &["crates/cluster"]),
    ("iroh", &["crates/cluster"]),
    ("mdns-sd", &["crates/cluster"]),
    ("s3s", &["gateways/s3"]),
    ("multer", &["gateways/s3"]),
    ("rustls", &["gateways/s3"]),
    ("tokio-rustls", &["gateways/s3"]),
    ("axum", &["gateways/api"]),
    ("libp2p", &["gateways/bitswap"]),
    ("redb", &["crates/block", "crates/view"]),
    ("zstd", &["crates/log"]),
    ("clap", &["stead"]),
    ("pulldown-cmark", &["crates/guide"]),
    ("indicatif", &["stead"]),
    ("prometheus-client", &["crates/gateway"]),
    ("chacha20poly1305", &["crates/gateway"]),
    ("mime_guess", &["gateways/ipfs"]),
];

/// A package of the workspace.
pub struct Package {
    /// As in its manifest.
    pub name: String,
    /// Its directory, from the root.
    pub dir: String,
    /// What it depends on outside of its tests.
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    /// From the root, where it is one of ours.
    dir: Option<String>,
}

/// Reads the workspace through `cargo metadata`.
pub fn packages(root: &Path) -> Outcome<Vec<Package>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
    let text = process::output(Command::new(cargo).args(arguments).current_dir(root))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let relative = |path: &str| {
        let path = PathBuf::from(path);
        path.strip_prefix(root)
            .map(|path| path.to_string_lossy().into_owned())
            .ok()
    };
    let mut packages = Vec::new();
    for package in metadata["packages"]
        .as_array()
        .ok_or("cargo metadata has no packages")?
    {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let manifest = text(&package["manifest_path"]);
        let dir = relative(manifest.trim_end_matches("/Cargo.toml")).ok_or("a package outside the tree")?;
        let mut dependencies = Vec::new();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            if dependency["kind"].as_str() == Some("dev") {
                continue;
            }
            let dir = dependency["path"].as_str().and_then(relative);
            dependencies.push(Dependency {
                name: text(&dependency["name"]),
                dir,
            });
        }
        packages.push(Package {
            name: text(&package["name"]),
            dir,
            dependencies,
        });
    }
    Ok(packages)
}

fn room<'a, T>(table: &'a [(&str, T)], dir: &str) -> Option<&'a T> {
    let matches = |path: &str| path == dir || (path.ends_with('/') && dir.starts_with(path));
    table
        .iter()
        .find(|(path, _)| matches(path))
        .map(|(_, value)| value)
}

/// Every dependency is one that the design allows.
pub fn check(packages: &[Package], findings: &mut Findings) {
    for package in packages {
        let Some(allowed) = room(LAYERS, &package.dir) else {
            findings.error(format!(
                "{} is a new room: say in xtask/src/tidy/layers.rs what it may import",
                package.dir
            ));
            continue;
        };
        for dependency in &package.dependencies {
            if let Some(dir) = &dependency.dir
                && !allowed.iter().any(|path| *path == "*" || path == dir)
            {
                findings.error(format!("{} may not import {dir}", package.dir));
            }
            let fence = FENCES.iter().find(|(name, _)| *name == dependency.name);
            if let Some((name, rooms)) = fence
                && !rooms.contains(&package.dir.as_str())
            {
                findings.error(format!(
                    "{} may not use {name}: only {} does",
                    package.dir,
                    rooms.join(", ")
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(dir: &str, ours: &[&str], others: &[&str]) -> Package {
        let own = ours.iter().map(|dir| Dependency {
            name: format!("stead-{dir}"),
            dir: Some((*dir).to_owned()),
        });
        let other = others.iter().map(|name| Dependency {
            name: (*name).to_owned(),
            dir: None,
        });
        Package {
            name: dir.to_owned(),
            dir: dir.to_owned(),
            dependencies: own.chain(other).collect(),
        }
    }

    fn errors(package: Package) -> usize {
        let mut findings = Findings::default();
        check(&[package], &mut findings);
        findings.errors.len()
    }

    #[test]
    fn an_import_against_the_layers_is_found() {
        assert_eq!(errors(package("crates/log", &["crates/event"], &["serde"])), 0);
        assert_eq!(errors(package("crates/log", &["crates/block"], &[])), 1);
        assert_eq!(errors(package("crates/event", &["crates/runtime"], &[])), 1);
        assert_eq!(errors(package("gateways/nfs", &["crates/gateway"], &[])), 0);
        assert_eq!(errors(package("gateways/nfs", &["gateways/s3"], &[])), 1);
        assert_eq!(
            errors(package("stead", &["gateways/s3", "crates/cluster"], &["clap"])),
            0
        );
        assert_eq!(errors(package("crates/unheard-of", &[], &[])), 1);
    }

    #[test]
    fn a_fenced_crate_elsewhere_is_found() {
        assert_eq!(errors(package("crates/cluster", &[], &["openraft"])), 0);
        assert_eq!(errors(package("crates/view", &[], &["openraft"])), 1);
        assert_eq!(errors(package("gateways/nfs", &[], &["s3s"])), 1);
    }
}
