//! Commands about power.

use clap::{Args, Subcommand};

/// `power`
#[derive(Debug, Subcommand)]
pub enum PowerCommand {
    /// Ask meters and UPSes what they say now
    Read(PowerRead),
}

/// `power read`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead power read --shelly http://10.0.0.5
  stead power read --nut 10.0.0.4 --json | jq .ups
  stead power read --rapl --hwmon --ipmi       what this machine says itself

Each source is given two seconds (IPMI five) and asked once; options repeat. A
device that wants a login takes it in its address: http://USER:PASSWORD@HOST,
which other users of this machine can see while the command runs.

Exit codes: 0 all was read, 1 a source failed or a UPS is unknown, 2 not
understood.")]
#[group(required = true, multiple = true)]
pub struct PowerRead {
    /// A Shelly plug or meter, of any generation
    #[arg(long, value_name = "URL")]
    pub shelly: Vec<String>,
    /// A device with Tasmota
    #[arg(long, value_name = "URL")]
    pub tasmota: Vec<String>,
    /// The UPSes of a NUT server
    #[arg(long, value_name = "HOST[:PORT]")]
    pub nut: Vec<String>,
    /// This machine's processor counters (Intel and AMD; needs root)
    #[arg(long)]
    pub rapl: bool,
    /// This machine's power sensors
    #[arg(long)]
    pub hwmon: bool,
    /// This machine's management controller, by ipmitool
    #[arg(long)]
    pub ipmi: bool,
}
