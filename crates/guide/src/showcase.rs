//! Showcases: machines that were measured by `stead bench host`, in a form in which they can be compared.
//!
//! Owns: the format (TOML, `format = 1`), what is possible in it, and how two machines compare.
//! Promises: a field that there is none of, a figure that cannot be (negative, not a number, a median outside of what was
//! seen) is an error that names it. What was not measured is left out, never zero.

use serde::{Deserialize, Serialize};

/// The format that this release writes.
pub const FORMAT: u32 = 1;

/// The most that a figure may be; above it somebody made a mistake of units.
const MOST: f64 = 1e9;

/// One machine, measured once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Showcase {
    /// [`FORMAT`].
    pub format: u32,
    /// What its owner calls it.
    pub name: String,
    /// When it was measured, RFC 3339 in UTC.
    pub at: String,
    /// Of Stead.
    pub release: String,
    /// Whether Stead was built with optimisation: without it hashing is slower than the machine can.
    pub optimised: bool,
    /// What its owner has to say: cooling, what else ran, where watts were measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What it is.
    pub machine: Machine,
    /// SHA-256 of blocks of 1 MiB.
    pub hashing: Hashing,
    /// The file system that data would be on.
    pub disk: Disk,
    /// What connects it.
    #[serde(default, skip_serializing_if = "Network::is_empty")]
    pub network: Network,
    /// What it draws, where it says so itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
}

/// What a machine is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // the names say it
pub struct Machine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<String>,
    pub arch: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<usize>,
    pub threads: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_gb: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Each as `kind, size, model`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<String>,
}

/// What was seen over some runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// The middle one.
    pub median: f64,
    /// The lowest.
    pub least: f64,
    /// The highest.
    pub most: f64,
    /// How many.
    pub runs: usize,
}

impl Figure {
    /// Of what was seen; none where nothing was. Rounded to four digits, since no more of them mean anything.
    pub fn of(seen: &[f64]) -> Option<Self> {
        let mut seen: Vec<f64> = seen.iter().copied().filter(|value| value.is_finite()).collect();
        seen.sort_by(f64::total_cmp);
        let middle = seen.len() / 2;
        let median = match seen.len() {
            0 => return None,
            odd if odd % 2 == 1 => seen[middle],
            _ => f64::midpoint(seen[middle - 1], seen[middle]),
        };
        Some(Self {
            median: rounded(median),
            least: rounded(seen[0]),
            most: rounded(seen[seen.len() - 1]),
            runs: seen.len(),
        })
    }
}

fn rounded(value: f64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    let digits = 3 - value.abs().log10().floor() as i32;
    let scale = 10f64.powi(digits.clamp(-9, 9));
    (value * scale).round() / scale
}

/// How fast it hashes, in 10^6 bytes a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)]
pub struct Hashing {
    pub one_thread_mb_per_s: Figure,
    pub all_threads_mb_per_s: Figure,
}

/// How fast its disk is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// As the kernel calls the file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_system: Option<String>,
    /// Written at once before the flush, at most.
    pub bytes: u64,
    /// In blocks of 1 MiB, with the flush.
    pub write_mb_per_s: Figure,
    /// The same again.
    pub read_mb_per_s: Figure,
    /// Whether reading may have come from memory: the kernel would not drop what it keeps of the file.
    pub read_from_cache: bool,
    /// 4 KiB at the end of a file, flushed each.
    pub appends_per_s: Figure,
}

/// What connects it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// TCP from this machine to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loopback_mb_per_s: Option<Figure>,
    /// Until another node answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_round_trip_ms: Option<Figure>,
}

impl Network {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What it draws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Power {
    /// What said so: `rapl` is the processor alone, not what the plug gives.
    pub source: String,
    /// With nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_w: Option<f64>,
    /// While all threads hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy_w: Option<f64>,
}

/// Why a text is no showcase.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShowcaseError {
    /// It is no TOML, or not this one.
    #[error("{0}")]
    Toml(String),
    /// Of another release.
    #[error("its format is {0}, and {FORMAT} is understood here")]
    Format(u32),
    /// A figure that cannot be.
    #[error("its `{0}` cannot be: {1}")]
    Figure(&'static str, &'static str),
}

