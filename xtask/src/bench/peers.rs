//! Who is measured: Stead, Garage, s3s-fs, nginx. Each a child process on loopback with data on the same disk.

use crate::server::{Server, Settings};
use crate::sign::Key;
use crate::{Outcome, paths, process};
use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Versions that the bars name.
pub const GARAGE: &str = "2.5.0";
/// See [`GARAGE`].
pub const S3S_FS: &str = "0.14.1";

/// A running server of any kind; ended when dropped.
pub struct Peer {
    /// For the report.
    pub name: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
    /// Who may ask.
    pub key: Key,
    /// Whether clients acknowledge at once (see `load::Target`).
    pub quick_ack: bool,
    process: Process,
}

enum Process {
    Stead(Box<Server>),
    Other(Child),
}

impl Peer {
    /// A `stead` that was started elsewhere.
    pub fn of(server: Server) -> Self {
        Self {
            name: "Stead",
            address: server.address,
            key: server.key.clone(),
            quick_ack: false,
            process: Process::Stead(Box::new(server)),
        }
    }
}

impl Peer {
    /// The process.
    pub fn pid(&self) -> u32 {
        match &self.process {
            Process::Stead(server) => server.pid(),
            Process::Other(child) => child.id(),
        }
    }

    /// SIGKILL, and gone.
    pub fn kill(self) {
        drop(self);
    }

