//! Why a verdict is what it is: a chain from what fails to what comes of it.
//!
//! Owns: the sentences. Promises: each link of the chain follows from those before it.

use super::bits::Bits;
use super::failure::Failure;
use super::graph::Broken;
use super::judge::{Forecaster, Moment};
use super::verdict::Verdict;
use crate::interval::Interval;
use crate::lab::{Resolved, ThingId, ThingKind};
use crate::votes;
use serde::Serialize;

/// What a reason is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonKind {
    /// What fails.
    Fails,
    /// What has no power because of it.
    NoPower,
    /// What runs on its battery.
    OnBattery,
    /// A battery is empty.
    BatteryEmpty,
    /// Who does not reach the others.
    CutOff,
    /// Nobody can reach the cluster.
    Unreachable,
    /// Whether enough voters are together.
    Votes,
    /// What is left of copies.
    Copies,
    /// There is no place for all copies.
    NoPlace,
    /// The way to the internet is cut.
    NoInternet,
    /// What nothing is left in reserve of.
    NoReserve,
}

/// A link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// What it is about.
    pub kind: ReasonKind,
    /// In words.
    pub text: String,
}

impl Reason {
    fn new(kind: ReasonKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
        }
    }

    /// When these batteries are empty.
    pub(super) fn empty(lab: &Resolved, upses: &[ThingId], minutes: Option<Interval>) -> Self {
        let names: Vec<&str> = upses.iter().map(|ups| lab.thing(*ups).name.as_str()).collect();
        let (names, is) = (listed(&names), if names.len() == 1 { "is" } else { "are" });
        let text = match minutes {
            Some(minutes) => format!("{names} {is} empty after {minutes:.0} minutes"),
            None => format!("{names} {is} empty, after a time that is not known"),
        };
        Self::new(ReasonKind::BatteryEmpty, text)
    }
}

/// Names for a sentence: `a, b and c`; not more than a dozen.
pub(super) fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 12;
    match names {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        _ if names.len() > SHOWN => {
            format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN)
        }
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// A chain in one line.
pub fn line(chain: &[Reason], verdict: Verdict) -> String {
    let texts = chain.iter().map(|reason| reason.text.as_str());
    texts.chain([verdict.words()]).collect::<Vec<_>>().join(" → ")
}

/// From what failed to what comes of it, at a moment.
pub(super) fn chain(
    at: &Forecaster<'_>,
    failures: &[Failure],
    (broken, now): (&Broken, &Moment),
    whole: &Moment,
) -> Vec<Reason> {
    let mut chain: Vec<Reason> = Vec::new();
    if !failures.is_empty() {
        let all: Vec<String> = failures.iter().map(|failure| failure.happens(at.lab)).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        chain.push(Reason::new(ReasonKind::Fails, listed(&all)));
    }
    chain.extend(power(at, broken, now, whole));
    chain.extend(network(at, now));
    let decides = now.votes >= votes::quorum(at.voters.count());
    let all_vote = now.votes == at.voters.count();
    if !all_vote || !decides {
        let (votes, of) = (now.votes, at.voters.count());
        let needed = votes::quorum(of);
        let text = match decides {
            true => format!("{votes} of {of} voters are together, which is enough"),
            false => format!("{votes} of {of} voters together, {needed} needed"),
        };
        chain.push(Reason::new(ReasonKind::Votes, text));
    }
    chain.extend(copies(at, now, decides));
    let had_internet = |moment: &Moment| at.graph.uplinks.iter().any(|switch| moment.alive.has(*switch));
    if had_internet(whole) && !had_internet(now) {
        chain.push(Reason::new(
            ReasonKind::NoInternet,
            "there is no way to the internet",
        ));
    }
    if now.verdict == Verdict::Safe {
        chain.extend(reserve(at, failures));
    }
    chain
}

fn named<'a>(at: &'a Forecaster<'_>, things: impl Iterator<Item = usize>) -> Vec<&'a str> {
    things.map(|thing| at.lab.things[thing].name.as_str()).collect()
}

