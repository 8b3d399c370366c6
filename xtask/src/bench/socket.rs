//! The HTTP API over the socket in a data directory, where nobody has to sign in.

use crate::Outcome;
use serde_json::Value;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// How long an answer may take: the first publication of a large bucket is made while it is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A call of the API, its answer as JSON.
pub fn call(data: &Path, method: &str, path: &str, body: &str) -> Outcome<Value> {
    let mut stream = UnixStream::connect(data.join("stead.sock"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // In HTTP/1.0 an answer ends with the connection, without chunks.
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nhost: stead\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("an answer without a body")?;
    if !head
        .split(' ')
        .nth(1)
        .is_some_and(|status| status.starts_with('2'))
    {
        return Err(format!("{method} {path}: {head}\n{body}").into());
    }
    Ok(serde_json::from_str(body)?)
}
