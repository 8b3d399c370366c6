//! Shelly and Tasmota over HTTP, with answers in the form that their documentation gives.

#![allow(clippy::unwrap_used)] // A test that cannot go on ends.

use stead_power::source::{MAX_REPLY_BYTES, PATIENCE};
use stead_power::{PowerError, Reading, Source, Why};
use stead_runtime::{Clock, TaskKind, Tasks};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// Gen2+: `Shelly.GetStatus` of a Plus 2PM, shortened.
const GEN2: &str = r#"{"ble":{},"cloud":{"connected":false},
"switch:0":{"id":0,"source":"init","output":true,"apower":8.9,"voltage":237.5,"pf":0.69,
 "aenergy":{"total":6.532,"by_minute":[45.199,47.141,88.397],"minute_ts":1626935779},"temperature":{"tC":23.5}},
"switch:1":{"id":1,"source":"timer","output":false,"apower":0.0,"voltage":237.5,
 "aenergy":{"total":null}},
"em1:0":{"id":0,"current":2.598,"voltage":234.9,"act_power":501.8,"aprt_power":612.4,"pf":0.84},
"sys":{"mac":"A8032ABE54DC","uptime":11081}}"#;

/// Gen1: `/status` of a Plug S, shortened.
const GEN1: &str = r#"{"wifi_sta":{"connected":true},"relays":[{"ison":true}],
"meters":[{"power":16.5,"is_valid":true,"timestamp":1600000000,"counters":[16.4,16.5,16.5],"total":6000},
 {"power":0,"is_valid":false}],"temperature":30.1}"#;

const TASMOTA: &str = r#"{"StatusSNS":{"Time":"2022-01-11T21:57:38","ENERGY":{"TotalStartTime":"2020-10-21T22:15:00",
"Total":3.705,"Yesterday":0.028,"Today":0.026,"Power":5,"ApparentPower":5,"Factor":1.00,"Voltage":233,"Current":0.021}}}"#;

/// A device that answers each path as `answer` says: the whole response.
async fn device(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    Tasks::new().spawn(TaskKind::Listener, "device", async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (from, mut to) = stream.split();
            let mut head = BufReader::new(from).lines();
            let mut first = String::new();
            let mut authorization = String::new();
            while let Ok(Some(line)) = head.next_line().await {
                if first.is_empty() {
                    first.clone_from(&line);
                }
                if line.to_ascii_lowercase().starts_with("authorization:") {
                    authorization.clone_from(&line);
                }
                if line.is_empty() {
                    break;
                }
            }
            let path = first.split(' ').nth(1).unwrap_or_default();
            let _ = to
                .write_all(answer(&format!("{path} {authorization}")).as_bytes())
                .await;
        }
    });
    address
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nNot Found";

async fn read(mut source: Source) -> Result<Vec<Reading>, PowerError> {
    source.read(&Clock::system()).await
}

async fn shelly(address: &str) -> Result<Vec<Reading>, PowerError> {
    read(Source::Shelly(address.parse().unwrap())).await
}

async fn tasmota(address: &str) -> Result<Vec<Reading>, PowerError> {
    read(Source::Tasmota(address.parse().unwrap())).await
}

fn short(readings: &[Reading]) -> Vec<(&str, Option<f64>, Option<f64>)> {
    let one = |reading: &'_ Reading| (reading.watts, reading.energy_wh);
    let values = readings.iter().map(one);
    let names = readings.iter().map(|reading| reading.device.as_str());
    names
        .zip(values)
        .map(|(name, (watts, energy))| (name, watts, energy))
        .collect()
}

#[tokio::test]
async fn a_shelly_of_any_generation_is_read() {
    let address = device(|path| {
        assert!(path.starts_with("/rpc/Shelly.GetStatus "), "{path}");
        ok(GEN2)
    })
    .await;
    let readings = shelly(&address).await.unwrap();
    assert_eq!(
        short(&readings),
        [
            ("em1:0", Some(501.8), None),
            ("switch:0", Some(8.9), Some(6.532)),
            ("switch:1", Some(0.0), None),
        ]
    );
    assert_eq!(readings[0].source, format!("shelly {address}"));
    assert!(readings[0].at_micros > 1_700_000_000_000_000);

    let address = device(|path| match path {
        "/status Authorization: Basic YWRtaW46cHc=" | "/status authorization: Basic YWRtaW46cHc=" => ok(GEN1),
        _ => NOT_FOUND.to_owned(),
    })
    .await;
    let readings = shelly(&format!("http://admin:pw@{address}/")).await.unwrap();
    assert_eq!(short(&readings), [("meters:0", Some(16.5), Some(100.0))]);
}

