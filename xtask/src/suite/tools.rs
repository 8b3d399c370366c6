//! Other people's programs that tests need: installed where that is ours to do, else named with the command.

use crate::{Outcome, paths, process};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs, and Debian's packages that bring them.
const PACKAGES: &[(&str, &str)] = &[
    ("aws", "awscli"),
    ("rclone", "rclone"),
    ("restic", "restic"),
    ("s3cmd", "s3cmd"),
    ("mkfs.ext4", "e2fsprogs"),
    ("setpriv", "util-linux"),
    ("unshare", "util-linux"),
    ("ip", "iproute2"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("nginx", "nginx-light"),
    ("chromium", "chromium"),
    ("/lib/nut/upsd", "nut-server"),
    ("/lib/nut/dummy-ups", "nut-server"),
];

fn package(program: &str) -> &str {
    PACKAGES
        .iter()
        .find(|(own, _)| *own == program)
        .map_or(program, |(_, package)| package)
}

/// Whether the program is there. Administrators' programs are looked for in their own directories too.
fn present(program: &str) -> bool {
    process::installed(program)
        || ["/usr/sbin", "/sbin"]
            .iter()
            .any(|dir| Path::new(dir).join(program).is_file())
}

/// Makes sure that the programs are there.
pub fn programs(wanted: &[&str]) -> Outcome {
    let missing: Vec<&str> = wanted
        .iter()
        .copied()
        .filter(|program| !present(program))
        .map(package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let by_hand = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    let debian = Path::new("/etc/debian_version").exists() && process::installed("apt-get");
    if !debian || !rustix::process::geteuid().is_root() {
        return Err(format!(
            "these programs are missing: {}. As root on Debian: `{by_hand}`. \
             Or leave these tests out with --skip-clients",
            missing.join(", ")
        )
        .into());
    }
    println!("{:<18} installing {}", "", missing.join(", "));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        process::output(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive")).map(drop)
    };
    let mut install = vec!["install", "--yes", "--no-install-recommends"];
    install.extend(&missing);
    // The lists may be old or absent; they are fetched only when the packages are not found.
    if apt(&install).is_err() {
        apt(&["update"])?;
        apt(&install).map_err(|why| format!("`{by_hand}` did not work: {why}"))?;
    }
    match wanted.iter().find(|program| !present(program)) {
        Some(program) => Err(format!("{program} is not there although its package is installed").into()),
        None => Ok(()),
    }
}

/// The Python of a virtual environment that has what `requirements` pins.
pub fn python(requirements: &Path) -> Outcome<PathBuf> {
    let venv = paths::target().join("venv");
    let (python, stamp) = (venv.join("bin/python"), venv.join("installed.txt"));
    let pinned =
        std::fs::read_to_string(requirements).map_err(|why| format!("{}: {why}", requirements.display()))?;
    if python.is_file() && std::fs::read_to_string(&stamp).is_ok_and(|have| have == pinned) {
        return Ok(python);
    }
    println!(
        "{:<18} installing {} into {}",
        "",
        requirements.display(),
        venv.display()
    );
    let made = process::output(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    made.map_err(|why| format!("a Python virtual environment is needed (Debian: python3-venv): {why}"))?;
    let mut pip = Command::new(&python);
    process::output(
        pip.args(["-m", "pip", "install", "--quiet", "--requirement"])
            .arg(requirements),
    )?;
    std::fs::write(&stamp, pinned)?;
    Ok(python)
}

/// A copy of the scripts in `sources`, with the npm packages that their `package.json` names.
pub fn npm(sources: &Path) -> Outcome<PathBuf> {
    npm_below("js", sources)
}

/// The same in a directory of its own below the target directory: packages of one test are no business of
/// another's.
pub fn npm_below(name: &str, sources: &Path) -> Outcome<PathBuf> {
    programs(&["node", "npm"])?;
    let dir = paths::target().join(name);
    std::fs::create_dir_all(&dir)?;
    let stamp = dir.join("installed.json");
    let wanted = std::fs::read(sources.join("package.json"))?;
    for entry in std::fs::read_dir(sources)? {
        let file = entry?.path();
        if file.is_file() {
            std::fs::copy(&file, dir.join(file.file_name().unwrap_or_default()))?;
        }
    }
    if std::fs::read(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(dir);
    }
    println!("{:<18} installing npm packages into {}", "", dir.display());
    let arguments = [
        "install",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--no-package-lock",
    ];
    process::output(Command::new("npm").args(arguments).current_dir(&dir))?;
    std::fs::write(&stamp, wanted)?;
    Ok(dir)
}