fn power(at: &Forecaster<'_>, broken: &Broken, now: &Moment, whole: &Moment) -> Vec<Reason> {
    let dark =
        |thing: &usize| whole.alive.has(*thing) && !now.alive.has(*thing) && !broken.things.has(*thing);
    let kinds = |thing: &usize| matches!(at.lab.things[*thing].kind, ThingKind::Switch | ThingKind::Node);
    let dark: Vec<&str> = named(at, (0..at.lab.things.len()).filter(dark).filter(kinds));
    let mut reasons = Vec::new();
    if !dark.is_empty() {
        let has = if dark.len() == 1 { "has" } else { "have" };
        let text = format!("{} {has} no power", listed(&dark));
        reasons.push(Reason::new(ReasonKind::NoPower, text));
    }
    let without = at.graph.alive(broken, false);
    for ups in now.alive.iter().filter(|ups| !without.has(*ups)) {
        let thing = &at.lab.things[ups];
        if thing.kind == ThingKind::Ups {
            let text = match at.minutes(ThingId(ups)) {
                Some(minutes) => format!("{} runs on its battery for {minutes:.0} minutes", thing.name),
                None => format!("{} runs on its battery, for a time that is not known", thing.name),
            };
            reasons.push(Reason::new(ReasonKind::OnBattery, text));
        }
    }
    reasons
}

fn network(at: &Forecaster<'_>, now: &Moment) -> Option<Reason> {
    let up: Vec<usize> = (0..at.graph.members.len())
        .filter(|member| now.alive.has(at.graph.members[*member]))
        .collect();
    let thing = |member: &usize| at.graph.members[*member];
    if !up.is_empty() && !now.reached {
        let text = match at.graph.switched() {
            true => format!("nobody reaches {}", listed(&named(at, up.iter().map(thing)))),
            false => "nobody reaches the cluster".to_owned(),
        };
        return Some(Reason::new(ReasonKind::Unreachable, text));
    }
    let away: Vec<usize> = up
        .iter()
        .copied()
        .filter(|member| !now.together.has(*member))
        .collect();
    if away.is_empty() {
        return None;
    }
    let text = match now.together.count() {
        0 | 1 => format!(
            "{} cannot reach each other",
            listed(&named(at, up.iter().map(thing)))
        ),
        _ => {
            let is = if away.len() == 1 { "is" } else { "are" };
            let away = listed(&named(at, away.iter().map(thing)));
            format!("{away} {is} cut off from the others")
        }
    };
    Some(Reason::new(ReasonKind::CutOff, text))
}

fn copies(at: &Forecaster<'_>, now: &Moment, decides: bool) -> Vec<Reason> {
    let mut reasons = Vec::new();
    for (family, left) in at.families.iter().zip(&now.left) {
        let what = format!("{} ({})", family.names.join(", "), family.policy);
        let piece = if family.policy.to_read() > 1 {
            "pieces"
        } else {
            "copies"
        };
        let (read, kind) = (family.policy.to_read(), ReasonKind::Copies);
        if !family.has_place() {
            let (most, wanted) = (family.most, family.policy.stored());
            let text = format!("{what} takes {wanted} disks, and there are {most}");
            reasons.push(Reason::new(ReasonKind::NoPlace, text));
        } else if left.gone {
            let text = match left.kept {
                0 => format!("of some of {what} no copy is left"),
                kept => format!("of some of {what} {kept} {piece} are left, {read} needed to read it"),
            };
            reasons.push(Reason::new(kind, text));
        } else if left.unread && decides {
            let text = format!(
                "of some of {what} {} {piece} are there now, {read} needed to read it",
                left.now
            );
            reasons.push(Reason::new(kind, text));
        } else if left.unwritten && left.alone && decides {
            let text = format!("{what} is written on several machines, and one alone is there");
            reasons.push(Reason::new(kind, text));
        } else if left.unwritten && decides {
            let text = format!(
                "of some of {what} {} of {} {piece} are there, and writing takes {}",
                left.now, left.of, left.to_write
            );
            reasons.push(Reason::new(kind, text));
        } else if left.fewer && decides {
            let text = format!("of some of {what} {} of {} {piece} are there", left.now, left.of);
            reasons.push(Reason::new(kind, text));
        }
    }
    reasons
}

/// What has nothing left in reserve, though all goes on.
fn reserve(at: &Forecaster<'_>, failures: &[Failure]) -> Option<Reason> {
    let mut members = Bits::none(at.lab.things.len());
    at.graph.members.iter().for_each(|member| members.set(*member));
    let names = failures.iter().filter_map(|failure| match failure {
        Failure::Supply { device, .. } => Some((*device, "power supply")),
        Failure::Card { node, .. } => Some((*node, "network card")),
        Failure::Battery(ups) => Some((*ups, "")),
        _ => None,
    });
    let texts: Vec<String> = names
        .filter(|(thing, what)| what.is_empty() || members.has(thing.0))
        .map(|(thing, what)| {
            let name = &at.lab.thing(thing).name;
            match what {
                "" => format!("{name} carries nothing through a power cut"),
                what => format!("{name} goes on with another {what}"),
            }
        })
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    (!texts.is_empty()).then(|| Reason::new(ReasonKind::NoReserve, listed(&texts)))
}
