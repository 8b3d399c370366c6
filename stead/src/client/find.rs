//! Where the node is: in a data directory, at a URL, or nowhere (then the directory itself is read).

use super::{Client, Local};
use crate::args::Global;
use crate::codes;
use crate::directory::{self, Directory};
use crate::failure::Failure;
use crate::node::offline;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stead_client::Key;

/// What a command needs of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Only reading: the directory will do.
    Read,
    /// A running node.
    Node,
}

/// Finds the node, or opens the directory.
pub async fn find(global: &Global, needs: Needs) -> Result<Client, Failure> {
    match place(global)? {
        Place::Server(url) => server(global, &url).await,
        Place::Directory(path) => in_directory(&path, needs).await,
    }
}

enum Place {
    Server(String),
    Directory(PathBuf),
}

/// What was typed wins over what the environment says; between equals, the directory.
fn place(global: &Global) -> Result<Place, Failure> {
    let typed = |name: &str, value: &std::ffi::OsStr| std::env::var_os(name).is_none_or(|var| var != value);
    match (&global.data, &global.server) {
        (Some(data), Some(url)) => {
            let data_typed = typed("STEAD_DATA", data.as_os_str());
            let server_typed = typed("STEAD_SERVER", url.as_ref());
            match (data_typed, server_typed) {
                (true, true) => Err(Failure::usage(
                    "--data and --server name two nodes: give one of them",
                )),
                (false, true) => Ok(Place::Server(url.clone())),
                _ => Ok(Place::Directory(data.clone())),
            }
        }
        (Some(data), None) => Ok(Place::Directory(data.clone())),
        (None, Some(url)) => Ok(Place::Server(url.clone())),
        (None, None) => Ok(Place::Directory(directory::default_path())),
    }
}

async fn server(global: &Global, url: &str) -> Result<Client, Failure> {
    let authority = authority(url)?;
    let (Some(access_key), Some(secret_key)) = (&global.access_key, &global.secret_key) else {
        return Err(Failure::usage("--server needs an access key and its secret")
            .next("give --access-key and --secret-key, or set STEAD_ACCESS_KEY and STEAD_SECRET_KEY"));
    };
    let key = Key::new(access_key, &secret_key.0);
    let client = stead_client::Client::at_address(&authority, key)
        .await
        .map_err(|e| unreachable(&format!("http://{authority}"), &e))?;
    Ok(Client::new(client, authority))
}

fn unreachable(place: &str, error: &std::io::Error) -> Failure {
    Failure::new(codes::NOT_RUNNING, format!("no node answers at {place}: {error}"))
}

/// `HOST:PORT` of a URL.
fn authority(url: &str) -> Result<String, Failure> {
    let rest = match url.split_once("://") {
        Some(("http", rest)) => rest,
        Some((scheme, _)) => {
            return Err(Failure::usage(format!(
                "{scheme}:// is not spoken here: give --server http://HOST:PORT"
            )));
        }
        None => url,
    };
    let authority = rest.trim_end_matches('/');
    if authority.is_empty() || authority.contains(['/', '@', '?']) {
        return Err(Failure::usage(format!(
            "{url:?} does not name a node: give --server http://HOST:PORT"
        )));
    }
    let port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Ok(if port {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    })
}

async fn in_directory(path: &Path, needs: Needs) -> Result<Client, Failure> {
    if !directory::is_stead(path)? {
        return Err(Failure::new(
            codes::NO_DIRECTORY,
            format!("no Stead data in {}", path.display()),
        ));
    }
    let identity = path
        .canonicalize()
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string();
    let socket = directory::socket(path);
    match stead_client::Client::at_socket(&socket).await {
        Ok(client) => return Ok(Client::new(client, identity)),
        // A socket that was left in a directory which is not writable any more refuses its owner, too; the lock
        // says whether anybody is behind it.
        Err(error)
            if error.kind() == std::io::ErrorKind::PermissionDenied
                && (needs == Needs::Node || !directory::is_own(path)) =>
        {
            return Err(unreachable(&socket.display().to_string(), &error)
                .next("run the command as the user who runs the node"));
        }
        Err(_) if needs == Needs::Node => {
            return Err(
                Failure::new(codes::NOT_RUNNING, format!("no node runs on {}", path.display()))
                    .next(format!("start it with `stead up --data {}`", path.display())),
            );
        }
        Err(_) => {}
    }
    let held = Directory::open(path).map_err(|failure| {
        if failure.is(codes::LOCKED) {
            Failure {
                message: format!("{}, which does not answer on its socket", failure.message),
                ..failure
            }
            .next("if it is starting, wait a moment; if it hangs, stop it, then repeat the command")
        } else {
            failure
        }
    })?;
    let api = offline::open(held).await?;
    let local = stead_client::Client::new(Arc::new(Local(Box::new(api))));
    Ok(Client::new(local, identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart_or_refused() {
        assert_eq!(authority("http://127.0.0.1:7301/").unwrap(), "127.0.0.1:7301");
        assert_eq!(authority("stead.home:7301").unwrap(), "stead.home:7301");
        assert_eq!(authority("http://stead.home").unwrap(), "stead.home:80");
        for bad in ["https://x:1", "http://", "http://x/y", "http://u@x"] {
            assert!(authority(bad).unwrap_err().is(codes::USAGE), "{bad}");
        }
    }
}
