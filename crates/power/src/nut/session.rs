//! One connection to `upsd`: commands, answers, lists, and how words are quoted.

use super::Nut;
use crate::error::{Why, quote};
use crate::source::MAX_REPLY_BYTES;
use crate::ups::Ups;
use std::collections::BTreeMap;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Take};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// A connection.
pub(super) struct Session {
    lines: BufReader<Take<OwnedReadHalf>>,
    out: OwnedWriteHalf,
}

/// Server's words that are about one UPS, and not about what was asked.
const SILENT: &[(&str, &str)] = &[
    ("DATA-STALE", "its data are stale: the driver has no word from it"),
    ("DRIVER-NOT-CONNECTED", "its driver does not run"),
    ("UNKNOWN-UPS", "it was taken away while it was asked"),
];

impl Session {
    pub(super) async fn open(nut: &Nut) -> Result<Self, Why> {
        let stream = TcpStream::connect(&nut.place).await?;
        stream.set_nodelay(true)?;
        let (from, out) = stream.into_split();
        let most = u64::try_from(MAX_REPLY_BYTES).unwrap_or(u64::MAX);
        Ok(Self {
            lines: BufReader::new(from.take(most)),
            out,
        })
    }

    /// Says goodbye. Nothing hangs on the answer.
    pub(super) async fn close(mut self) {
        let _ = self.out.write_all(b"LOGOUT\n").await;
    }

    async fn line(&mut self) -> Result<String, Why> {
        let mut bytes = Vec::new();
        self.lines.read_until(b'\n', &mut bytes).await?;
        if bytes.pop() != Some(b'\n') {
            let full = self.lines.get_ref().limit() == 0;
            return Err(if full {
                Why::TooLong(MAX_REPLY_BYTES)
            } else {
                Why::Unreachable("it hung up".into())
            });
        }
        Ok(String::from_utf8_lossy(&bytes).trim_end_matches('\r').to_owned())
    }

    /// Sends a command and takes the first line of the answer, which is no error.
    pub(super) async fn ask(&mut self, command: &str) -> Result<String, Why> {
        self.out.write_all(format!("{command}\n").as_bytes()).await?;
        let line = self.line().await?;
        match line.strip_prefix("ERR ") {
            None => Ok(line),
            Some(error) => Err(refused(error)),
        }
    }

    /// A list, each line without the words that all have.
    pub(super) async fn list(&mut self, what: &str) -> Result<Vec<Vec<String>>, Why> {
        let begin = self.ask(&format!("LIST {what}")).await?;
        if begin != format!("BEGIN LIST {what}") {
            return Err(Why::answer(quote(&begin)));
        }
        let (end, own) = (format!("END LIST {what}"), words(what)?);
        let mut list = Vec::new();
        loop {
            let line = self.line().await?;
            if line == end {
                return Ok(list);
            }
            let line = words(&line)?;
            let rest = line.strip_prefix(own.as_slice());
            let rest = rest.ok_or_else(|| Why::answer(quote(&line.join(" "))))?;
            list.push(rest.to_vec());
        }
    }

    pub(super) async fn ups(&mut self, name: &str) -> Result<Ups, Why> {
        let listed = match self.list(&format!("VAR {name}")).await {
            Ok(listed) => listed,
            Err(Why::Answer(error)) => {
                let why = SILENT.iter().find(|(word, _)| error == *word);
                return match why {
                    Some((_, why)) => Ok(Ups::unknown(name, *why)),
                    None => Err(Why::Answer(error)),
                };
            }
            Err(why) => return Err(why),
        };
        let mut variables = BTreeMap::new();
        for line in listed {
            let [variable, value] = line.as_slice() else {
                return Err(Why::answer(format!(
                    "a variable listed as {}",
                    quote(&line.join(" "))
                )));
            };
            variables.insert(variable.clone(), value.clone());
        }
        Ok(Ups::judge(name, &variables))
    }
}

/// An error of the server's. Its first word is the kind.
fn refused(error: &str) -> Why {
    let kind = error.split_whitespace().next().unwrap_or_default();
    match kind {
        "ACCESS-DENIED" | "INVALID-USERNAME" | "INVALID-PASSWORD" | "USERNAME-REQUIRED"
        | "PASSWORD-REQUIRED" => Why::Login(format!("it says {kind}")),
        known if SILENT.iter().any(|(word, _)| *word == known) => Why::Answer(known.to_owned()),
        _ => Why::Answer(format!("error {}", quote(error))),
    }
}

/// A name that may be a word of a command: what the server listed is not sent back unseen.
pub(super) fn word(text: &str) -> Result<&str, Why> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if text.is_empty() || !text.chars().all(fits) {
        return Err(Why::answer(format!(
            "{} is no name of a UPS or variable",
            quote(text)
        )));
    }
    Ok(text)
}

pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The words of a line, without their quotes.
pub(super) fn words(line: &str) -> Result<Vec<String>, Why> {
    let mut words = Vec::new();
    let mut left = line.chars().peekable();
    while let Some(first) = left.next() {
        if first.is_whitespace() {
            continue;
        }
        let in_quotes = first == '"';
        let mut word = String::new();
        if !in_quotes {
            word.push(first);
        }
        let mut closed = !in_quotes;
        while let Some(next) = left.next() {
            match next {
                '\\' => word.extend(left.next()),
                '"' if in_quotes => {
                    closed = true;
                    break;
                }
                space if space.is_whitespace() && !in_quotes => break,
                other => word.push(other),
            }
        }
        if !closed {
            return Err(Why::answer(format!(
                "a quote that does not end in {}",
                quote(line)
            )));
        }
        words.push(word);
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lose_their_quotes() {
        let split = |line| words(line).unwrap();
        assert_eq!(
            split("VAR rack ups.mfr \"A P C\""),
            ["VAR", "rack", "ups.mfr", "A P C"]
        );
        assert_eq!(
            split(r#"UPS rack "the \"big\" one \\ left""#)[2],
            r#"the "big" one \ left"#
        );
        assert_eq!(split("VAR rack ups.id \"\""), ["VAR", "rack", "ups.id", ""]);
        assert_eq!(split("  OK  "), ["OK"]);
        assert!(words("VAR rack ups.mfr \"APC").is_err());
        assert_eq!(split(&format!("PASSWORD {}", quoted(r#"a"\b"#)))[1], r#"a"\b"#);
    }
}
