//! `[power]`: what is measured, and the UPS that feeds this node.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use stead_power::{Breaker, Limits, Nut, Source};

/// Sources of one node; each is a question every few seconds.
const MAX_SOURCES: usize = 64;

/// `[power]`
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Power {
    /// What is asked: `shelly URL`, `tasmota URL`, `nut HOST`, `rapl`, `hwmon`, `ipmi`.
    pub sources: Vec<String>,
    /// Pause between two rounds, in seconds.
    pub every_seconds: u64,
    /// What the breaker behind all sources is rated for, in watts; 0 is no breaker.
    pub breaker_watts: u64,
    /// The UPS that feeds this node: `NAME@HOST`.
    pub ups: Option<String>,
    /// The nodes that it feeds, least worth first; only this one where none are named.
    pub ups_nodes: Vec<String>,
    /// On battery below this charge, nodes stop; in percent.
    pub stop_below_percent: u64,
    /// On battery below this runtime, nodes stop; in seconds.
    pub stop_below_seconds: u64,
    /// How long a stop of one node takes, in seconds.
    pub stop_seconds: u64,
    /// How long a UPS that was on battery may be unknown before nodes stop, in seconds.
    pub unknown_grace_seconds: u64,
}

/// Sources may hold passwords.
impl std::fmt::Debug for Power {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Power({} sources)", self.sources.len())
    }
}

impl Default for Power {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            every_seconds: 10,
            breaker_watts: 0,
            ups: None,
            ups_nodes: Vec::new(),
            stop_below_percent: 30,
            stop_below_seconds: 300,
            stop_seconds: 30,
            unknown_grace_seconds: 120,
        }
    }
}

/// The UPS that feeds a node.
#[derive(Clone, Debug)]
pub struct FedBy {
    /// Its name at its server.
    pub name: String,
    /// The server, as readings name it.
    pub source: String,
}

impl Power {
    pub(super) fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: u64, low: u64, high: u64| {
            let right = (low..=high).contains(&value);
            right
                .then_some(())
                .ok_or_else(|| format!("power.{name} is {value}, and must be from {low} to {high}"))
        };
        within("every_seconds", self.every_seconds, 1, 3600)?;
        within("breaker_watts", self.breaker_watts, 0, 100_000)?;
        within("stop_below_percent", self.stop_below_percent, 0, 100)?;
        within("stop_below_seconds", self.stop_below_seconds, 0, 86_400)?;
        within("stop_seconds", self.stop_seconds, 1, 3600)?;
        within("unknown_grace_seconds", self.unknown_grace_seconds, 0, 86_400)?;
        if self.ups.is_none() && !self.ups_nodes.is_empty() {
            return Err("power.ups_nodes names nodes, and power.ups no UPS that feeds them".into());
        }
        self.build().map(drop)
    }

    /// What is to be asked, and which UPS of it feeds this node.
    pub fn build(&self) -> Result<(Vec<Source>, Option<FedBy>), String> {
        let mut sources = Vec::new();
        for text in &self.sources {
            let source: Source = text.parse().map_err(|error| format!("power.sources: {error}"))?;
            if sources.iter().any(|known: &Source| known.name() == source.name()) {
                return Err(format!("power.sources names {} twice", source.name()));
            }
            sources.push(source);
        }
        let fed_by = match &self.ups {
            None => None,
            Some(text) => {
                let (name, server) = text
                    .split_once('@')
                    .filter(|(name, _)| !name.is_empty())
                    .ok_or("power.ups has to be NAME@HOST, as upsc takes it")?;
                let nut: Nut = server.parse().map_err(|error| format!("power.ups: {error}"))?;
                let source = nut.name();
                if !sources.iter().any(|known| known.name() == source) {
                    sources.push(Source::Nut(nut));
                }
                Some(FedBy {
                    name: name.to_owned(),
                    source,
                })
            }
        };
        if sources.len() > MAX_SOURCES {
            return Err(format!("power.sources has more than {MAX_SOURCES} sources"));
        }
        Ok((sources, fed_by))
    }

    /// When what is behind the UPS is to stop.
    pub fn limits(&self) -> Limits {
        Limits {
            charge_percent: self.stop_below_percent as f64,
            runtime: Duration::from_secs(self.stop_below_seconds),
            grace: Duration::from_secs(self.unknown_grace_seconds),
        }
    }

    /// The breaker, where one is named.
    pub fn breaker(&self) -> Option<Breaker> {
        (self.breaker_watts > 0).then_some(Breaker {
            rated_watts: self.breaker_watts as f64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ups_is_asked_once_and_wrong_sources_are_refused_by_name() {
        let power = Power {
            sources: vec!["nut ups.lan".into(), "rapl".into()],
            ups: Some("rack@ups.lan:3493".into()),
            ..Power::default()
        };
        let (sources, fed_by) = power.build().unwrap();
        assert_eq!((sources.len(), fed_by.unwrap().name.as_str()), (2, "rack"));
        let wrong = |power: Power| power.validate().unwrap_err();
        let sources = |text: &str| Power {
            sources: vec![text.into(), "rapl".into()],
            ..Power::default()
        };
        assert!(wrong(sources("modbus 10.0.0.5")).starts_with("power.sources: modbus"));
        assert!(wrong(sources("rapl")).contains("twice"));
        let ups = |text: &str| Power {
            ups: Some(text.into()),
            ..Power::default()
        };
        assert!(wrong(ups("rack")).contains("NAME@HOST"));
        assert!(wrong(ups("@ups.lan")).contains("NAME@HOST"));
        let nodes = Power {
            ups_nodes: vec!["shed".into()],
            ..Power::default()
        };
        assert!(wrong(nodes).contains("power.ups"));
        let hidden = format!("{:?}", sources("shelly http://a:s3cret@10.0.0.5"));
        assert!(!hidden.contains("s3cret"), "{hidden}");
    }
}
