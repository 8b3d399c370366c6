//! The simulation: nodes that crash and come back, networks that break, clients that write and read, and what must hold.

use crate::disk::{Applied, Disk, Machine, Types};
use crate::net::Net;
use crate::runtime::Ordered;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::{Config, EmptyNode, Raft, ReadPolicy, ServerState, SnapshotPolicy};
use openraft_rt::deterministic_rng::DeterministicRng;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use stead_plan::votes;
use stead_sim::Draw;
use tokio::time::Instant;

/// How long faults go on, and how long everything has to come together after that.
const FAULTS_MS: u64 = 20_000;
const HEAL_MS: u64 = 12_000;

/// A lie, so that it is known that the checks can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// Disks say that they have synced what they have not.
    LyingDisk,
}

/// What came of a seed.
#[derive(Debug, Default)]
pub struct Told {
    pub trace: Vec<String>,
    pub broken: Vec<String>,
    pub written: u64,
    pub terms: u64,
    pub crashes: u64,
}

type Engine = Raft<Types, Machine>;

struct Node {
    disk: Disk,
    machine: Machine,
    raft: Option<Engine>,
    /// It neither votes nor stands for election until then: it may have promised so before it was started.
    promised: Option<Instant>,
}

struct State {
    draw: Draw,
    spoil: Option<Spoil>,
    begun: Instant,
    nodes: BTreeMap<u64, Node>,
    /// Messages from one to the other do not arrive.
    cut: BTreeSet<(u64, u64)>,
    healed: bool,
    told: Told,
    leaders: BTreeMap<u64, u64>,
    /// What clients were told is written: by value, the entry's term and index.
    acked: BTreeMap<u64, (u64, u64)>,
}

/// Shared by all tasks of one thread.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

impl World {
    fn note(&self, what: &str) {
        let mut state = self.0.lock();
        let now = state.begun.elapsed().as_millis();
        state.told.trace.push(format!("{now:>6} {what}"));
    }

    fn broken(&self, what: String) {
        self.note(&format!("BROKEN {what}"));
        self.0.lock().told.broken.push(what);
    }

    fn below(&self, bound: u64) -> u64 {
        self.0.lock().draw.below(bound)
    }

    pub fn spoil(&self) -> Option<Spoil> {
        self.0.lock().spoil
    }

    /// How long a sync takes: mostly moments.
    pub fn sync_ms(&self) -> u64 {
        let mut state = self.0.lock();
        match state.draw.below(50) {
            0 => state.draw.from_to(20, 400),
            _ => state.draw.from_to(0, 8),
        }
    }

    /// How late a message arrives, if it does.
    pub fn message(&self, from: u64, to: u64) -> Option<Duration> {
        let mut state = self.0.lock();
        let lost = !state.healed && state.draw.below(200) == 0;
        let late = match state.draw.below(40) {
            0 => state.draw.from_to(30, 500),
            _ => state.draw.from_to(0, 12),
        };
        (!lost && !state.cut.contains(&(from, to))).then(|| Duration::from_millis(late))
    }

    pub fn runs(&self, node: u64) -> bool {
        self.raft(node).is_some()
    }

    pub fn raft(&self, node: u64) -> Option<Engine> {
        self.0.lock().nodes.get(&node)?.raft.clone()
    }

    /// The engine, if it may vote.
    pub fn votes(&self, node: u64) -> Option<Engine> {
        let state = self.0.lock();
        let node = state.nodes.get(&node)?;
        let promised = node.promised.is_some_and(|until| Instant::now() < until);
        node.raft.clone().filter(|_| !promised)
    }

    /// Starts a node on what its disk has.
    async fn start(&self, number: u64) {
        let (disk, again) = {
            let state = self.0.lock();
            (
                state.nodes[&number].disk.clone(),
                state.begun.elapsed() > Duration::ZERO,
            )
        };
        let config = Config {
            heartbeat_interval: votes::HEARTBEAT_MS,
            election_timeout_min: votes::ELECTION_MS.0,
            election_timeout_max: votes::ELECTION_MS.1,
            snapshot_policy: SnapshotPolicy::Never,
            enable_leader_restore: Some(false),
            ..Config::default()
        };
        let net = Net {
            from: number,
            world: self.clone(),
        };
        let machine = Machine::default();
        let config = Arc::new(config.validate().unwrap());
        let begun = Raft::new(number, config, net, disk, machine.clone()).await;
        let raft = match begun {
            Ok(raft) => raft,
            Err(error) => return self.broken(format!("n{number} does not start: {error}")),
        };
        let promised = again.then(|| Instant::now() + Duration::from_millis(votes::ELECTION_MS.1));
        if let Some(until) = promised {
            raft.runtime_config().elect(false);
            let raft = raft.clone();
            tokio::spawn(async move {
                tokio::time::sleep_until(until).await;
                raft.runtime_config().elect(true);
            });
        }
        self.note(&format!("n{number} starts"));
        let mut state = self.0.lock();
        if let Some(node) = state.nodes.get_mut(&number) {
            (node.raft, node.machine, node.promised) = (Some(raft), machine, promised);
        }
    }

