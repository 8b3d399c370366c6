//! `cargo xtask torture`: what must not break a running node, one test each, each on a directory of its own.

mod bit_rot;
mod connections;
mod disk_full;
mod refusals;

use crate::args::Args;
use crate::client::{CallError, Client};
use crate::content::{self, Random};
use crate::server::{Build, Server, Settings, binary};
use crate::{Outcome, paths};
use std::path::PathBuf;
use std::time::{Duration, Instant};

type Torture = fn(&Bench) -> Outcome;

/// The tests, by name.
const ALL: &[(&str, Torture)] = &[
    ("bit-rot", bit_rot::run),
    ("disk-full", disk_full::run),
    ("slow-clients", connections::slow),
    ("idle-connections", connections::idle),
    ("refusals", refusals::run),
];

/// What a test has: the binary, and a directory.
pub struct Bench {
    binary: PathBuf,
    work: PathBuf,
}

/// `cargo xtask torture [NAME]...`
pub fn run(mut args: Args) -> Outcome {
    let mut names = Vec::new();
    while let Some(name) = args.positional() {
        if !ALL.iter().any(|(own, _)| *own == name) {
            let all: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
            return Err(format!("there is no torture {name:?}; there are: {}", all.join(", ")).into());
        }
        names.push(name);
    }
    args.done()?;
    let binary = binary(Build::Test)?;
    for (name, torture) in ALL
        .iter()
        .filter(|(name, _)| names.is_empty() || names.iter().any(|own| own == name))
    {
        let begin = Instant::now();
        println!("{name}");
        let work = paths::scratch(name)?;
        let bench = Bench {
            binary: binary.clone(),
            work: work.clone(),
        };
        torture(&bench).map_err(|why| format!("{name}: {why}\nleft as it is: {}", work.display()))?;
        std::fs::remove_dir_all(&work)?;
        println!("{name}: well, {:.1} s", begin.elapsed().as_secs_f64());
    }
    Ok(())
}

impl Bench {
    /// Settings of a server whose data is in `name` (not made yet, unless `toml` is given).
    fn settings(&self, name: &str, toml: &str) -> Outcome<Settings> {
        let data = self.work.join(name);
        if !toml.is_empty() {
            std::fs::create_dir_all(&data)?;
            std::fs::write(data.join("stead.toml"), toml)?;
        }
        Ok(Settings::new(
            &self.binary,
            &data,
            &self.work.join(format!("{name}.log")),
        ))
    }
}

/// The bucket of these tests.
const BUCKET: &str = "torture";
/// How long a clean stop may take.
const STOP: Duration = Duration::from_secs(40);

/// An object whose bytes are known from its number.
#[derive(Clone, Debug)]
struct Object {
    key: String,
    seed: u64,
    length: usize,
}

impl Object {
    fn new(random: &mut Random, number: usize, length: usize) -> Self {
        Self {
            key: format!("object-{number:05}"),
            seed: random.next(),
            length,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        content::bytes(self.seed, self.length)
    }

    fn put(&self, client: &mut Client) -> Result<(), CallError> {
        client.put(BUCKET, &self.key, &self.bytes()).map(drop)
    }
}

/// What reading everything gave.
#[derive(Debug, Default)]
struct Survey {
    good: usize,
    /// Answered with an error, or cut short so that a client notices.
    refused: Vec<String>,
    /// Served as good although it is not: never.
    wrong: Vec<String>,
}

/// Reads every object.
fn survey(server: &Server, objects: &[Object]) -> Survey {
    let mut survey = Survey::default();
    let mut client = server.client();
    for object in objects {
        match client.get(BUCKET, &object.key) {
            Ok(Some(answer)) if answer.body == object.bytes() => survey.good += 1,
            Ok(Some(answer)) => {
                survey
                    .wrong
                    .push(format!("{}: {} wrong bytes", object.key, answer.body.len()))
            }
            Ok(None) => survey.wrong.push(format!("{}: not there", object.key)),
            Err(why) => survey.refused.push(format!("{}: {why}", object.key)),
        }
    }
    survey
}

/// Everything is there and right.
fn all_good(server: &Server, objects: &[Object]) -> Outcome {
    let survey = survey(server, objects);
    if survey.good == objects.len() {
        return Ok(());
    }
    Err(format!(
        "{} of {} good; refused {:?}; wrong {:?}",
        survey.good,
        objects.len(),
        survey.refused.first(),
        survey.wrong.first()
    )
    .into())
}

/// New writes and reads work.
fn goes_on(server: &Server, random: &mut Random) -> Outcome {
    let object = Object {
        key: format!("later-{}", random.next()),
        seed: random.next(),
        length: 100_000,
    };
    object.put(&mut server.client())?;
    all_good(server, &[object])
}
