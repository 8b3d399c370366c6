//! The node's own settings: `<data>/stead.toml`, typed, validated, few.
//!
//! Owns: [`Settings`] and how the file is read. Every setting has a default, so the file need not exist.
//! Never: builds anything from them; that is `node`.

mod power;

pub use power::{FedBy, Power};

use crate::codes;
use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file's name in the data directory.
pub const FILE: &str = "stead.toml";

/// All settings of one node.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The S3 gateway.
    pub s3: S3,
    /// Stead's own HTTP API, `/healthz` and `/metrics`.
    pub api: Api,
    /// The web console.
    pub web: Web,
    /// The IPFS gateway.
    pub ipfs: Ipfs,
    /// The way to other nodes.
    pub mesh: Mesh,
    /// Where the node sits.
    pub node: Place,
    /// Copies of blocks on several nodes.
    pub copies: Copies,
    /// Where bytes go.
    pub storage: Storage,
    /// Reading everything back to see that it is still what was written.
    pub scrub: Scrub,
    /// Freeing what nothing reaches any more.
    pub gc: Collect,
    /// Meters, and the UPS that feeds the node.
    pub power: Power,
    /// Ending.
    pub drain: Drain,
    /// Whom buckets may notify.
    pub webhook: Vec<Webhook>,
}

/// `[s3]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct S3 {
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Domains whose hosts are buckets: `photos.s3.localhost` for `s3.localhost`.
    pub domains: Vec<String>,
    /// How long a day of a lifecycle rule is, in seconds. Shorter ones are for tests.
    pub lifecycle_day_seconds: u64,
}

/// `[[webhook]]`
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhook {
    /// Its name: the end of its ARN.
    pub name: String,
    /// Where messages are posted.
    pub url: String,
    /// Certificates that are trusted instead of the system's.
    pub ca: Option<PathBuf>,
    /// What messages are signed with.
    pub secret: Option<String>,
    /// Whether its address may be private, or this machine's own.
    pub allow_private: bool,
}

/// `[api]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
}

/// `[web]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Host names under which browsers may ask for it, besides `localhost` and addresses.
    pub hosts: Vec<String>,
}

/// `[ipfs]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ipfs {
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Whether blocks are exchanged with peers.
    pub bitswap: bool,
    /// Where peers find this node: multiaddresses of TCP or QUIC; port 0 picks a free one.
    pub bitswap_listen: Vec<String>,
    /// Peers that are asked for blocks where none are named: multiaddresses that end with `/p2p/ID`.
    pub bitswap_peers: Vec<String>,
}

/// `[mesh]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mesh {
    /// Address and UDP port; port 0 picks a free one, which is kept.
    pub listen: SocketAddr,
    /// Whether nodes that are to join find this one nearby, by multicast DNS.
    pub announce: bool,
}

/// `[node]`: what can fail with the node. What is not said is unknown, and never counts as different from another
/// unknown.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Place {
    /// The building.
    pub site: Option<String>,
    /// The rack or shelf.
    pub rack: Option<String>,
    /// The breaker that feeds it.
    pub circuit: Option<String>,
    /// The network switch that it is plugged into.
    pub switch: Option<String>,
}

/// `[copies]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Copies {
    /// Pause between two comparisons of what is here with what others have, where nothing changed, in seconds.
    pub every_seconds: u64,
    /// How fast copies are fetched at most, in MiB.
    pub mib_per_second: u64,
    /// How long a member may be away before others are to hold its copies, in seconds.
    pub out_after_seconds: u64,
    /// How old a block is at least that is given up because others hold it, in seconds.
    pub surplus_after_seconds: u64,
}

/// `[storage]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Storage {
    /// Free space that client writes may not use, in MiB (but no more than a tenth of the file system): what
    /// is written for them already must still fit.
    pub reserve_mib: u64,
    /// Memory for views, in MiB.
    pub cache_mib: usize,
    /// Directories for blocks besides the data directory's own, one on each further disk.
    pub blocks: Vec<PathBuf>,
    /// How much this node holds beside others, in GiB; 0 is the size of its file systems.
    pub capacity_gib: u64,
    /// Size at which a segment of the log is closed and a new one begun, in MiB.
    pub segment_mib: u64,
}

