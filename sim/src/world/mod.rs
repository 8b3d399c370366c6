//! The simulated cluster.
//!
//! Owns: time, messages and their delays, who reaches whom, disks, processes that stop and start. Promises: every event
//! happens at its time, those of one time in the order in which they were planned.

mod agree;
mod check;
mod event;
mod faults;
mod level;
mod node;
mod surplus;
mod trace;
mod view;
mod writes;

use crate::Draw;
use crate::schedule::{FAULTS_MS, HEAL_MS, Machine, Schedule};
use agree::Lead;
use check::Object;
use event::Event;
use node::Node;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use surplus::Trim;
use trace::Trace;
use view::{Agreed, Block, Member, View};
use writes::Write;

/// Between two looks of a node at what there is to do, in milliseconds.
const TICK: u64 = 5_000;
/// Between two looks of whoever leads.
const LEAD: u64 = 2_000;
/// Between two looks of the operator, and of the checker.
const OPERATE: u64 = 10_000;

/// A rule broken on purpose, so that it is known that the checks can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// Copies are given up without asking the owners.
    Unasked,
    /// Copies are promised by nodes that do not believe to be owners, and given up whatever changed since.
    Disbelief,
    /// Nodes look at nothing after they have started.
    Idle,
    /// A node may vote for ever, whoever it is, and a second one is let in without a third.
    EvenVoters,
}

/// What must not happen, and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule, in a word.
    pub rule: &'static str,
    /// When, in milliseconds.
    pub at_ms: u64,
    /// What happened.
    pub what: String,
}

/// What came of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What happened, a line each.
    pub trace: Vec<String>,
    /// What must not have.
    pub violation: Option<Violation>,
    /// Figures.
    pub counts: Counts,
}

/// Figures of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events.
    pub events: u64,
    /// Objects that were acknowledged, and that were refused.
    pub written: u64,
    /// Refused or left without an answer.
    pub refused: u64,
    /// Objects lost because more failed than they bear.
    pub borne_not: u64,
    /// Copies given up.
    pub given_up: u64,
    /// How often a stripe that moves bore less, for a while, than where it went to.
    pub thinned: u64,
    /// Versions of the membership.
    pub versions: u64,
    /// Reads that were tried while something had failed.
    pub probed: u64,
    /// Until all was where it belongs, after the faults ended.
    pub healed_ms: u64,
}

impl Counts {
    /// Adds another run's.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.written += other.written;
        self.refused += other.refused;
        self.borne_not += other.borne_not;
        self.given_up += other.given_up;
        self.thinned += other.thinned;
        self.versions += other.versions;
        self.probed += other.probed;
        self.healed_ms = self.healed_ms.max(other.healed_ms);
    }
}

/// A cluster as it goes on.
struct World {
    spoil: Option<Spoil>,
    draw: Draw,
    now: u64,
    queue: BTreeMap<(u64, u64), Event>,
    planned: u64,
    trace: Trace,
    nodes: Vec<Node>,
    machines: Vec<Machine>,
    waiting: Vec<Machine>,
    views: Vec<Rc<View>>,
    cuts: BTreeMap<u64, BTreeSet<(usize, usize)>>,
    lead: Option<Lead>,
    /// Nodes that the operator drains.
    drains: BTreeSet<usize>,
    objects: Vec<Object>,
    writes: Vec<Write>,
    trims: Vec<Trim>,
    violation: Option<Violation>,
    counts: Counts,
    healed: bool,
    done: bool,
}

/// Runs a schedule.
pub fn run(schedule: &Schedule, spoil: Option<Spoil>) -> Run {
    let mut world = World::new(schedule, spoil);
    world.go();
    Run {
        trace: world.trace.into_lines(),
        violation: world.violation,
        counts: world.counts,
    }
}

macro_rules! note {
    ($world:expr, $($what:tt)*) => {
        $world.trace.note($world.now, format_args!($($what)*))
    };
}
use note;