impl Showcase {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, ShowcaseError> {
        let read: Self =
            toml::from_str(text).map_err(|why| ShowcaseError::Toml(why.to_string().trim().to_owned()))?;
        if read.format != FORMAT {
            return Err(ShowcaseError::Format(read.format));
        }
        read.check()?;
        Ok(read)
    }

    /// As it is written into a file.
    ///
    /// # Errors
    /// Where it cannot be read again.
    pub fn write(&self) -> Result<String, ShowcaseError> {
        self.check()?;
        toml::to_string(self).map_err(|why| ShowcaseError::Toml(why.to_string()))
    }

    /// Every figure with its name, and whether more of it is better.
    pub fn figures(&self) -> Vec<(&'static str, Option<Figure>, bool)> {
        vec![
            (
                "hashing, one thread, MB/s",
                Some(self.hashing.one_thread_mb_per_s),
                true,
            ),
            (
                "hashing, all threads, MB/s",
                Some(self.hashing.all_threads_mb_per_s),
                true,
            ),
            ("disk, write, MB/s", Some(self.disk.write_mb_per_s), true),
            ("disk, read, MB/s", Some(self.disk.read_mb_per_s), true),
            (
                "disk, synced 4 KiB appends/s",
                Some(self.disk.appends_per_s),
                true,
            ),
            ("loopback, MB/s", self.network.loopback_mb_per_s, true),
            ("peer, round trip, ms", self.network.peer_round_trip_ms, false),
        ]
    }

    fn check(&self) -> Result<(), ShowcaseError> {
        if self.name.trim().is_empty() || self.machine.threads == 0 {
            return Err(ShowcaseError::Figure("name or threads", "it is empty"));
        }
        for (name, figure, _) in self.figures() {
            let Some(Figure {
                median,
                least,
                most,
                runs,
            }) = figure
            else {
                continue;
            };
            let possible = |value: f64| value.is_finite() && (0.0..=MOST).contains(&value);
            if ![median, least, most].into_iter().all(possible) {
                return Err(ShowcaseError::Figure(
                    name,
                    "it is negative, no number, or too large",
                ));
            }
            if runs == 0 || !(least..=most).contains(&median) {
                return Err(ShowcaseError::Figure(
                    name,
                    "the median is outside of what was seen",
                ));
            }
        }
        let watts = self
            .power
            .iter()
            .flat_map(|power| [power.idle_w, power.busy_w])
            .flatten();
        for watts in watts {
            if !(watts.is_finite() && (0.0..=100_000.0).contains(&watts)) {
                return Err(ShowcaseError::Figure("power", "it is not between 0 and 100 kW"));
            }
        }
        Ok(())
    }
}

/// A figure of two machines.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// Of what.
    pub what: &'static str,
    /// This machine's.
    pub own: f64,
    /// The other's.
    pub other: f64,
    /// How many times as good this machine is: above 1 it is the better one. None where the other has none at all.
    pub times: Option<f64>,
    /// Whether what was seen of the two overlaps, so that a difference may be chance.
    pub may_be_chance: bool,
}

