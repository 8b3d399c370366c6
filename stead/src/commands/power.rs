//! `power`: meters and UPSes, asked from here. Needs no node.

use crate::args::{Global, PowerCommand, PowerRead};
use crate::codes;
use crate::failure::{self, Failure};
use crate::output::{self, Align, Table};
use serde::Serialize;
use stead_power::{PowerError, Reading, Source, Supply, Ups};
use stead_runtime::Clock;

pub(super) async fn run(global: &Global, command: PowerCommand) -> Result<u8, Failure> {
    match command {
        PowerCommand::Read(args) => read(global, &args).await,
    }
}

/// What was read.
#[derive(Debug, Default, Serialize)]
struct Power {
    readings: Vec<Reading>,
    ups: Vec<UpsAt>,
    failed: Vec<Failed>,
}

#[derive(Debug, Serialize)]
struct UpsAt {
    source: String,
    #[serde(flatten)]
    ups: Ups,
}

/// A source that could not be read.
#[derive(Debug, Serialize)]
struct Failed {
    source: String,
    why: String,
}

impl Power {
    fn failed(&mut self, error: PowerError) {
        self.failed.push(Failed {
            source: error.place,
            why: error.why.to_string(),
        });
    }

    /// What of it is no answer.
    fn failure(&self) -> Option<Failure> {
        let failed = self.failed.iter();
        let mut wrong: Vec<String> = failed
            .map(|failed| format!("{}: {}", failed.source, failed.why))
            .collect();
        for UpsAt { source, ups } in &self.ups {
            if let Supply::Unknown(why) = &ups.supply {
                wrong.push(format!("{source}: UPS {} is unknown: {why}", ups.name));
            }
        }
        let nothing = self.readings.is_empty() && self.ups.is_empty();
        let code = if nothing { codes::POWER } else { codes::PARTIAL };
        (!wrong.is_empty()).then(|| Failure::new(code, wrong.join("; ")))
    }
}

async fn read(global: &Global, args: &PowerRead) -> Result<u8, Failure> {
    let clock = Clock::system();
    let mut power = Power::default();
    for mut source in sources(args)? {
        match source.look(&clock).await {
            Ok(look) => {
                match look.readings {
                    Ok(readings) => power.readings.extend(readings),
                    Err(error) => power.failed(error),
                }
                let upses = look.upses.into_iter();
                power.ups.extend(upses.map(|ups| UpsAt {
                    source: source.name(),
                    ups,
                }));
            }
            Err(error) => power.failed(error),
        }
    }
    if global.json {
        output::json(&power);
    } else {
        show(&power);
    }
    power.failure().map_or(Ok(failure::OK), Err)
}

fn sources(args: &PowerRead) -> Result<Vec<Source>, Failure> {
    let named = |kind: &'static str, places: &[String]| -> Vec<String> {
        places.iter().map(|place| format!("{kind} {place}")).collect()
    };
    let mut texts = named("shelly", &args.shelly);
    texts.extend(named("tasmota", &args.tasmota));
    texts.extend(named("nut", &args.nut));
    for (wanted, name) in [(args.rapl, "rapl"), (args.hwmon, "hwmon"), (args.ipmi, "ipmi")] {
        if wanted {
            texts.push(name.to_owned());
        }
    }
    texts
        .iter()
        .map(|text| {
            text.parse()
                .map_err(|error: PowerError| Failure::usage(error.to_string()))
        })
        .collect()
}

fn show(power: &Power) {
    let mut table = Table::new(&[
        ("SOURCE", Align::Left),
        ("DEVICE", Align::Left),
        ("POWER", Align::Right),
        ("ENERGY", Align::Right),
    ]);
    let number =
        |value: Option<f64>, unit: &str| value.map_or(String::new(), |value| format!("{value:.1} {unit}"));
    for reading in &power.readings {
        table.row([
            reading.source.clone(),
            reading.device.clone(),
            number(reading.watts, "W"),
            number(reading.energy_wh, "Wh"),
        ]);
    }
    table.print();
    let mut table = Table::new(&[
        ("UPS", Align::Left),
        ("FED BY", Align::Left),
        ("CHARGE", Align::Right),
        ("LASTS", Align::Right),
        ("LOAD", Align::Right),
        ("NOTES", Align::Left),
    ]);
    for UpsAt { ups, .. } in &power.ups {
        table.row([
            ups.name.clone(),
            fed_by(&ups.supply),
            number(ups.charge_percent, "%"),
            ups.runtime_seconds
                .map_or(String::new(), |seconds| output::duration(seconds as u64)),
            number(ups.load_percent, "%"),
            notes(ups),
        ]);
    }
    table.print();
}

fn fed_by(supply: &Supply) -> String {
    match supply {
        Supply::Mains => "mains",
        Supply::Battery => "battery",
        Supply::BatteryLow => "battery, low",
        Supply::SwitchesOff => "it switches off",
        Supply::Unknown(_) => "unknown",
    }
    .to_owned()
}

/// What else a person should know of it.
fn notes(ups: &Ups) -> String {
    let mut notes = Vec::new();
    if ups.replace_battery {
        notes.push("wants a new battery".to_owned());
    }
    if !ups.doubts.is_empty() {
        notes.push(format!("not believed: {}", ups.doubts.join(", ")));
    }
    notes.join("; ")
}
