//! Two ends of one TCP connection of this machine to itself, for measuring what that carries.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// A connection over loopback: both ends of it. Nobody else got in between: the ports are compared.
///
/// # Errors
/// Where loopback cannot be listened on, or another program connected first.
pub fn loopback() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    let (other, from) = listener.accept()?;
    if from != one.local_addr()? {
        return Err(io::Error::other("another program connected to the port first"));
    }
    Ok((one, other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn what_goes_in_comes_out() {
        let (mut one, mut other) = loopback().expect("connected");
        one.write_all(b"there").expect("written");
        drop(one);
        let mut text = String::new();
        other.read_to_string(&mut text).expect("read");
        assert_eq!(text, "there");
    }
}