/// Figures that both have.
pub fn compare(own: &Showcase, other: &Showcase) -> Vec<Compared> {
    let pairs = own.figures().into_iter().zip(other.figures());
    pairs
        .filter_map(|((what, own, more_is_better), (_, other, _))| {
            let (own, other) = (own?, other?);
            let (over, under) = if more_is_better {
                (own.median, other.median)
            } else {
                (other.median, own.median)
            };
            Some(Compared {
                what,
                own: own.median,
                other: other.median,
                times: (under > 0.0).then(|| over / under),
                may_be_chance: own.least <= other.most && other.least <= own.most,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(median: f64) -> Figure {
        Figure {
            median,
            least: median * 0.9,
            most: median * 1.1,
            runs: 5,
        }
    }

    fn machine() -> Showcase {
        Showcase {
            format: FORMAT,
            name: "attic".into(),
            at: "2026-11-27T12:00:00Z".into(),
            release: "0.1.0".into(),
            optimised: true,
            note: None,
            machine: Machine {
                arch: "x86_64".into(),
                threads: 4,
                ..Machine::default()
            },
            hashing: Hashing {
                one_thread_mb_per_s: figure(400.0),
                all_threads_mb_per_s: figure(1_500.0),
            },
            disk: Disk {
                file_system: Some("ext4".into()),
                bytes: 1 << 28,
                write_mb_per_s: figure(275.0),
                read_mb_per_s: figure(500.0),
                read_from_cache: false,
                appends_per_s: figure(673.0),
            },
            network: Network {
                loopback_mb_per_s: None,
                peer_round_trip_ms: Some(figure(0.5)),
            },
            power: None,
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = machine().write().expect("writes");
        assert_eq!(Showcase::read(&text).expect("reads"), machine());
        assert!(
            !text.contains("loopback"),
            "what was not measured is left out: {text}"
        );
        let mut bare = machine();
        bare.network = Network::default();
        assert_eq!(Showcase::read(&bare.write().expect("writes")), Ok(bare));
    }

    #[test]
    fn what_cannot_be_is_refused_by_its_name() {
        let text = machine().write().expect("writes");
        let refused = |from: &str, to: &str| {
            assert!(text.contains(from), "{text}");
            Showcase::read(&text.replacen(from, to, 1))
                .expect_err("refused")
                .to_string()
        };
        assert!(refused("format = 1", "format = 2").contains("format is 2"));
        assert!(refused("name =", "nom =").contains("nom"));
        assert!(refused("median = 400.0", "median = -1.0").contains("hashing, one thread"));
        assert!(refused("median = 400.0", "median = 900.0").contains("outside"));
        assert!(refused("median = 400.0", "median = nan").contains("hashing, one thread"));
        assert!(refused("runs = 5", "runs = 0").contains("hashing"));
        assert!(refused("threads = 4", "threads = 0").contains("threads"));
        let mut hot = machine();
        hot.power = Some(Power {
            source: "rapl".into(),
            idle_w: Some(-2.0),
            busy_w: None,
        });
        assert!(hot.write().is_err());
    }

    #[test]
    fn figures_are_the_middle_of_what_was_seen() {
        assert_eq!(Figure::of(&[]), None);
        assert_eq!(Figure::of(&[f64::NAN]), None);
        let odd = Figure::of(&[3.0, 1.0, 2.0]).expect("some");
        assert_eq!((odd.median, odd.least, odd.most, odd.runs), (2.0, 1.0, 3.0, 3));
        assert_eq!(Figure::of(&[1.0, 2.0]).expect("some").median, 1.5);
        assert_eq!(Figure::of(&[123_456.0]).expect("some").median, 123_500.0);
        assert_eq!(Figure::of(&[0.012_345_6]).expect("some").median, 0.012_35);
    }

    #[test]
    fn machines_compare_in_what_both_have_and_better_is_above_one() {
        let (own, mut other) = (machine(), machine());
        other.disk.appends_per_s = figure(6_730.0);
        other.network.peer_round_trip_ms = Some(figure(1.0));
        other.network.loopback_mb_per_s = Some(figure(1.0));
        let rows = compare(&own, &other);
        assert_eq!(rows.len(), 6);
        let row = |what: &str| *rows.iter().find(|row| row.what.contains(what)).expect("there");
        let appends = row("appends");
        assert!((appends.times.expect("some") - 0.1).abs() < 1e-9 && !appends.may_be_chance);
        assert_eq!(row("round trip").times, Some(2.0));
        assert!(row("one thread").may_be_chance);
        other.disk.write_mb_per_s = Figure {
            median: 0.0,
            least: 0.0,
            most: 0.0,
            runs: 1,
        };
        assert_eq!(compare(&own, &other)[2].times, None);
    }

    #[test]
    fn every_showcase_of_the_tree_is_one() {
        let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/showcases");
        let mut count = 0;
        for file in std::fs::read_dir(directory).expect("the showcases are there") {
            let path = file.expect("readable").path();
            if path.extension().is_some_and(|end| end == "toml") {
                let text = std::fs::read_to_string(&path).expect("readable");
                Showcase::read(&text).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
                count += 1;
            }
        }
        assert!(count > 0);
    }
}
