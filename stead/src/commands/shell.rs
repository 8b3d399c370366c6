//! `completions` and `man`: made from the same definition as the command line itself.

use crate::args::{Cli, Completions, Man};
use crate::failure::{self, Failure};
use crate::output;
use clap::CommandFactory;
use clap_mangen::Man as Page;
use std::path::Path;

pub(super) fn completions(args: &Completions) -> Result<u8, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "stead", &mut text);
    output::print(&String::from_utf8_lossy(&text));
    Ok(failure::OK)
}

pub(super) fn man(args: &Man) -> Result<u8, Failure> {
    match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .and_then(|()| pages(dir, Cli::command().flatten_help(false), "stead"))
                .map_err(|e| Failure::io(format_args!("cannot write to {}", dir.display()), &e))?;
        }
        None => {
            let text = render(Cli::command()).map_err(|e| Failure::io("cannot write the page", &e))?;
            output::print(&String::from_utf8_lossy(&text));
        }
    }
    Ok(failure::OK)
}

fn render(command: clap::Command) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    Page::new(command).render(&mut text)?;
    Ok(text)
}

/// A page for a command and each below it: `stead.1`, `stead-log.1`, `stead-log-verify.1`.
fn pages(dir: &Path, command: clap::Command, name: &str) -> std::io::Result<()> {
    let below: Vec<_> = command.get_subcommands().cloned().collect();
    std::fs::write(
        dir.join(format!("{name}.1")),
        render(command.name(name.to_owned()))?,
    )?;
    for sub in below {
        let name = format!("{name}-{}", sub.get_name());
        pages(dir, sub, &name)?;
    }
    Ok(())
}