#[tokio::test]
async fn a_tasmota_is_read_with_its_login_and_channels() {
    let address = device(|path| match path {
        "/cm?cmnd=Status%2010 " => ok(TASMOTA),
        _ => ok(r#"{"WARNING":"Need user=<username>&password=<password>"}"#),
    })
    .await;
    let readings = tasmota(&address).await.unwrap();
    assert_eq!(short(&readings), [("energy:0", Some(5.0), Some(3705.0))]);

    let two = r#"{"StatusSNS":{"ENERGY":{"Total":[1.5,0.25],"Power":[12,3.5]}}}"#;
    let address = device(move |path| {
        if path.starts_with("/cm?user=admin&password=p%26w&cmnd=Status%2010 ") {
            ok(two)
        } else {
            ok(r#"{"WARNING":"Need user=<username>&password=<password>"}"#)
        }
    })
    .await;
    let readings = tasmota(&format!("admin:p&w@{address}")).await.unwrap();
    assert_eq!(
        short(&readings),
        [
            ("energy:0", Some(12.0), Some(1500.0)),
            ("energy:1", Some(3.5), Some(250.0))
        ]
    );
    let refused = tasmota(&address).await.unwrap_err();
    assert!(matches!(refused.why, Why::Login(_)), "{refused}");
}

#[tokio::test]
async fn what_measures_nothing_or_lies_is_an_error_that_names_the_device() {
    let cases = [
        (r#"{"switch:0":{"id":0,"output":true}}"#, "measures no power"),
        (r#"{"switch:0":{"apower":-12.5}}"#, "cannot be"),
        (r#"{"switch:0":{"apower":1e9}}"#, "cannot be"),
        (r#"{"switch:0":{"apower":"12"}}"#, "not understood"),
        (
            r#"{"switch:0":{"apower":12,"errors":["power_meter_failure"]}}"#,
            "its meter failed",
        ),
        ("[]", "not understood"),
        ("{", "not understood"),
    ];
    for (answer, wanted) in cases {
        let address = device(move |_| ok(answer)).await;
        let error = shelly(&address).await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("shelly {address}: ")) && error.contains(wanted),
            "{error}"
        );
    }
    for answer in [
        r#"{"StatusSNS":{}}"#,
        r#"{"Command":"Unknown"}"#,
        r#"{"StatusSNS":{"ENERGY":{"Power":[]}}}"#,
    ] {
        let address = device(move |_| ok(answer)).await;
        assert!(tasmota(&address).await.is_err(), "{answer}");
    }
    let locked = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    let address = device(move |_| locked.to_owned()).await;
    assert!(matches!(shelly(&address).await.unwrap_err().why, Why::Login(_)));
}

#[tokio::test]
async fn a_device_cannot_take_time_or_memory() {
    // One that says too much, with and without a length.
    let large = "x".repeat(MAX_REPLY_BYTES + 1);
    let (known, body) = (ok(&large), large.clone());
    let address = device(move |_| known.clone()).await;
    assert_eq!(
        shelly(&address).await.unwrap_err().why,
        Why::TooLong(MAX_REPLY_BYTES)
    );
    let address = device(move |_| format!("HTTP/1.1 200 OK\r\n\r\n{body}")).await;
    assert_eq!(
        tasmota(&address).await.unwrap_err().why,
        Why::TooLong(MAX_REPLY_BYTES)
    );

    // One that takes the connection and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let clock = Clock::system();
    let begun = clock.instant();
    assert_eq!(shelly(&address).await.unwrap_err().why, Why::Silent(PATIENCE));
    let waited = clock.instant().duration_since(begun);
    assert!(waited >= PATIENCE && waited < PATIENCE * 2, "{waited:?}");

    // One that is not there.
    drop(listener);
    assert!(matches!(
        shelly(&address).await.unwrap_err().why,
        Why::Unreachable(_)
    ));
}