/// `[scrub]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scrub {
    /// Hours between the ends of two runs; 0 is never.
    pub every_hours: u64,
    /// Bytes read per second at most, in MiB.
    pub mib_per_second: u64,
}

/// `[gc]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Collect {
    /// Hours between the ends of two runs; 0 is never.
    pub every_hours: u64,
    /// How long a block that nothing reaches is kept after it was written, in hours.
    pub grace_hours: u64,
    /// How long overwritten and deleted states are kept for `history` and `--at`, in days.
    pub retention_days: u64,
}

/// `[drain]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Drain {
    /// How long requests that run may still take after the node was asked to stop, in seconds.
    pub seconds: u64,
}

impl Default for S3 {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7300)),
            domains: vec!["s3.localhost".into(), "localhost".into()],
            lifecycle_day_seconds: 86_400,
        }
    }
}

impl Default for Api {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7301)),
        }
    }
}

impl Default for Web {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7302)),
            hosts: Vec::new(),
        }
    }
}

impl Default for Mesh {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7305)),
            announce: true,
        }
    }
}

impl Default for Ipfs {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7303)),
            bitswap: false,
            bitswap_listen: vec![
                "/ip4/127.0.0.1/tcp/7304".into(),
                "/ip4/127.0.0.1/udp/7304/quic-v1".into(),
            ],
            bitswap_peers: Vec::new(),
        }
    }
}

impl Default for Copies {
    fn default() -> Self {
        Self {
            every_seconds: 600,
            mib_per_second: 200,
            out_after_seconds: 600,
            surplus_after_seconds: 3600,
        }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            reserve_mib: 64,
            cache_mib: 16,
            blocks: Vec::new(),
            capacity_gib: 0,
            segment_mib: 64,
        }
    }
}

impl Default for Scrub {
    fn default() -> Self {
        Self {
            every_hours: 0,
            mib_per_second: 8,
        }
    }
}

impl Default for Collect {
    fn default() -> Self {
        Self {
            every_hours: 24,
            grace_hours: 24,
            retention_days: 30,
        }
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self { seconds: 20 }
    }
}

impl Settings {
    /// What a node starts with: its own file over the settings that all nodes share, as this node saw them last.
    pub fn load(data: &Path) -> Result<Self, Failure> {
        crate::config::at_start(data)
    }

