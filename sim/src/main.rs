//! The simulation from a command line; `cargo xtask sim` starts it.
use std::process::ExitCode;
fn main() -> ExitCode {
    let mut broken = 0;
    let args: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let count = args.get(1).copied().unwrap_or(200);
    let from = args.first().copied().unwrap_or(0);
    if args.len() == 3 {
        let (mut labs, mut inj) = (0, 0);
        for seed in from..from + count {
            let Some(a) = stead_sim::labs::agreement(seed) else {
                continue;
            };
            labs += 1;
            inj += a.injected;
            if let Some(d) = a.differ.first() {
                println!(
                    "seed {seed}: {} of {}: {} said {:?} happened {:?} {:?}",
                    a.differ.len(),
                    a.injected,
                    d.name,
                    d.said,
                    d.happened,
                    stead_sim::labs::Plan::draw(&mut stead_sim::Draw::new(seed)).policies
                );
                broken += 1;
                if count == 1 {
                    println!(
                        "{}",
                        stead_sim::labs::Plan::draw(&mut stead_sim::Draw::new(seed)).text("")
                    );
                    for d in a.differ {
                        println!("{} said {:?} happened {:?}", d.name, d.said, d.happened);
                    }
                }
            }
        }
        println!("{labs} labs, {inj} injected, {broken} labs differ");
        return ExitCode::SUCCESS;
    }
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
