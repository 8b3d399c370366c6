//! `config edit`: the shared document in an editor, until it is taken or given up.

use super::{change, current, wanted};
use crate::args::Global;
use crate::client::Client;
use crate::codes;
use crate::failure::{self, Failure};
use crate::output;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

/// Begins lines that are not of the document.
const NOTE: &str = "#! ";
/// What is opened where nothing is shared yet.
const EMPTY: &str = "# Settings that all nodes share. `stead config show` lists them; a node's own stead.toml wins.\n# [gc]\n# retention_days = 30\n";

pub(super) async fn edit(global: &Global, client: &Client, message: &str) -> Result<u8, Failure> {
    let now = current(client).await?;
    let failed = |e: std::io::Error| Failure::io(format_args!("cannot edit the document"), &e);
    let file = tempfile::Builder::new()
        .suffix(".toml")
        .tempfile()
        .map_err(failed)?;
    let mut text = match now.document.as_str() {
        "" => EMPTY.to_owned(),
        document => document.to_owned(),
    };
    loop {
        std::fs::write(file.path(), &text).map_err(failed)?;
        open(file.path())?;
        let edited = std::fs::read_to_string(file.path()).map_err(failed)?;
        if edited == text {
            output::line("nothing was changed");
            return Ok(failure::OK);
        }
        let kept: Vec<&str> = edited.lines().filter(|line| !line.starts_with(NOTE)).collect();
        let document = kept.join("\n") + "\n";
        match change(global, client, wanted(&now, document.clone(), message)).await {
            // Whoever else changed it is not written over: the edit is to be made again.
            Err(refused) if refused.code == codes::CONFIG.to_string() => {
                let why = refused.message.lines().map(|line| format!("{NOTE}{line}\n"));
                text = why.collect::<String>() + &document;
            }
            done => return done,
        }
    }
}

/// Runs the editor and waits for it.
fn open(path: &Path) -> Result<(), Failure> {
    let said = ["VISUAL", "EDITOR"].into_iter().filter_map(std::env::var_os);
    let mut named = said.filter(|editor| !editor.is_empty());
    let editor = named.next().unwrap_or_else(|| OsString::from("vi"));
    // As git and others run it: through the shell, for it may have arguments.
    let status = Command::new("sh")
        .arg("-c")
        .arg(format!("{} \"$1\"", editor.to_string_lossy()))
        .arg("editor")
        .arg(path)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(
            codes::LOCAL_FILE,
            format!("the editor ended with {status}; nothing was changed"),
        )),
        Err(e) => Err(Failure::io(
            format_args!("cannot run {}", editor.to_string_lossy()),
            &e,
        )),
    }
}