    /// Ends it as its operator would, and answers how long that took.
    pub fn stop(mut self) -> Outcome<Duration> {
        let begin = Instant::now();
        match &mut self.process {
            // Dropping the box below is then only the second half: the process is gone.
            Process::Stead(server) => server.terminate(Duration::from_secs(60))?,
            Process::Other(child) => {
                process::terminate(child);
                process::wait(child, Duration::from_secs(30))?;
            }
        }
        Ok(begin.elapsed())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Process::Other(child) = &mut self.process {
            // Gone already is fine.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A port that was free a moment ago.
fn free_port() -> Outcome<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn bin(name: &str) -> PathBuf {
    paths::cache().join("peers/bin").join(name)
}

/// Builds a peer into the cache, once.
fn install(name: &str, version: &str, features: &[&str]) -> Outcome<PathBuf> {
    let file = bin(name);
    if file.is_file() {
        return Ok(file);
    }
    println!(
        "building {name} {version} into {}, once; Garage takes ten minutes or more",
        file.display()
    );
    let mut command = Command::new("cargo");
    command
        .args(["install", name, "--version", version, "--locked", "--root"])
        .arg(paths::cache().join("peers"));
    command.args(features);
    if command.status()?.success() {
        Ok(file)
    } else {
        Err(format!("{name} does not build").into())
    }
}

fn spawn(command: &mut Command, log: &Path) -> Outcome<Child> {
    let out = File::create(log)?;
    let err = out.try_clone()?;
    let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn();
    child.map_err(|why| format!("{}: {why}", command.get_program().to_string_lossy()).into())
}

fn listening(address: SocketAddr, log: &Path) -> Outcome {
    let until = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
        if Instant::now() > until {
            return Err(format!("nothing listens at {address}:\n{}", process::tail(log, 20)).into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Stead on `dir/stead` (kept if it is there).
pub fn stead(binary: &Path, dir: &Path, known: Option<&Key>) -> Outcome<(Peer, Duration)> {
    let settings = Settings::new(binary, &dir.join("stead"), &dir.join("stead.log"));
    let server = Server::start(&settings, known)?;
    let (address, key, ready) = (server.address, server.key.clone(), server.ready_after);
    let process = Process::Stead(Box::new(server));
    Ok((
        Peer {
            name: "Stead",
            address,
            key,
            quick_ack: false,
            process,
        },
        ready,
    ))
}

/// Garage as one node on a fresh directory.
pub fn garage(dir: &Path, fsync: bool) -> Outcome<Peer> {
    let mut all = garages(dir, fsync, 1)?;
    all.pop().ok_or_else(|| "no node of Garage".into())
}

/// Garage as so many nodes on fresh directories, each with every object; the last one is the one to ask.
pub fn garages(dir: &Path, fsync: bool, nodes: usize) -> Outcome<Vec<Peer>> {
    let mut all = Vec::new();
    for number in 0..nodes {
        all.push(garage_node(dir, fsync, (number, nodes))?);
    }
    let (configs, mut peers): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let binary = install("garage", GARAGE, &[])?;
    let ask = |config: &Path, arguments: &[&str]| {
        process::output(Command::new(&binary).arg("-c").arg(config).args(arguments))
    };
    let last = configs.last().ok_or("no node of Garage")?.clone();
    for config in &configs {
        let id = ask(config, &["node", "id", "-q"])?;
        if *config != last {
            ask(&last, &["node", "connect", id.trim()])?;
        }
        let node = id.trim().split('@').next().unwrap_or_default();
        ask(&last, &["layout", "assign", "-z", "dc1", "-c", "50G", node])?;
    }
    ask(&last, &["layout", "apply", "--version", "1"])?;
    let made = ask(&last, &["key", "create", "bench"])?;
    let field = |name: &str| {
        let line = made.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().last())
            .map(str::to_owned)
    };
    for peer in &mut peers {
        peer.key.access = field("Key ID").ok_or_else(|| format!("no key id in: {made}"))?;
        peer.key.secret = field("Secret key").ok_or_else(|| format!("no secret key in: {made}"))?;
    }
    ask(&last, &["bucket", "create", "bench"])?;
    ask(
        &last,
        &[
            "bucket", "allow", "--read", "--write", "--owner", "bench", "--key", "bench",
        ],
    )?;
    Ok(peers)
}

/// One process of Garage, and its configuration.
fn garage_node(dir: &Path, fsync: bool, (number, nodes): (usize, usize)) -> Outcome<(PathBuf, Peer)> {
    let binary = install("garage", GARAGE, &[])?;
    let name = if fsync { "Garage, fsync" } else { "Garage" };
    let own = if fsync { "garage-fsync" } else { "garage" };
    let dir = dir.join(format!("{own}-{number}"));
    std::fs::create_dir_all(&dir)?;
    let (rpc, s3, admin) = (free_port()?, free_port()?, free_port()?);
    let config = dir.join("garage.toml");
    let root = dir.display();
    std::fs::write(
        &config,
        format!(
            "metadata_dir = \"{root}/meta\"\ndata_dir = \"{root}/data\"\ndb_engine = \"lmdb\"\n\
             metadata_fsync = {fsync}\ndata_fsync = {fsync}\nreplication_factor = {nodes}\n\
             rpc_bind_addr = \"127.0.0.1:{rpc}\"\nrpc_public_addr = \"127.0.0.1:{rpc}\"\nrpc_secret = \"{}\"\n\
             [s3_api]\ns3_region = \"garage\"\napi_bind_addr = \"127.0.0.1:{s3}\"\n\
             [admin]\napi_bind_addr = \"127.0.0.1:{admin}\"\n",
            "5e".repeat(32)
        ),
    )?;
    let log = dir.join("garage.log");
    let mut server = Command::new(&binary);
    let child = spawn(
        server
            .arg("-c")
            .arg(&config)
            .arg("server")
            .env("RUST_LOG", "garage=warn"),
        &log,
    )?;
    let address = SocketAddr::from(([127, 0, 0, 1], s3));
    let key = Key {
        access: String::new(),
        secret: String::new(),
        region: "garage".to_owned(),
    };
    let peer = Peer {
        name,
        address,
        key,
        quick_ack: true,
        process: Process::Other(child),
    };
    listening(address, &log)?;
    Ok((config, peer))
}

/// s3s-fs on a fresh directory: plain files, no fsync.
pub fn s3s_fs(dir: &Path) -> Outcome<Peer> {
    let binary = install("s3s-fs", S3S_FS, &["--features", "binary"])?;
    let root = dir.join("s3s-fs");
    std::fs::create_dir_all(root.join("bench"))?;
    let port = free_port()?;
    let key = Key {
        access: "bench".to_owned(),
        secret: "bench-secret".to_owned(),
        region: "us-east-1".to_owned(),
    };
    let log = dir.join("s3s-fs.log");
    let mut command = Command::new(binary);
    command.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
    command
        .args(["--access-key", &key.access, "--secret-key", &key.secret])
        .arg(&root);
    let child = spawn(command.env("RUST_LOG", "error"), &log)?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let peer = Peer {
        name: "s3s-fs",
        address,
        key,
        quick_ack: true,
        process: Process::Other(child),
    };
    listening(address, &log)?;
    Ok(peer)
}

/// nginx, serving the files of `dir/nginx`.
pub fn nginx(dir: &Path) -> Outcome<Peer> {
    crate::suite::need(&["nginx"])?;
    let root = dir.join("nginx");
    std::fs::create_dir_all(root.join("bench"))?;
    let port = free_port()?;
    let config = dir.join("nginx.conf");
    let at = dir.display();
    std::fs::write(
        &config,
        format!(
            "daemon off;\nmaster_process off;\npid {at}/nginx.pid;\nerror_log {at}/nginx-error.log;\n\
             events {{ worker_connections 1024; }}\nhttp {{\n  access_log off;\n  sendfile on;\n  tcp_nopush on;\n\
             client_body_temp_path {at}/t1;\n  proxy_temp_path {at}/t2;\n  fastcgi_temp_path {at}/t3;\n  uwsgi_temp_path {at}/t4;\n  \
             scgi_temp_path {at}/t5;\n  keepalive_requests 1000000;\n  \
             server {{ listen 127.0.0.1:{port}; root {}; }}\n}}\n",
            root.display()
        ),
    )?;
    let log = dir.join("nginx.log");
    let program = if process::installed("nginx") {
        "nginx"
    } else {
        "/usr/sbin/nginx"
    };
    let child = spawn(Command::new(program).arg("-c").arg(&config), &log)?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let key = Key {
        access: "none".to_owned(),
        secret: "none".to_owned(),
        region: "us-east-1".to_owned(),
    };
    let peer = Peer {
        name: "nginx",
        address,
        key,
        quick_ack: false,
        process: Process::Other(child),
    };
    listening(address, &log)?;
    Ok(peer)
}
