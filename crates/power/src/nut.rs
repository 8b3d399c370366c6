//! A client of NUT's server `upsd`.
//!
//! Source: RFC 9271, sections 4.2 (commands) and 4.3 (errors): lines of words over TCP, port 3493; a list is between
//! `BEGIN LIST …` and `END LIST …`; values are in double quotes, in which `\` stands before `"` and `\`.
//! Promises: one connection a reading, of [`PATIENCE`](crate::source::PATIENCE) in all and
//! [`MAX_REPLY_BYTES`](crate::source::MAX_REPLY_BYTES) in all. A UPS whose data are stale, whose driver is away, or that is not listed any more is
//! unknown, with the server's word for it.
//! Never: sets a variable or sends an instant command.

mod session;

use crate::error::{PowerError, Why, quote};
use crate::http::with_port;
use crate::source::{Found, patiently};
use crate::ups::{Supply, Ups};
use session::{Session, quoted, word, words};
use std::fmt;
use std::str::FromStr;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_another_command_is_refused() {
        assert!(Nut::new("10.0.0.4", Some(("ana".into(), "a\nFSD rack".into()))).is_err());
        assert!(Nut::new("10.0.0.4\nFSD", None).is_err());
        assert!(word("rack\nFSD").is_err());
        assert_eq!(Nut::new("fd00::4", None).unwrap().name(), "nut [fd00::4]:3493");
    }
}