    async fn crash(&self, number: u64) {
        let raft = {
            let mut state = self.0.lock();
            let Some(node) = state.nodes.get_mut(&number) else {
                return;
            };
            node.disk.crash();
            node.raft.take()
        };
        if let Some(raft) = raft {
            self.note(&format!("n{number} crashes"));
            self.0.lock().told.crashes += 1;
            // It is gone whatever it says of its end.
            let _ = raft.shutdown().await;
        }
    }

    fn numbers(&self) -> Vec<u64> {
        self.0.lock().nodes.keys().copied().collect()
    }

    /// Looks who leads: one a term.
    fn watch(&self) {
        for number in self.numbers() {
            let Some(raft) = self.raft(number) else { continue };
            let (term, state) = {
                let metrics = raft.metrics();
                let metrics = metrics.borrow_watched();
                (metrics.current_term, metrics.state)
            };
            if state != ServerState::Leader {
                continue;
            }
            let known = self.0.lock().leaders.insert(term, number);
            match known {
                None => self.note(&format!("n{number} leads term {term}")),
                Some(other) if other != number => {
                    self.broken(format!("n{other} and n{number} both led term {term}"));
                }
                Some(_) => {}
            }
        }
    }

    /// Writes a value through a node, and notes whether it was told that it is written.
    async fn write(self, number: u64, value: u64) {
        let Some(raft) = self.raft(number) else { return };
        let written = tokio::time::timeout(Duration::from_secs(5), raft.client_write(value)).await;
        if let Ok(Ok(answer)) = written {
            let at = (*answer.log_id.leader_id, answer.log_id.index);
            self.note(&format!("{value} is entry {} of term {}", at.1, at.0));
            self.0.lock().acked.insert(value, at);
        }
    }

    /// Asks a node how far a read has to be: no less far than what was acknowledged before it was asked.
    async fn read(self, number: u64) {
        let Some(raft) = self.raft(number) else { return };
        let acked = self.0.lock().acked.values().map(|(_, index)| *index).max();
        let asked = raft.get_read_log_id(ReadPolicy::LeaseRead);
        let answer = tokio::time::timeout(Duration::from_secs(5), asked).await;
        let Ok(Ok(read)) = answer else { return };
        let read = read.0.index();
        if acked.is_some_and(|acked| read < acked) {
            self.broken(format!(
                "n{number} answers a read at {read} after {acked:?} was acknowledged"
            ));
        }
    }

    /// One fault, or the end of some.
    async fn fault(&self) {
        let numbers = self.numbers();
        let some = numbers[self.below(numbers.len() as u64) as usize];
        match self.below(10) {
            0..=2 => self.crash(some).await,
            3..=5 => {
                for number in numbers {
                    if !self.runs(number) {
                        self.start(number).await;
                    }
                }
            }
            6 => {
                let side = self.below(1 << numbers.len());
                let on = |number: u64| side >> (number - 1) & 1;
                let apart = |one: u64, other: u64| on(one) != on(other);
                let cut = pairs(&numbers)
                    .filter(|(one, other)| apart(*one, *other))
                    .collect();
                self.note(&format!("apart: {side:b}"));
                self.0.lock().cut = cut;
            }
            7 => {
                let others = numbers.iter().filter(|other| **other != some);
                let one_way = others.map(|other| {
                    if side_of(some) {
                        (some, *other)
                    } else {
                        (*other, some)
                    }
                });
                let cut = one_way.collect();
                self.note(&format!("n{some} is cut off one way"));
                self.0.lock().cut = cut;
            }
            _ => {
                self.note("together");
                self.0.lock().cut.clear();
            }
        }
    }

