//! Bound addresses: TCP, or a Unix socket that only the owner can open.

use std::fs::Permissions;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

/// Connections that may wait to be accepted; the system's own limit holds where it is lower. With the usual
/// 128 a burst of clients loses SYNs and stalls for a second at a time.
const BACKLOG: u32 = 4096;

/// A bound address.
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

/// A new connection.
pub(super) enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl Listener {
    /// Binds a TCP address; port 0 takes a free one.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // A restart is not kept waiting by connections of before that are still closing.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self(Kind::Tcp(socket.listen(BACKLOG)?)))
    }

    /// Binds a Unix socket, mode 0600. A stale socket file is replaced; one that somebody answers on is
    /// `AddrInUse`. The file is removed when the listener is dropped.
    pub async fn unix(path: &Path) -> io::Result<Self> {
        match UnixStream::connect(path).await {
            Ok(_) => return Err(io::ErrorKind::AddrInUse.into()),
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) => {}
            Err(e) => return Err(e),
        }
        // Bound under another name and renamed, so that nobody can connect before the mode is set.
        let fresh = path.with_extension("new");
        remove(&fresh)?;
        let listener = UnixListener::bind(&fresh)?;
        std::fs::set_permissions(&fresh, Permissions::from_mode(0o600))?;
        std::fs::rename(&fresh, path)?;
        Ok(Self(Kind::Unix(listener, path.to_owned())))
    }

    /// The bound TCP address; `None` for a Unix socket.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.0 {
            Kind::Tcp(listener) => listener.local_addr().ok(),
            Kind::Unix(..) => None,
        }
    }

    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match &self.0 {
            Kind::Tcp(listener) => {
                let (stream, remote) = listener.accept().await?;
                // Without this a small answer can wait for the client's delayed ACK (40 ms).
                stream.set_nodelay(true)?;
                Ok(Accepted::Tcp(stream, remote))
            }
            Kind::Unix(listener, _) => Ok(Accepted::Unix(listener.accept().await?.0)),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Kind::Unix(_, path) = &self.0 {
            // A leftover is replaced at the next start.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