    /// Reads the file of a data directory; the defaults where there is none.
    pub fn own(data: &Path) -> Result<(Self, String), Failure> {
        let path = data.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Ok((Self::default(), String::new()));
            }
            Err(e) => return Err(Failure::io(format_args!("cannot read {}", path.display()), &e)),
        };
        Self::parse(&text)
            .map(|settings| (settings, text))
            .map_err(|why| Failure::new(codes::SETTINGS, format!("{} is not valid: {why}", path.display())))
    }

    /// Settings from the text of a file; why it is not valid.
    pub fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
        settings.validate()?;
        Ok(settings)
    }

    fn validate(&self) -> Result<(), String> {
        let within = |name: &str, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(format!("{name} is {value}, and must be from {low} to {high}"))
            }
        };
        within("storage.reserve_mib", self.storage.reserve_mib, 1, 1 << 20)?;
        within("storage.cache_mib", self.storage.cache_mib as u64, 1, 1 << 16)?;
        within("storage.capacity_gib", self.storage.capacity_gib, 0, 1 << 30)?;
        if let Some(relative) = self.storage.blocks.iter().find(|path| !path.is_absolute()) {
            return Err(format!(
                "storage.blocks names {}, which does not begin with /",
                relative.display()
            ));
        }
        if self.storage.blocks.len() > 64 {
            return Err("storage.blocks names more than 64 directories".into());
        }
        within("copies.every_seconds", self.copies.every_seconds, 1, 7 * 86_400)?;
        within("copies.mib_per_second", self.copies.mib_per_second, 1, 1 << 20)?;
        within(
            "copies.out_after_seconds",
            self.copies.out_after_seconds,
            5,
            366 * 86_400,
        )?;
        within(
            "copies.surplus_after_seconds",
            self.copies.surplus_after_seconds,
            0,
            366 * 86_400,
        )?;
        self.node.validate()?;
        within("storage.segment_mib", self.storage.segment_mib, 1, 1024)?;
        within("scrub.mib_per_second", self.scrub.mib_per_second, 1, 1 << 20)?;
        within("scrub.every_hours", self.scrub.every_hours, 0, 24 * 366)?;
        within("gc.every_hours", self.gc.every_hours, 0, 24 * 366)?;
        within("gc.grace_hours", self.gc.grace_hours, 0, 24 * 366)?;
        within("gc.retention_days", self.gc.retention_days, 0, 366 * 100)?;
        within("drain.seconds", self.drain.seconds, 0, 3600)?;
        within(
            "s3.lifecycle_day_seconds",
            self.s3.lifecycle_day_seconds,
            1,
            86_400,
        )?;
        self.ipfs.validate()?;
        self.power.validate()?;
        let listening = [
            ("s3", self.s3.listen),
            ("api", self.api.listen),
            ("web", self.web.listen),
            ("ipfs", self.ipfs.listen),
        ];
        for (at, (name, address)) in listening.iter().enumerate() {
            for (other, same) in &listening[at + 1..] {
                if address.port() != 0 && address == same {
                    return Err(format!(
                        "{name}.listen and {other}.listen are both {address}; each needs its own port"
                    ));
                }
            }
        }
        for (at, webhook) in self.webhook.iter().enumerate() {
            webhook.declared().check()?;
            if self.webhook[..at].iter().any(|other| other.name == webhook.name) {
                return Err(format!(
                    "there is more than one webhook of the name {:?}",
                    webhook.name
                ));
            }
        }
        if let Some(name) = self.s3.domains.iter().find(|name| !is_domain(name)) {
            return Err(format!("s3.domains has {name:?}, which is not a domain's name"));
        }
        Ok(())
    }
}

impl Place {
    fn validate(&self) -> Result<(), String> {
        let said = [
            ("site", &self.site),
            ("rack", &self.rack),
            ("circuit", &self.circuit),
            ("switch", &self.switch),
        ];
        for (name, value) in said {
            let wrong = |text: &String| {
                text.trim().is_empty() || text.len() > 64 || text.chars().any(char::is_control)
            };
            if value.as_ref().is_some_and(wrong) {
                return Err(format!(
                    "node.{name} has to be a name of 1 to 64 bytes; leave it out where it is not known"
                ));
            }
        }
        Ok(())
    }

    /// As the planner takes it.
    pub fn domains(&self) -> stead_plan::Domains {
        stead_plan::Domains {
            site: self.site.clone(),
            rack: self.rack.clone(),
            circuit: self.circuit.clone(),
            switch: self.switch.clone(),
        }
    }
}

impl Copies {
    /// As consensus takes it.
    pub fn options(&self) -> stead_cluster::LevelOptions {
        stead_cluster::LevelOptions {
            every: Duration::from_secs(self.every_seconds),
            bytes_per_second: self.mib_per_second << 20,
            out_after: Duration::from_secs(self.out_after_seconds),
            surplus_after: Duration::from_secs(self.surplus_after_seconds),
        }
    }
}

impl Webhook {
    /// As the S3 gateway takes it.
    pub fn declared(&self) -> stead_gateway_s3::notify::Webhook {
        stead_gateway_s3::notify::Webhook {
            name: self.name.clone(),
            url: self.url.clone(),
            ca: self.ca.clone(),
            secret: self.secret.clone(),
            allow_private: self.allow_private,
        }
    }
}

