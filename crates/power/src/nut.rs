//! A client of NUT's server `upsd`.
//!
//! Source: RFC 9271, sections 4.2 (commands) and 4.3 (errors): lines of words over TCP, port 3493; a list is between
//! `BEGIN LIST …` and `END LIST …`; values are in double quotes, in which `\` stands before `"` and `\`.
//! Promises: one connection a reading, of [`PATIENCE`](crate::source::PATIENCE) in all and
//! [`MAX_REPLY_BYTES`] in all. A UPS whose data are stale, whose driver is away, or that is not listed any more is
//! unknown, with the server's word for it.
//! Never: sets a variable or sends an instant command.

use crate::error::{PowerError, Why, quote};
use crate::http::with_port;
use crate::source::{Found, MAX_REPLY_BYTES, patiently};
use crate::ups::{Supply, Ups};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Take};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// `upsd`'s port (IANA: nut).
pub const PORT: u16 = 3493;

/// UPSes of one server; a server that names more is refused.
const MAX_UPSES: usize = 64;

/// A server, and who to log in as.
#[derive(Clone, PartialEq, Eq)]
pub struct Nut {
    place: String,
    login: Option<(String, String)>,
}

impl fmt::Debug for Nut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nut({})", self.place)
    }
}

impl Nut {
    /// The server at `HOST[:PORT]`. Reading needs no login unless the server is set up so.
    ///
    /// # Errors
    /// Where that is no address, or the login has a character that the protocol has no way to say.
    pub fn new(host: &str, login: Option<(String, String)>) -> Result<Self, PowerError> {
        let name = format!("nut {host}");
        let fits = |c: char| c.is_ascii_alphanumeric() || ".-_:[]".contains(c);
        if host.is_empty() || !host.chars().all(fits) {
            return Err(Why::Address(format!("{} is not HOST or HOST:PORT", quote(host))).at("nut"));
        }
        let plain = |text: &String| !text.is_empty() && !text.chars().any(char::is_control);
        if login
            .iter()
            .any(|(user, password)| !plain(user) || !plain(password))
        {
            return Err(Why::Login("the user's name or password is empty or not a line".into()).at(name));
        }
        Ok(Self {
            place: with_port(host, PORT),
            login,
        })
    }

    /// How readings and errors call it.
    pub fn name(&self) -> String {
        format!("nut {}", self.place)
    }

    /// Every UPS of the server.
    ///
    /// # Errors
    /// Where the server itself cannot be spoken to. That one of its UPSes is silent is no error, but
    /// [`Supply::Unknown`](crate::Supply::Unknown).
    pub async fn read(&self) -> Result<Vec<Ups>, PowerError> {
        patiently(self.exchange())
            .await
            .map_err(|why| why.at(self.name()))
    }

    /// What the server calls itself: the answer to `VER`.
    ///
    /// # Errors
    /// As [`Nut::read`].
    pub async fn version(&self) -> Result<String, PowerError> {
        let asked = async {
            let mut session = Session::open(self).await?;
            let version = session.ask("VER").await;
            session.close().await;
            version
        };
        patiently(asked).await.map_err(|why| why.at(self.name()))
    }

    /// One variable of one UPS.
    ///
    /// # Errors
    /// As [`Nut::read`], and where the UPS has none of that name or is stale.
    pub async fn variable(&self, ups: &str, variable: &str) -> Result<String, PowerError> {
        let asked = async {
            let command = format!("GET VAR {} {}", word(ups)?, word(variable)?);
            let mut session = Session::open(self).await?;
            let line = session.ask(&command).await?;
            session.close().await;
            match words(&line)?.as_slice() {
                [kind, of, name, value] if kind == "VAR" && of == ups && name == variable => {
                    Ok(value.clone())
                }
                _ => Err(Why::answer(quote(&line))),
            }
        };
        patiently(asked).await.map_err(|why: Why| why.at(self.name()))
    }

    async fn exchange(&self) -> Result<Vec<Ups>, Why> {
        let mut session = Session::open(self).await?;
        if let Some((user, password)) = &self.login {
            session.ask(&format!("USERNAME {}", quoted(user))).await?;
            session.ask(&format!("PASSWORD {}", quoted(password))).await?;
        }
        let listed = session.list("UPS").await?;
        let mut upses = Vec::new();
        for line in listed {
            let [name, _] = line.as_slice() else {
                return Err(Why::answer(format!("a UPS listed as {}", quote(&line.join(" ")))));
            };
            if upses.len() == MAX_UPSES {
                return Err(Why::answer(format!("more than {MAX_UPSES} UPSes")));
            }
            upses.push(session.ups(word(name)?).await?);
        }
        session.close().await;
        Ok(upses)
    }
}

impl FromStr for Nut {
    type Err = PowerError;

    /// `[USER:PASSWORD@]HOST[:PORT]`
    fn from_str(text: &str) -> Result<Self, PowerError> {
        let (login, host) = match text.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, text),
        };
        let login = login.map(|login| {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            (user.to_owned(), password.to_owned())
        });
        Self::new(host, login)
    }
}

/// What of UPSes are powers. An unknown one has none.
pub(crate) fn found(upses: &[Ups]) -> Result<Vec<Found>, Why> {
    let mut found = Vec::new();
    for ups in upses {
        if let Some(doubt) = ups.doubts.iter().find(|doubt| doubt.starts_with("ups.")) {
            return Err(Why::absurd(format!("a variable of {}", ups.name), doubt));
        }
        if ups.watts.is_some() && !matches!(ups.supply, Supply::Unknown(_)) {
            found.push(Found {
                device: ups.name.clone(),
                watts: ups.watts,
                energy_wh: None,
                part_of: None,
            });
        }
    }
    Ok(found)
}

/// A connection.
struct Session {
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
    async fn open(nut: &Nut) -> Result<Self, Why> {
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
    async fn close(mut self) {
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
    async fn ask(&mut self, command: &str) -> Result<String, Why> {
        self.out.write_all(format!("{command}\n").as_bytes()).await?;
        let line = self.line().await?;
        match line.strip_prefix("ERR ") {
            None => Ok(line),
            Some(error) => Err(refused(error)),
        }
    }

    /// A list, each line without the words that all have.
    async fn list(&mut self, what: &str) -> Result<Vec<Vec<String>>, Why> {
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

    async fn ups(&mut self, name: &str) -> Result<Ups, Why> {
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
fn word(text: &str) -> Result<&str, Why> {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    if text.is_empty() || !text.chars().all(fits) {
        return Err(Why::answer(format!(
            "{} is no name of a UPS or variable",
            quote(text)
        )));
    }
    Ok(text)
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The words of a line, without their quotes.
fn words(line: &str) -> Result<Vec<String>, Why> {
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

    #[test]
    fn what_would_be_another_command_is_refused() {
        assert!(Nut::new("10.0.0.4", Some(("ana".into(), "a\nFSD rack".into()))).is_err());
        assert!(Nut::new("10.0.0.4\nFSD", None).is_err());
        assert!(word("rack\nFSD").is_err());
        assert_eq!(Nut::new("fd00::4", None).unwrap().name(), "nut [fd00::4]:3493");
    }
}
