//! `up`: starts a node and runs it until it is told to stop.

use crate::args::{Global, NEARBY, Up};
use crate::directory;
use crate::failure::{self, Failure};
use crate::node::{Joining, Listen, Node, Start};
use crate::{output, process};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code after a second Ctrl-C, as shells count it.
const INTERRUPTED: u8 = 130;

pub(super) async fn run(global: &Global, args: &Up) -> Result<u8, Failure> {
    let mut signals = Signals::new()?;
    process::raise_open_files();
    let data = global.data.clone().unwrap_or_else(directory::default_path);
    let listen = Listen {
        s3: args.listen,
        api: args.api_listen,
        web: args.web_listen,
        ipfs: args.ipfs_listen,
        mesh: args.mesh_listen,
    };
    let json = global.json;
    let waiting = move |code: &str| show_code(json, code);
    let joining = match &args.join {
        Some(ticket) => Some(Joining {
            ticket: match ticket.as_str() {
                NEARBY => None,
                ticket => Some(
                    ticket
                        .parse()
                        .map_err(|e| Failure::usage(format!("--join: {e}")))?,
                ),
            },
            witness: args.witness,
            waiting: &waiting,
        }),
        None => None,
    };
    let node = tokio::select! {
        node = Node::start(&data, Start { listen, name: args.name.clone(), joining }) => node?,
        signal = signals.next() => {
            tracing::info!(signal, "given up before it was up");
            return Ok(INTERRUPTED);
        }
    };
    if global.json {
        ready_line(&node);
    } else {
        screen(&node);
    }
    let signal = signals.next().await;
    tracing::info!(signal, "stopping: running requests may end");
    if !global.json && output::is_terminal() {
        output::line("\nStopping; running requests may end. Ctrl-C again stops at once.");
    }
    let limit = Duration::from_secs(3600 + 60);
    tokio::select! {
        stopped = tokio::time::timeout(limit, node.stop()) => {
            stopped.unwrap_or(Ok(()))?;
            tracing::info!("stopped");
            Ok(failure::OK)
        }
        signal = signals.next() => {
            tracing::warn!(signal, "stopping at once");
            std::process::exit(INTERRUPTED.into());
        }
    }
}

/// What somebody has to type at a member before this node goes on.
fn show_code(json: bool, code: &str) {
    if json {
        output::json(&serde_json::json!({ "waiting": true, "code": code }));
    } else {
        output::print(&format!(
            "This node waits to be let in. On a machine of the cluster:\n\n  stead approve {code}\n\n"
        ));
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(|e| Failure::io("cannot listen for signals", &e));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

/// For programs: one line, on every start.
#[derive(Serialize)]
struct Ready<'a> {
    ready: bool,
    endpoints: &'a BTreeMap<String, String>,
    access_key: &'a str,
    secret_key: &'a str,
    /// Signs a browser in to the console, once, within ten minutes.
    console_link: &'a str,
    data: &'a Path,
}

fn ready_line(node: &Node) {
    output::json(&Ready {
        ready: true,
        endpoints: &node.endpoints,
        access_key: &node.root.credential.access_key,
        secret_key: &node.root.credential.secret_key,
        console_link: &node.console_link,
        data: node.data(),
    });
}

/// For people.
fn screen(node: &Node) {
    let endpoint = |name: &str| node.endpoints.get(name).map(String::as_str).unwrap_or_default();
    let (s3, api, data) = (endpoint("s3"), endpoint("api"), node.data().display());
    let web = endpoint("web");
    let mut text = format!(
        "Stead is up.\n\n  data  {data}\n  S3    {s3}\n  API   {api}\n  web   {web}\n  IPFS  {}\n",
        endpoint("ipfs")
    );
    text.push_str(&format!(
        "\nThe console, signed in (works once, for ten minutes; `stead console` prints another):\n\n  {}\n",
        node.console_link
    ));
    let key = &node.root.credential.access_key;
    if node.root.new {
        let secret = &node.root.credential.secret_key;
        text.push_str(&format!(
            "\nThe first access key (shown this once; `stead key create NAME` makes more):\n\
             \n  export AWS_ACCESS_KEY_ID={key}\
             \n  export AWS_SECRET_ACCESS_KEY={secret}\
             \n  export AWS_ENDPOINT_URL={s3} AWS_DEFAULT_REGION=us-east-1\n\
             \nThen, for example:\n\
             \n  aws s3 mb s3://photos && aws s3 sync Pictures s3://photos\
             \n  rclone lsd \":s3,provider=Other,env_auth=true,endpoint='{s3}':\"\n"
        ));
    } else {
        text.push_str(&format!(
            "\nThe first access key is {key}; its secret is in {data}/root.json.\n"
        ));
    }
    let flag = if directory::default_path() == node.data() {
        String::new()
    } else {
        format!(" --data {data}")
    };
    text.push_str(&format!(
        "\nIn another terminal:\n\n  stead{flag} bucket create films\n  stead{flag} cp FILE films/\n  stead{flag} status\n\nCtrl-C stops it.\n"
    ));
    output::print(&text);
}