impl World {
    fn new(schedule: &Schedule, spoil: Option<Spoil>) -> Self {
        let mut agreed = Agreed {
            buckets: schedule.buckets.clone(),
            ..Agreed::default()
        };
        for (node, machine) in schedule.machines.iter().enumerate() {
            agreed.members.insert(node, member(node, machine));
        }
        agreed.voters = BTreeSet::from([0]);
        let mut world = Self {
            spoil,
            // Another sequence than the schedule's own.
            draw: Draw::new(schedule.seed ^ 0x5eed_5eed_5eed_5eed),
            now: 0,
            queue: BTreeMap::new(),
            planned: 0,
            trace: Trace::default(),
            nodes: Vec::new(),
            machines: schedule.machines.clone(),
            waiting: schedule.waiting.clone(),
            views: vec![Rc::new(View::new(0, agreed))],
            cuts: BTreeMap::new(),
            lead: None,
            drains: BTreeSet::new(),
            objects: Vec::new(),
            writes: Vec::new(),
            trims: Vec::new(),
            violation: None,
            counts: Counts::default(),
            healed: false,
            done: false,
        };
        for node in 0..schedule.machines.len() {
            world.nodes.push(Node::default());
            world.start(node);
        }
        world.plan(0, Event::Lead);
        world.plan(OPERATE, Event::Operate);
        world.plan(OPERATE, Event::Probe);
        for step in &schedule.steps {
            world.plan(step.at_ms, Event::Fault(step.what.clone()));
        }
        world
    }

    fn go(&mut self) {
        while let Some(((at, _), event)) = self.queue.pop_first() {
            self.now = at;
            if !self.healed && at >= FAULTS_MS {
                self.heal();
            }
            if at > FAULTS_MS + HEAL_MS && self.violation.is_none() {
                self.not_converged();
            }
            if self.violation.is_some() || self.done {
                return;
            }
            self.counts.events += 1;
            self.happens(event);
        }
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Fault(fault) => self.fault(fault),
            Event::Tick { node, start } => self.tick(node, start),
            Event::Lead => self.look(),
            Event::Operate => self.operate(),
            Event::Probe => self.probe(),
            Event::Learn { node, version } => self.learn(node, version),
            Event::Start { node } => self.start(node),
            Event::Rejoin { cut } => drop(self.cuts.remove(&cut)),
            Event::Put {
                from,
                to,
                blocks,
                write,
            } => self.put_arrives(from, to, blocks, write),
            Event::Stored {
                write,
                start,
                node,
                ok,
                blocks,
            } => self.stored(write, start, node, ok, blocks),
            Event::List { by, of, under } => self.list(by, of, under),
            Event::Arrive {
                by,
                of,
                under,
                blocks,
                rest,
            } => self.arrive(by, of, under, blocks, rest),
            Event::Made { by, block } => self.made(by, block),
            Event::Promise { trim } => self.promise(trim),
        }
    }

    /// Plans an event for so many milliseconds from now.
    fn plan(&mut self, in_ms: u64, event: Event) {
        self.planned += 1;
        self.queue.insert((self.now + in_ms, self.planned), event);
    }

    /// How long a message takes: mostly a moment, now and then seconds.
    fn delay(&mut self) -> u64 {
        match self.draw.below(100) {
            0 => self.draw.from_to(2_000, 12_000),
            1..=5 => self.draw.from_to(50, 2_000),
            _ => self.draw.from_to(1, 50),
        }
    }

    /// Whether two nodes can talk now.
    fn reaches(&self, one: usize, other: usize) -> bool {
        let up = |node: usize| self.nodes.get(node).is_some_and(|node| node.up);
        let pair = (one.min(other), one.max(other));
        up(one) && up(other) && (one == other || !self.cuts.values().any(|cut| cut.contains(&pair)))
    }

    /// Whether what a node had under way is still its own.
    fn goes_on(&self, (node, start): (usize, u32)) -> bool {
        self.nodes[node].up && self.nodes[node].start == start
    }

    fn latest(&self) -> Rc<View> {
        self.views[self.views.len() - 1].clone()
    }

    fn view_of(&self, node: usize) -> Rc<View> {
        self.views[self.nodes[node].knows].clone()
    }

    /// Who is to hold a block, as a version has it.
    fn owners(&self, view: &View, block: Block) -> Vec<usize> {
        let object = &self.objects[block.0];
        view.owners(object.bucket, block, &object.key)
    }

    fn start(&mut self, node: usize) {
        let own = &mut self.nodes[node];
        if own.dead || own.up {
            return;
        }
        own.up = true;
        own.start += 1;
        own.memory = node::Memory::default();
        let start = own.start;
        note!(self, "n{node} starts");
        let in_ms = self.draw.from_to(1, TICK);
        self.plan(in_ms, Event::Tick { node, start });
    }

    fn broken(&mut self, rule: &'static str, what: String) {
        note!(self, "BROKEN {rule}: {what}");
        self.violation.get_or_insert(Violation {
            rule,
            at_ms: self.now,
            what,
        });
    }
}

fn member(node: usize, machine: &Machine) -> Member {
    Member {
        name: format!("n{node}"),
        capacity: machine.capacity,
        domains: machine.domains.clone(),
        witness: machine.witness,
        ..Member::default()
    }
}
