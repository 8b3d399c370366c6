//! The simulation from a command line; `cargo xtask sim` starts it.
use std::process::ExitCode;
fn main() -> ExitCode {
    let mut broken = 0;
    let args: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let count = args.get(1).copied().unwrap_or(200);
    let from = args.first().copied().unwrap_or(0);
    for seed in from..from + count {
        let schedule = stead_sim::Schedule::of(seed);
        let run = stead_sim::run(&schedule, None);
        if count == 1 {
            println!("{:?}\n{}", schedule.buckets, run.trace.join("\n"));
        }
        if let Some(violation) = run.violation {
            broken += 1;
            println!("seed {seed}: {violation:?}");
        }
    }
    println!("{broken}");
    ExitCode::SUCCESS
}