    /// Everything comes together: all have applied the same, and all that was acknowledged.
    fn check(&self) {
        let state = self.0.lock();
        let machines: BTreeMap<u64, Arc<Mutex<Applied>>> = state
            .nodes
            .iter()
            .map(|(number, node)| (*number, node.machine.0.clone()))
            .collect();
        let acked = state.acked.clone();
        drop(state);
        let first = machines[&1].lock().values.clone();
        for (number, machine) in &machines {
            let own = machine.lock();
            if own.values != first {
                self.broken(format!(
                    "n{number} has applied {} values, n1 {}",
                    own.values.len(),
                    first.len()
                ));
            }
        }
        let there: BTreeMap<u64, (u64, u64)> = first
            .iter()
            .map(|(term, index, value)| (*value, (*term, *index)))
            .collect();
        if there.len() != first.len() {
            self.broken("a value was applied twice".to_owned());
        }
        for (value, at) in &acked {
            if there.get(value) != Some(at) {
                self.broken(format!(
                    "{value} was acknowledged as {at:?} and is {:?}",
                    there.get(value)
                ));
            }
        }
    }

    /// What nodes have applied while they run: one's is the beginning of another's.
    fn check_prefixes(&self) {
        let applied: Vec<Vec<(u64, u64, u64)>> = {
            let state = self.0.lock();
            state
                .nodes
                .values()
                .map(|node| node.machine.0.lock().values.clone())
                .collect()
        };
        let Some(longest) = applied.iter().max_by_key(|values| values.len()) else {
            return;
        };
        if applied.iter().any(|values| longest[..values.len()] != values[..]) {
            self.broken("two nodes have applied different entries".to_owned());
        }
    }
}

fn side_of(number: u64) -> bool {
    number.is_multiple_of(2)
}

fn pairs(numbers: &[u64]) -> impl Iterator<Item = (u64, u64)> + '_ {
    let each = numbers
        .iter()
        .flat_map(|one| numbers.iter().map(move |other| (*one, *other)));
    each.filter(|(one, other)| one != other)
}

/// Runs a seed.
pub fn simulate(seed: u64, spoil: Option<Spoil>) -> Told {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let told = runtime.block_on(DeterministicRng::<Ordered>::scope(seed, go(seed, spoil)));
    drop(runtime);
    told
}

async fn go(seed: u64, spoil: Option<Spoil>) -> Told {
    let mut draw = Draw::new(seed);
    let count = if draw.percent(50) { 3 } else { 5 };
    let world = World(Arc::new(Mutex::new(State {
        draw,
        spoil,
        begun: Instant::now(),
        nodes: BTreeMap::new(),
        cut: BTreeSet::new(),
        healed: false,
        told: Told::default(),
        leaders: BTreeMap::new(),
        acked: BTreeMap::new(),
    })));
    for number in 1..=count {
        let node = Node {
            disk: Disk::new(&world),
            machine: Machine::default(),
            raft: None,
            promised: None,
        };
        world.0.lock().nodes.insert(number, node);
        world.start(number).await;
    }
    let members: BTreeMap<u64, EmptyNode> = (1..=count).map(|number| (number, EmptyNode {})).collect();
    world.raft(1).unwrap().initialize(members).await.unwrap();
    let (begun, mut value) = (Instant::now(), 0);
    let mut next_fault = 2_000;
    loop {
        let now = begun.elapsed().as_millis() as u64;
        if now >= FAULTS_MS + HEAL_MS {
            break;
        }
        if now >= FAULTS_MS && !world.0.lock().healed {
            world.note("all is healed");
            world.0.lock().cut.clear();
            world.0.lock().healed = true;
            for number in world.numbers() {
                if !world.runs(number) {
                    world.start(number).await;
                }
            }
        }
        if now < FAULTS_MS && now >= next_fault {
            world.fault().await;
            next_fault = now + 200 + world.below(1_500);
        }
        // No new entries in the last moments, so that all can have applied the same.
        if now < FAULTS_MS + HEAL_MS - 4_000 {
            value += 1;
            let number = 1 + world.below(count);
            tokio::spawn(DeterministicRng::<Ordered>::scope(
                value,
                world.clone().write(number, value),
            ));
            let number = 1 + world.below(count);
            tokio::spawn(DeterministicRng::<Ordered>::scope(
                value,
                world.clone().read(number),
            ));
        }
        world.watch();
        world.check_prefixes();
        tokio::time::sleep(Duration::from_millis(10 + world.below(40))).await;
    }
    world.check();
    let late = world
        .0
        .lock()
        .acked
        .values()
        .filter(|(_, index)| *index > 0)
        .count();
    world.note(&format!("{late} values were acknowledged"));
    for number in world.numbers() {
        world.crash(number).await;
    }
    let mut state = world.0.lock();
    let mut told = std::mem::take(&mut state.told);
    told.written = state.acked.len() as u64;
    told.terms = state.leaders.len() as u64;
    told
}
