//! The simulation from a command line; `cargo xtask sim` starts it.
//!
//! Promises: prints the seed and the shrunk trace of what fails, and ends with 1; the same options give the same answer,
//! but for how long it took (and but for how many are tried where minutes are given).

use std::process::ExitCode;
use std::time::Duration;
use stead_runtime::Clock;
use stead_sim::labs::tried;
use stead_sim::{Schedule, run, shrink};

const HELP: &str = "\
stead-sim [--seed N] [--schedules N] [--minutes M] [--labs N] [--trace]

  --seed N        begin with this seed (1)
  --schedules N   so many schedules of a cluster (2000, or none with --labs)
  --minutes M     schedules for so long instead
  --labs N        so many labs, of which every single failure is injected
  --trace         print the trace of the first schedule
";

struct Options {
    seed: u64,
    schedules: Option<u64>,
    minutes: Option<u64>,
    labs: u64,
    trace: bool,
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        seed: 1,
        schedules: None,
        minutes: None,
        labs: 0,
        trace: false,
    };
    let mut left = std::env::args().skip(1);
    while let Some(name) = left.next() {
        let mut number = || {
            let value = left.next().ok_or_else(|| format!("{name} needs a number"))?;
            value
                .parse::<u64>()
                .map_err(|_| format!("{name} needs a number, not {value:?}"))
        };
        match name.as_str() {
            "--seed" => options.seed = number()?,
            "--schedules" => options.schedules = Some(number()?),
            "--minutes" => options.minutes = Some(number()?),
            "--labs" => options.labs = number()?,
            "--trace" => options.trace = true,
            _ => return Err(format!("not understood: {name}\n\n{HELP}")),
        }
    }
    Ok(options)
}

/// Schedules of a cluster; answers whether all held.
fn schedules(options: &Options) -> bool {
    let clock = Clock::system();
    let begun = clock.instant();
    let count = options
        .schedules
        .unwrap_or(if options.labs > 0 { 0 } else { 2_000 });
    let limit = options.minutes.map(|minutes| Duration::from_secs(minutes * 60));
    let (mut done, mut broken) = (0_u64, 0);
    let mut sum = stead_sim::world::Counts::default();
    while limit.map_or(done < count, |limit| begun.elapsed() < limit) {
        let seed = options.seed.wrapping_add(done);
        let schedule = Schedule::of(seed);
        let ran = run(&schedule, None);
        if options.trace && done == 0 {
            println!("{}", ran.trace.join("\n"));
        }
        sum.add(&ran.counts);
        done += 1;
        if let Some(violation) = ran.violation {
            broken += 1;
            println!("seed {seed} breaks {:?}: {}", violation.rule, violation.what);
            if broken == 1 {
                let (small, ran) = shrink::shrink(&schedule, None);
                println!(
                    "shrunk from {} steps to {}:",
                    schedule.steps.len(),
                    small.steps.len()
                );
                small.steps.iter().for_each(|step| println!("  {step:?}"));
                println!("{}", ran.trace.join("\n"));
            }
        }
    }
    if done > 0 {
        let seconds = begun.elapsed().as_secs_f64();
        println!(
            "{done} schedules from seed {} in {seconds:.1} s ({:.0} a minute), {broken} broken\n{} events, {} versions of \
             the membership; {} objects stored, {} refused, {} lost to more than they bear; {} copies given up, {} while a \
             stripe bore less; {} reads with something away; healed after {} s at most",
            options.seed,
            done as f64 / seconds * 60.0,
            sum.events,
            sum.versions,
            sum.written,
            sum.refused,
            sum.borne_not,
            sum.given_up,
            sum.thinned,
            sum.probed,
            sum.healed_ms / 1_000,
        );
    }
    broken == 0
}

/// Labs whose failures are injected; answers whether the planner said of all what happened.
fn labs(options: &Options) -> bool {
    let clock = Clock::system();
    let begun = clock.instant();
    let (mut labs, mut injected, mut verdicts, mut differ) = (0, 0, [0; 5], 0);
    for (seed, agreement) in tried(options.seed, options.labs) {
        labs += 1;
        injected += agreement.injected;
        (0..5).for_each(|at| verdicts[at] += agreement.verdicts[at]);
        differ += agreement.differ.len();
        if let Some(first) = agreement.differ.first() {
            let (said, happened) = (first.said, first.happened);
            println!(
                "lab {seed}: {}: said {said:?}, happened {happened:?} ({} differ)",
                first.name,
                agreement.differ.len()
            );
        }
    }
    if labs > 0 {
        let [safe, slower, read_only, down, lost] = verdicts;
        println!(
            "{labs} labs from seed {} in {:.1} s: {injected} failures injected, {differ} of them otherwise than forecast\n{safe} \
             safe, {slower} slower, {read_only} read-only, {down} down, {lost} data lost",
            options.seed,
            begun.elapsed().as_secs_f64(),
        );
    }
    differ == 0
}

fn main() -> ExitCode {
    match options() {
        Ok(options) => ExitCode::from(u8::from(!(schedules(&options) & labs(&options)))),
        Err(why) => {
            eprintln!("{why}");
            ExitCode::from(2)
        }
    }
}
