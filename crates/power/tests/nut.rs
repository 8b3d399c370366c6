//! The client against servers that say what a real one would not. The real one is in `tests/power`.

#![allow(clippy::unwrap_used)] // A test that cannot go on ends.

use stead_power::source::MAX_REPLY_BYTES;
use stead_power::{Nut, Source, Supply, Why};
use stead_runtime::{Clock, TaskKind, Tasks};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// A server that answers each line as `answer` says.
async fn server(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Nut {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    Tasks::new().spawn(TaskKind::Listener, "upsd", async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (from, mut to) = stream.split();
            let mut lines = BufReader::new(from).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if line == "LOGOUT" || to.write_all(answer(&line).as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    Nut::new(&address, Some(("ana".into(), "p\"w".into()))).unwrap()
}

const ONE: &str = "BEGIN LIST UPS\nUPS rack \"The rack\"\nEND LIST UPS\n";

/// One UPS with these variables.
fn variables(pairs: &[(&str, &str)]) -> String {
    let lines: String = pairs
        .iter()
        .map(|(name, value)| format!("VAR rack {name} \"{value}\"\n"))
        .collect();
    format!("BEGIN LIST VAR rack\n{lines}END LIST VAR rack\n")
}

async fn rack(variables: String) -> Nut {
    server(move |line| match line {
        "LIST UPS" => ONE.to_owned(),
        "LIST VAR rack" => variables.clone(),
        "USERNAME \"ana\"" | "PASSWORD \"p\\\"w\"" => "OK\n".to_owned(),
        _ => "ERR UNKNOWN-COMMAND\n".to_owned(),
    })
    .await
}

#[tokio::test]
async fn a_ups_is_read_and_its_power_is_a_reading() {
    let nut = rack(variables(&[
        ("ups.status", "OL CHRG"),
        ("battery.charge", "98"),
        ("battery.runtime", "1860"),
        ("ups.load", "24"),
        ("ups.realpower.nominal", "600"),
    ]))
    .await;
    let upses = nut.read().await.unwrap();
    assert_eq!(upses.len(), 1);
    assert_eq!(
        (upses[0].name.as_str(), &upses[0].supply),
        ("rack", &Supply::Mains)
    );
    assert_eq!(
        (upses[0].charge_percent, upses[0].runtime_seconds),
        (Some(98.0), Some(1860.0))
    );
    let readings = Source::Nut(nut).read(&Clock::system()).await.unwrap();
    assert_eq!(
        (readings[0].device.as_str(), readings[0].watts),
        ("rack", Some(144.0))
    );
}

#[tokio::test]
async fn a_power_that_cannot_be_is_no_reading() {
    let nut = rack(variables(&[("ups.status", "OL"), ("ups.realpower", "-140")])).await;
    assert!(matches!(nut.read().await.unwrap()[0].supply, Supply::Mains));
    let error = Source::Nut(nut).read(&Clock::system()).await.unwrap_err();
    assert!(matches!(error.why, Why::Absurd { .. }), "{error}");
}

#[tokio::test]
async fn a_silent_ups_is_unknown_and_a_silent_server_an_error() {
    for word in ["DATA-STALE", "DRIVER-NOT-CONNECTED", "UNKNOWN-UPS"] {
        let upses = rack(format!("ERR {word}\n")).await.read().await.unwrap();
        assert!(matches!(upses[0].supply, Supply::Unknown(_)), "{word}");
    }
    let denied = rack("ERR ACCESS-DENIED\n".into()).await.read().await.unwrap_err();
    assert!(matches!(denied.why, Why::Login(_)), "{denied}");
    let gone = Nut::new("127.0.0.1:1", None).unwrap().read().await.unwrap_err();
    assert!(matches!(gone.why, Why::Unreachable(_)), "{gone}");
}

#[tokio::test]
async fn nonsense_is_refused() {
    let endless = "VAR rack ups.id \"x\"\n".repeat(MAX_REPLY_BYTES / 10);
    let cases = [
        format!("BEGIN LIST VAR rack\n{endless}"),
        "BEGIN LIST VAR attic\nEND LIST VAR attic\n".into(),
        "BEGIN LIST VAR rack\nVAR attic ups.status \"OL\"\nEND LIST VAR rack\n".into(),
        "BEGIN LIST VAR rack\nVAR rack ups.status \"OL\nEND LIST VAR rack\n".into(),
        "BEGIN LIST VAR rack\nVAR rack ups.status OL extra\nEND LIST VAR rack\n".into(),
        "ERR SOMETHING-NEW with words\n".into(),
        "\u{1b}[2J\n".into(),
    ];
    for case in cases {
        let error = rack(case.clone()).await.read().await.unwrap_err();
        assert!(
            matches!(error.why, Why::TooLong(_) | Why::Answer(_)),
            "{error}: {case:.40}"
        );
        assert!(!error.to_string().contains('\u{1b}'));
    }
    let listed = "BEGIN LIST UPS\nUPS \"a\nFSD b\" \"x\"\nEND LIST UPS\n";
    let many: String = (0..100).map(|at| format!("UPS u{at} \"x\"\n")).collect();
    for list in [listed.to_owned(), format!("BEGIN LIST UPS\n{many}END LIST UPS\n")] {
        let nut = server(move |line| match line.split(' ').next() {
            Some("LIST") if line == "LIST UPS" => list.clone(),
            Some("LIST") => "ERR DATA-STALE\n".into(),
            _ => "OK\n".into(),
        })
        .await;
        assert!(matches!(nut.read().await.unwrap_err().why, Why::Answer(_)));
    }
}

#[tokio::test]
async fn one_variable_is_asked_for() {
    let nut = server(|line| match line {
        "GET VAR rack ups.status" => "VAR rack ups.status \"OL\"\n".into(),
        "GET VAR rack ups.mfr" => "VAR attic ups.mfr \"APC\"\n".into(),
        "VER" => "Network UPS Tools upsd 2.8.0 - http://www.networkupstools.org/\n".into(),
        _ => "ERR VAR-NOT-SUPPORTED\n".into(),
    })
    .await;
    assert_eq!(nut.variable("rack", "ups.status").await.unwrap(), "OL");
    assert!(nut.variable("rack", "ups.mfr").await.is_err());
    assert!(nut.variable("rack", "ups.power").await.is_err());
    assert!(nut.version().await.unwrap().contains("upsd 2.8.0"));
}
