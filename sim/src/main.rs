//! The simulation from a command line; `cargo xtask sim` starts it.
use std::process::ExitCode;
fn main() -> ExitCode {
    let mut broken = 0;
    for seed in 0..200 {
        let schedule = stead_sim::Schedule::of(seed);
        let run = stead_sim::run(&schedule, None);
        if let Some(violation) = run.violation {
            broken += 1;
            println!("seed {seed}: {violation:?}");
        }
    }
    println!("{broken}");
    ExitCode::SUCCESS
}
