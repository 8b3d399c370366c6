//! HTTP/1.1 as a plain client needs it: one connection kept alive, one request at a time, every length checked.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer's status line and headers.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// 200, 404, …
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Bytes from the start of the answer to the start of its body.
    pub length: usize,
}

impl Head {
    /// Reads a head; `None` where its end has not arrived yet.
    pub fn parse(bytes: &[u8]) -> io::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return Ok(None);
        };
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "not an HTTP/1.1 answer");
        let text = std::str::from_utf8(&bytes[..end]).map_err(|_| wrong())?;
        let mut lines = text.split("\r\n");
        let status = lines
            .next()
            .and_then(|line| line.strip_prefix("HTTP/1.1 "))
            .ok_or_else(wrong)?;
        let status = status
            .get(..3)
            .and_then(|code| code.parse().ok())
            .ok_or_else(wrong)?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':').ok_or_else(wrong)?;
            Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers = lines.map(header).collect::<io::Result<_>>()?;
        Ok(Some(Self {
            status,
            headers,
            length: end + 4,
        }))
    }

    /// A header's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A whole answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Status and headers.
    pub head: Head,
    /// All of the body.
    pub body: Vec<u8>,
}

/// One connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects; `patience` bounds every single read and write.
    pub fn open(address: SocketAddr, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, patience)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self {
            stream,
            buffer: Vec::new(),
        })
    }

    /// Sends a request and reads its whole answer. `bodiless` is for HEAD.
    pub fn call(&mut self, head: &[u8], body: &[u8], bodiless: bool) -> io::Result<Answer> {
        self.stream.write_all(head)?;
        self.stream.write_all(body)?;
        self.answer(bodiless)
    }

    /// Reads one answer.
    pub fn answer(&mut self, bodiless: bool) -> io::Result<Answer> {
        self.buffer.clear();
        let head = loop {
            match Head::parse(&self.buffer)? {
                Some(head) if head.status == 100 => drop(self.buffer.drain(..head.length)),
                Some(head) => break head,
                None => self.fill()?,
            }
        };
        let mut body = self.buffer.split_off(head.length);
        if bodiless || head.status == 204 || head.status == 304 {
            return Ok(Answer {
                head,
                body: Vec::new(),
            });
        }
        if head
            .get("transfer-encoding")
            .is_some_and(|value| value.eq_ignore_ascii_case("chunked"))
        {
            std::mem::swap(&mut self.buffer, &mut body);
            let body = self.chunked()?;
            return Ok(Answer { head, body });
        }
        let length: usize = head
            .get("content-length")
            .and_then(|value| value.parse().ok())
            .unwrap_or(0);
        let have = body.len();
        body.resize(length.max(have), 0);
        self.stream.read_exact(&mut body[have..])?;
        Ok(Answer { head, body })
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut piece = [0_u8; 16 * 1024];
        match self.stream.read(&mut piece)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.buffer.extend_from_slice(&piece[..count]);
                Ok(())
            }
        }
    }

    fn chunked(&mut self) -> io::Result<Vec<u8>> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "not a chunk");
        let mut body = Vec::new();
        loop {
            let end = loop {
                match self.buffer.windows(2).position(|two| two == b"\r\n") {
                    Some(end) => break end,
                    None => self.fill()?,
                }
            };
            let size = std::str::from_utf8(&self.buffer[..end]).map_err(|_| wrong())?;
            let size = size.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| wrong())?;
            while self.buffer.len() < end + 2 + size + 2 {
                self.fill()?;
            }
            body.extend_from_slice(&self.buffer[end + 2..end + 2 + size]);
            self.buffer.drain(..end + 2 + size + 2);
            if size == 0 {
                return Ok(body);
            }
        }
    }
}
