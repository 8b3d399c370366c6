//! The management controller of this machine, by the program `ipmitool`.
//!
//! Source: `ipmitool dcmi power reading` (DCMI specification 1.5, section 6.6.1 "Get Power Reading"): whole watts.
//! Promises: the program is ended when it takes longer than [`PATIENCE`].

use crate::error::{Why, quote};
use crate::source::{Found, MAX_REPLY_BYTES};
use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

/// How long the program is waited for. A controller behind a slow bus takes longer than a network device.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// The reader.
#[derive(Debug)]
pub struct Ipmi {
    program: String,
}

impl Default for Ipmi {
    fn default() -> Self {
        Self::with_program("ipmitool")
    }
}

impl Ipmi {
    /// With another program of the same tongue, for tests.
    pub fn with_program(program: impl Into<String>) -> Self {
        Self {
            program: program.into(),
        }
    }

    pub(crate) async fn found(&self) -> Result<Vec<Found>, Why> {
        let output = tokio::time::timeout(PATIENCE, self.run())
            .await
            .unwrap_or(Err(Why::Silent(PATIENCE)))?;
        parse(&output)
    }

    async fn run(&self) -> Result<String, Why> {
        let mut child = Command::new(&self.program)
            .args(["dcmi", "power", "reading"])
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => Why::Program {
                    program: self.program.clone(),
                    hint: "Debian's package is ipmitool".to_owned(),
                },
                _ => Why::Unreachable(format!("{}: {error}", self.program)),
            })?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        // Whoever says too much is not waited for.
        let (out, err) = tokio::try_join!(bounded(out), bounded(err))?;
        let status = child.wait().await?;
        if status.success() {
            Ok(out)
        } else {
            let said = err.lines().next().unwrap_or("nothing");
            Err(Why::Unreachable(format!(
                "{} ended with {status} and said {}",
                self.program,
                quote(said)
            )))
        }
    }
}

async fn bounded(pipe: Option<impl AsyncRead + Unpin>) -> Result<String, Why> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let most = u64::try_from(MAX_REPLY_BYTES + 1).unwrap_or(u64::MAX);
        pipe.take(most).read_to_end(&mut bytes).await?;
    }
    if bytes.len() > MAX_REPLY_BYTES {
        return Err(Why::TooLong(MAX_REPLY_BYTES));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn parse(output: &str) -> Result<Vec<Found>, Why> {
    let fields = output.lines().filter_map(|line| line.split_once(':'));
    let field = |name: &str| {
        let mut matching = fields.clone().filter(|(own, _)| own.trim() == name);
        matching.next().map(|(_, value)| value.trim())
    };
    if let Some(state) = field("Power reading state is")
        && state != "activated"
    {
        return Err(Why::NoMeter(format!("power reading is {}", quote(state))));
    }
    let reading = field("Instantaneous power reading")
        .ok_or_else(|| Why::answer(format!("no instantaneous power in {}", quote(output.trim()))))?;
    let watts = reading.strip_suffix("Watts").unwrap_or(reading).trim();
    let watts = watts
        .parse()
        .map_err(|_| Why::answer(format!("{} is no power in watts", quote(reading))))?;
    Ok(vec![Found {
        device: "dcmi".to_owned(),
        watts: Some(watts),
        energy_wh: None,
        part_of: None,
    }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const ANSWER: &str = "
    Instantaneous power reading:                   216 Watts
    Minimum during sampling period:                 14 Watts
    Maximum during sampling period:                388 Watts
    Average power reading over sample period:      210 Watts
    IPMI timestamp:                           Thu Nov 15 12:36:01 2018
    Sampling period:                          00000001 Seconds.
    Power reading state is:                   activated

";

    #[test]
    fn the_power_of_the_moment_is_taken() {
        let found = parse(ANSWER).unwrap();
        assert_eq!((found.len(), found[0].watts), (1, Some(216.0)));
        let off = ANSWER.replace("  activated", "  deactivated");
        assert!(matches!(parse(&off), Err(Why::NoMeter(_))));
        assert!(matches!(parse("DCMI request failed"), Err(Why::Answer(_))));
        assert!(matches!(
            parse("Instantaneous power reading: many Watts"),
            Err(Why::Answer(_))
        ));
    }

    fn script(dir: &tempfile::TempDir, text: &str) -> Ipmi {
        let path = dir.path().join("ipmitool");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Ipmi::with_program(path.to_string_lossy())
    }

    #[tokio::test]
    async fn the_program_is_run_and_its_failures_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let good = script(
            &dir,
            &format!("[ \"$*\" = 'dcmi power reading' ] && cat <<'E'\n{ANSWER}\nE"),
        );
        assert_eq!(good.found().await.unwrap()[0].watts, Some(216.0));

        let failing = script(&dir, "echo 'Could not open device at /dev/ipmi0' >&2; exit 1");
        let why = failing.found().await.unwrap_err().to_string();
        assert!(why.contains("Could not open device"), "{why}");

        let endless = script(&dir, "exec yes");
        assert_eq!(endless.found().await, Err(Why::TooLong(MAX_REPLY_BYTES)));

        let missing = Ipmi::with_program(dir.path().join("none").to_string_lossy());
        assert!(matches!(missing.found().await, Err(Why::Program { .. })));
    }
}