impl Ipfs {
    fn validate(&self) -> Result<(), String> {
        for address in &self.bitswap_listen {
            stead_gateway_bitswap::check_listen(address)
                .map_err(|why| format!("ipfs.bitswap_listen: {why}"))?;
        }
        for peer in &self.bitswap_peers {
            stead_gateway_bitswap::check_peer(peer).map_err(|why| format!("ipfs.bitswap_peers: {why}"))?;
        }
        Ok(())
    }
}

/// Labels of letters, digits and hyphens, and no address: nothing is below one.
fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=63).contains(&label.len()) && label.bytes().all(inner)
    };
    name.split('.').all(label) && name.parse::<std::net::IpAddr>().is_err()
}

impl Collect {
    /// [`Self::grace_hours`] as a duration.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_hours * 3600)
    }

    /// [`Self::retention_days`] as a duration.
    pub fn retention(&self) -> Duration {
        Duration::from_secs(self.retention_days * 24 * 3600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_defaults() {
        let settings = Settings::parse("").unwrap();
        assert_eq!(settings.s3.listen.to_string(), "127.0.0.1:7300");
        assert_eq!(settings.gc.retention(), Duration::from_secs(30 * 86_400));
    }

    /// Every setting by its whole name, with its value as text.
    fn leaves(value: &serde_json::Value, name: &str, found: &mut Vec<(String, String)>) {
        let Some(fields) = value.as_object() else {
            let text = match value {
                serde_json::Value::Null => "none".to_owned(),
                value => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            };
            return found.push((name.to_owned(), text));
        };
        for (field, value) in fields {
            let below = if name.is_empty() {
                field.clone()
            } else {
                format!("{name}.{field}")
            };
            leaves(value, &below, found);
        }
    }

    #[test]
    fn the_page_on_settings_names_each_with_its_default_and_no_other() {
        let page =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/settings.md")).unwrap();
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        let mut known = Vec::new();
        leaves(
            &serde_json::to_value(Settings::default()).unwrap(),
            "",
            &mut known,
        );
        for (name, default) in &known {
            let begin = format!("| `{name}` | `{default}` |");
            assert!(
                rows.iter().any(|row| row.starts_with(&begin)),
                "docs/settings.md lacks a row that begins with {begin}"
            );
        }
        assert_eq!(
            rows.len(),
            known.len(),
            "docs/settings.md names what is no setting"
        );
    }

    #[test]
    fn unknown_names_and_values_out_of_range_are_refused_by_name() {
        let unknown = Settings::parse("[s3]\nlisen = \"127.0.0.1:1\"\n").unwrap_err();
        assert!(unknown.contains("lisen"), "{unknown}");
        let range = Settings::parse("[scrub]\nmib_per_second = 0\n").unwrap_err();
        assert!(range.contains("scrub.mib_per_second is 0"), "{range}");
        let clash = Settings::parse("[s3]\nlisten = \"127.0.0.1:7301\"\n").unwrap_err();
        assert!(clash.contains("both 127.0.0.1:7301"), "{clash}");
        for domain in ["s3.localhost:80", "10.0.0.1", "", "a..b"] {
            let wrong = Settings::parse(&format!("[s3]\ndomains = [{domain:?}]\n")).unwrap_err();
            assert!(wrong.contains("s3.domains"), "{wrong}");
        }
        let listen = Settings::parse("[ipfs]\nbitswap_listen = [\"/ip4/127.0.0.1/udp/1\"]\n").unwrap_err();
        assert!(listen.contains("ipfs.bitswap_listen"), "{listen}");
        let peer = Settings::parse("[ipfs]\nbitswap_peers = [\"/ip4/127.0.0.1/tcp/1\"]\n").unwrap_err();
        assert!(peer.contains("ipfs.bitswap_peers"), "{peer}");
        let none = Settings::parse("[s3]\ndomains = []\n").unwrap();
        assert!(none.s3.domains.is_empty());
    }
}
