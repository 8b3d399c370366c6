//! One call of the lock workload: what is sent for it, and what its answer says.

use super::super::registers::{body, value};
use super::super::{Field, Tally};
use super::{BUCKET, name};
use crate::chaos::lock::TTL_S;
use crate::chaos::lock::history::{Call, Kind, Outcome};
use crate::client::{CallError, Client};
use crate::http::Answer;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a client waits for a lock that it asks for, beyond what it asked the node to wait.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a holder waits for the answer to a sign of life: another node may answer sooner.
const HURRY: Duration = Duration::from_millis(1_500);

/// What a call came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// As the history has it.
    To(Outcome),
    /// Somebody else has the lock, or nobody had it who could lose it.
    Refused,
    /// Nothing was asked, or nothing was learned.
    Nothing,
}

/// Asks every node, and keeps what it was answered.
pub struct Asker<'a> {
    field: &'a Field,
    number: u16,
    objects: Vec<Client>,
    patient: Vec<Client>,
    hurried: Vec<Client>,
    /// Every call.
    pub calls: Vec<Call>,
    /// What came of them.
    pub tally: Tally,
}

impl<'a> Asker<'a> {
    /// Client `number`.
    pub fn new(field: &'a Field, number: u16) -> Self {
        Self {
            field,
            number,
            objects: field.clients(),
            patient: field.api_clients(PATIENCE),
            hurried: field.api_clients(HURRY),
            calls: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// One call at one node; answers also the token of the lock it was about. `wait_s` is of acquisitions.
    pub fn ask(&mut self, door: usize, lock: u8, kind: Kind, token: u64, wait_s: u64) -> (Came, u64) {
        let client = match kind {
            Kind::Write(_) | Kind::Read => &mut self.objects[door],
            Kind::Renew => &mut self.hurried[door],
            Kind::Acquire(_) | Kind::Release | Kind::Break => &mut self.patient[door],
        };
        if client.connect().is_err() {
            self.tally.refused += 1;
            return (Came::Nothing, token);
        }
        let invoked_ns = self.field.clock.now_ns();
        let answer = send(client, self.number, lock, kind, token, wait_s);
        let returned_ns = self.field.clock.now_ns();
        let (came, token) = self.understand(lock, kind, token, answer);
        match came {
            Came::To(Outcome::Unknown) => self.tally.unknown += 1,
            Came::To(_) => self.tally.done += 1,
            Came::Refused | Came::Nothing => self.tally.refused += 1,
        }
        if let Came::To(outcome) = came {
            self.calls.push(Call {
                lock,
                client: self.number,
                node: self.field.doors[door].0,
                kind,
                token,
                outcome,
                invoked_ns,
                returned_ns,
            });
        }
        (came, token)
    }

    fn understand(
        &mut self,
        lock: u8,
        kind: Kind,
        token: u64,
        answer: Result<Answer, CallError>,
    ) -> (Came, u64) {
        let open = match kind {
            Kind::Read => Came::Nothing,
            _ => Came::To(Outcome::Unknown),
        };
        let Ok(answer) = answer else {
            return (open, token);
        };
        let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let code = problem["code"].as_str().unwrap_or_default();
        let done = Came::To(Outcome::Done(0));
        let came = match (answer.head.status, kind) {
            (201, Kind::Acquire(_)) => match problem["token"].as_u64() {
                Some(granted) => return (done, granted),
                None => self.strange(lock, kind, &answer, open),
            },
            (200, Kind::Renew) if problem["token"].as_u64() == Some(token) => done,
            (204, Kind::Release | Kind::Break) | (200, Kind::Write(_)) => done,
            (200, Kind::Read) => match value(&answer.body) {
                Some(found) => Came::To(Outcome::Done(found)),
                None => self.strange(lock, kind, &answer, open),
            },
            (404, Kind::Read) if String::from_utf8_lossy(&answer.body).contains("<Code>NoSuchKey</Code>") => {
                done
            }
            (412, Kind::Write(_)) => Came::To(Outcome::Lost),
            (409, Kind::Renew | Kind::Release) if code == "STEAD-0126" => Came::To(Outcome::Lost),
            (409, Kind::Acquire(_)) if code == "STEAD-0125" => Came::Refused,
            (404, Kind::Break) if code == "STEAD-0127" => Came::Refused,
            (409, Kind::Break) if code == "STEAD-0126" => Came::Refused,
            (500.., _) => {
                self.tally.note(&answer);
                open
            }
            // The clock of the node, or a conflict of writes: refused before anything was done.
            (403, _) | (409, Kind::Write(_)) => {
                self.tally.note(&answer);
                Came::Nothing
            }
            _ => self.strange(lock, kind, &answer, open),
        };
        (came, token)
    }

    fn strange(&mut self, lock: u8, kind: Kind, answer: &Answer, came: Came) -> Came {
        self.tally.note(answer);
        let at_ms = self.field.clock.now_ns() / 1_000_000;
        let text: String = String::from_utf8_lossy(&answer.body).chars().take(400).collect();
        let status = answer.head.status;
        self.field.finding(format!(
            "at {at_ms} ms {}: {kind:?} was answered with {status}: {text}",
            name(lock)
        ));
        came
    }
}

fn send(
    client: &mut Client,
    number: u16,
    lock: u8,
    kind: Kind,
    token: u64,
    wait_s: u64,
) -> Result<Answer, CallError> {
    let (at_lock, at_object) = (
        format!("/api/v1/locks/{}", name(lock)),
        format!("/{BUCKET}/{}", name(lock)),
    );
    let json = [("content-type", "application/json")];
    match kind {
        Kind::Acquire(request) => {
            let owner = format!("client {number}");
            let wish =
                json!({"owner": owner, "request": format!("{request:x}"), "ttl_s": TTL_S, "wait_s": wait_s});
            client.send("POST", &at_lock, "", &json, wish.to_string().as_bytes())
        }
        Kind::Renew => {
            let body = json!({ "token": token }).to_string();
            client.send("PUT", &at_lock, "", &json, body.as_bytes())
        }
        Kind::Release => client.send("DELETE", &at_lock, &format!("fencing_token={token}"), &[], b""),
        Kind::Break => client.send("DELETE", &at_lock, "force=true", &[], b""),
        Kind::Write(value) => {
            let fence = format!("{}={token}", name(lock));
            client.send("PUT", &at_object, "", &[("x-stead-lock", &fence)], &body(value))
        }
        Kind::Read => client.send("GET", &at_object, "", &[], b""),
    }
}
