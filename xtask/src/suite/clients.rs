//! Real S3 clients, each against a fresh `stead` on loopback.
//!
//! A test is a script under `tests/clients/` (or a pytest directory). It is given, as variables: the endpoint
//! (`STEAD_ENDPOINT`), the key (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_DEFAULT_REGION`), an empty
//! directory of its own (`WORK`), the binary (`STEAD_BIN`) and the server's data directory (`STEAD_DATA`).

use super::{Session, steps, tools};
use crate::server::{Build, Server, Settings, binary};
use crate::{Outcome, paths, process};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How long a graceful stop may take.
const STOP: Duration = Duration::from_secs(30);

/// A day of a lifecycle rule in the behaviour suite.
const DAY_SECONDS: &str = "2";

/// Runs one script or program against a server of its own.
pub(super) fn against(session: &Session, name: &str, program: &Path, arguments: &[&str]) -> Outcome {
    let work = paths::scratch(&format!("client-{name}"))?;
    let files = work.join("work");
    std::fs::create_dir(&files)?;
    let server_log = paths::logs().join(format!("{name}-server.log"));
    let _ = std::fs::remove_file(&server_log); // an earlier run's
    let settings = Settings::new(&binary(Build::Test)?, &work.join("data"), &server_log);
    if let Some(text) = settings_of(name) {
        std::fs::create_dir_all(&settings.data)?;
        std::fs::write(settings.data.join("stead.toml"), text)?;
    }
    let mut server = Server::start(&settings, None)?;
    let endpoint = format!("http://{}", server.address);
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(paths::root())
        .env("STEAD_ENDPOINT", &endpoint)
        .env("STEAD_API", server.api.clone().unwrap_or_default())
        .env("STEAD_BIN", &settings.binary)
        .env("STEAD_DATA", &settings.data)
        .env("STEAD_ACCESS_KEY", &server.key.access)
        .env("STEAD_SECRET_KEY", &server.key.secret)
        .env("AWS_ENDPOINT_URL", &endpoint)
        .env("AWS_ACCESS_KEY_ID", &server.key.access)
        .env("AWS_SECRET_ACCESS_KEY", &server.key.secret)
        .env("AWS_DEFAULT_REGION", &server.key.region)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", files.join("aws-config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", files.join("aws-credentials"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("WORK", &files)
        .env("SHOTS", paths::target().join("console-shots"))
        // For other hosts; some clients refuse to start with it.
        .env_remove("AWS_CA_BUNDLE");
    if name == "s3" {
        command.env("STEAD_LIFECYCLE_DAY_SECONDS", DAY_SECONDS);
        command.env("STEAD_READER", new_key(&settings, &["reader", "--read-only"])?);
        command.env(
            "STEAD_SCOPED",
            new_key(&settings, &["scoped", "--bucket", "scoped-bucket"])?,
        );
    }
    let status = process::run_logged(&mut command, &session.log)?;
    if !server.alive() {
        return Err(format!("the server ended meanwhile:\n{}", process::tail(&server_log, 40)).into());
    }
    server.stop(STOP)?;
    if !status.success() {
        return Err(format!(
            "ended with {status}; the server's log is {}",
            server_log.display()
        )
        .into());
    }
    std::fs::remove_dir_all(&work)?;
    Ok(())
}

/// What a suite needs to be other than it is by default.
fn settings_of(suite: &str) -> Option<String> {
    match suite {
        // Lifecycle rules are waited for.
        "s3" => Some(format!("[s3]\nlifecycle_day_seconds = {DAY_SECONDS}\n")),
        "helia" => Some(
            "[ipfs]\nbitswap = true\nbitswap_listen = [\"/ip4/127.0.0.1/tcp/0\", \"/ip4/127.0.0.1/udp/0/quic-v1\"]\n".to_owned(),
        ),
        _ => None,
    }
}

/// Makes an access key of less rights; `ACCESS:SECRET`.
fn new_key(settings: &Settings, arguments: &[&str]) -> Outcome<String> {
    let made = process::output(settings.stead(&["key", "create", "--json"]).args(arguments))?;
    let made: serde_json::Value = serde_json::from_str(&made)?;
    match (made["access_key"].as_str(), made["secret_key"].as_str()) {
        (Some(access), Some(secret)) => Ok(format!("{access}:{secret}")),
        _ => Err("`stead key create --json` does not name the key".into()),
    }
}

fn script(session: &Session, name: &str) -> Outcome {
    let file = paths::root().join(format!("tests/clients/{name}.sh"));
    against(session, name, Path::new("bash"), &[&file.to_string_lossy()])
}

fn python() -> Outcome<PathBuf> {
    tools::python(&paths::root().join("tests/s3/requirements.txt"))
}

/// A suite that is a directory of `tests/`.
fn pytest(session: &Session, name: &str, python: &Path) -> Outcome {
    let tests = format!("tests/{name}");
    against(
        session,
        name,
        python,
        &["-m", "pytest", "-p", "no:cacheprovider", &tests],
    )
}

/// The behaviour suite in `tests/s3`.
pub fn s3(session: &Session) -> Outcome {
    let python = python()?;
    steps::need(&["openssl"])?; // a certificate for a webhook
    pytest(session, "s3", &python)
}

/// The behaviour suite of the HTTP API in `tests/api`.
pub fn api(session: &Session) -> Outcome {
    let python = python()?;
    steps::need(&["unzip"])?;
    pytest(session, "api", &python)
}

/// boto3's own multipart machinery and presigned URLs.
pub fn boto3(session: &Session) -> Outcome {
    let python = python()?;
    against(session, "boto3", &python, &["tests/clients/boto3_transfer.py"])
}

/// The AWS command line.
pub fn aws(session: &Session) -> Outcome {
    steps::need(&["aws"])?;
    script(session, "aws")
}

/// rclone
pub fn rclone(session: &Session) -> Outcome {
    steps::need(&["rclone"])?;
    script(session, "rclone")
}

/// restic
pub fn restic(session: &Session) -> Outcome {
    steps::need(&["restic"])?;
    script(session, "restic")
}

/// s3cmd
pub fn s3cmd(session: &Session) -> Outcome {
    steps::need(&["s3cmd"])?;
    script(session, "s3cmd")
}

/// The IPFS gateway, by the specifications' cases.
pub fn ipfs(session: &Session) -> Outcome {
    let python = python()?;
    pytest(session, "ipfs", &python)
}

/// Several nodes as processes of their own, which the tests start and kill themselves.
pub fn cluster(session: &Session) -> Outcome {
    let python = python()?;
    pytest(session, "cluster", &python)
}

/// A real NUT server with UPSes that play what a house goes through, and nodes behind them.
pub fn power(session: &Session) -> Outcome {
    let python = python()?;
    steps::need(&["/lib/nut/upsd", "/lib/nut/dummy-ups"])?;
    pytest(session, "power", &python)
}

/// The guides, followed by a person who types what is shown and compares what is printed.
pub fn guides(session: &Session) -> Outcome {
    let python = python()?;
    steps::need(&["ip", "aws", "rclone", "/lib/nut/upsd", "/lib/nut/dummy-ups"])?;
    pytest(session, "guides", &python)
}

/// Object CIDs, compared with another implementation's.
pub fn cids(session: &Session) -> Outcome {
    let python = python()?;
    let js = tools::npm(&paths::root().join("xtask/js"))?;
    let js = js.to_string_lossy().into_owned();
    against(session, "cids", &python, &["tests/clients/cids.py", &js])
}
