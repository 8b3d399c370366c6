//! What every log driver must do; each driver's tests call [`log_conformance`].
//!
//! The driver is built over a [`Ledger`], a machine small enough to see through: it knows buckets, keeps the
//! chain in memory, and counts what it is asked to do.

use crate::{
    Append, Appended, Committed, Draft, Log, LogError, Machine, MachineError, Marker, Outcome, Precondition,
    Rejection,
};
use bytes::Bytes;
use futures::future::join_all;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use stead_event::body::{BucketCreated, BucketDeleted, Ext};
use stead_event::{Body, EventId, Ipld, Position, Principal, Tenant, Timestamp, Via, cids};

/// What the machine under the driver has seen.
#[derive(Debug, Default)]
pub struct LedgerState {
    /// Every accepted event's id, in order, by tenant.
    pub events: BTreeMap<Tenant, Vec<EventId>>,
    /// The buckets there are.
    pub buckets: BTreeSet<String>,
    /// Blocks that came with accepted appends.
    pub blocks: u64,
    /// How often a checkpoint was asked for.
    pub checkpoints: u64,
    /// The marker of the last entry.
    pub marker: Marker,
    /// Entries that came out of order or twice; must stay zero.
    pub disorder: u64,
}

/// A machine in memory. Clones share their state.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<LedgerState>>);

impl Ledger {
    /// Looks at the state.
    pub fn with<T>(&self, look: impl FnOnce(&LedgerState) -> T) -> T {
        look(&self.0.lock())
    }
}

impl LedgerState {
    fn holds(&self, tenant: &Tenant, require: &Precondition) -> bool {
        match require {
            Precondition::BucketExists(bucket) => self.buckets.contains(bucket),
            Precondition::BucketAbsent(bucket) => !self.buckets.contains(bucket),
            Precondition::LogAt(position) => self.end(tenant) == *position,
            _ => true,
        }
    }

    fn end(&self, tenant: &Tenant) -> Position {
        self.events
            .get(tenant)
            .map_or(0, |events| events.len() as Position)
    }

    fn accept(&mut self, append: Append) -> Outcome {
        if let Some(failed) = append
            .require
            .iter()
            .find(|require| !self.holds(&append.tenant, require))
        {
            return Err(Rejection(failed.clone()));
        }
        let first = self.end(&append.tenant) + 1;
        for draft in append.events {
            match draft.body {
                Body::BucketCreated(BucketCreated { bucket, .. }) => drop(self.buckets.insert(bucket)),
                Body::BucketDeleted(BucketDeleted { bucket, .. }) => drop(self.buckets.remove(&bucket)),
                _ => {}
            }
            self.events
                .entry(append.tenant.clone())
                .or_default()
                .push(draft.id);
        }
        self.blocks += append.blocks.len() as u64;
        Ok(Appended {
            first,
            last: self.end(&append.tenant),
        })
    }
}

impl Machine for Ledger {
    fn applied(&self) -> Marker {
        self.0.lock().marker.clone()
    }

    fn apply(&mut self, entries: Vec<Committed>) -> Result<Vec<Vec<Outcome>>, MachineError> {
        let mut state = self.0.lock();
        let mut outcomes = Vec::with_capacity(entries.len());
        for entry in entries {
            state.disorder += u64::from(entry.marker.index <= state.marker.index && state.marker.index > 0);
            state.marker = entry.marker;
            outcomes.push(
                entry
                    .appends
                    .into_iter()
                    .map(|append| state.accept(append))
                    .collect(),
            );
        }
        Ok(outcomes)
    }

    fn checkpoint(&mut self) -> Result<Marker, MachineError> {
        let mut state = self.0.lock();
        state.checkpoints += 1;
        Ok(state.marker.clone())
    }
}

/// An event whose id is made of `number`.
fn draft(number: u64, body: Body) -> Draft {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    let at = Timestamp::from_micros(1_700_000_000_000_000);
    let id = EventId::new(1_700_000_000_000 + number, random);
    Draft {
        actor: Principal("conformance".into()),
        at,
        body,
        cause: None,
        id,
    }
}

fn append(require: Vec<Precondition>, events: Vec<Draft>) -> Append {
    Append {
        node: None,
        tenant: Tenant::main(),
        require,
        events,
        blocks: Vec::new(),
    }
}

fn created(bucket: &str) -> Body {
    let via = Via {
        protocol: "test".into(),
        ..Via::default()
    };
    BucketCreated {
        owner: None,
        bucket: bucket.into(),
        via,
    }
    .into()
}

/// Runs every check; `make` builds a fresh driver over the machine that it is given.
///
/// # Panics
/// Where the driver does not do what [`Log`] promises.
pub async fn log_conformance<L, F>(make: impl Fn(Box<dyn Machine>) -> F)
where
    L: Log + ?Sized,
    F: Future<Output = Arc<L>>,
{
    let fresh = async || {
        let ledger = Ledger::default();
        (make(Box::new(ledger.clone())).await, ledger)
    };
    let (log, ledger) = fresh().await;
    positions_are_consecutive(&*log, &ledger).await;
    let (log, ledger) = fresh().await;
    a_rejected_append_leaves_nothing(&*log, &ledger).await;
    let (log, ledger) = fresh().await;
    what_is_not_valid_is_refused(&*log, &ledger).await;
    let (log, ledger) = fresh().await;
    of_racing_appends_one_wins(&*log, &ledger).await;
    let (log, ledger) = fresh().await;
    concurrent_appends_are_each_applied_once(&*log, &ledger).await;
    let (log, ledger) = fresh().await;
    a_checkpoint_reaches_the_machine(&*log, &ledger).await;
}

async fn positions_are_consecutive<L: Log + ?Sized>(log: &L, ledger: &Ledger) {
    let one = log
        .append(append(vec![], vec![draft(1, created("a"))]))
        .await
        .expect("a valid append");
    assert_eq!(one, Appended { first: 1, last: 1 });
    let three = vec![
        draft(2, created("b")),
        draft(3, created("c")),
        draft(4, created("d")),
    ];
    let mut batch = append(vec![], three);
    batch.blocks = vec![(cids::raw(b"x"), Bytes::from_static(b"x"))];
    assert_eq!(
        log.append(batch).await.expect("a valid append"),
        Appended { first: 2, last: 4 }
    );
    let mut other = append(vec![], vec![draft(5, created("e"))]);
    other.tenant = Tenant::system();
    assert_eq!(
        log.append(other).await.expect("a valid append"),
        Appended { first: 1, last: 1 }
    );
    // What has been answered is visible at once.
    ledger.with(|state| {
        assert_eq!(state.events[&Tenant::main()].len(), 4);
        assert_eq!(state.events[&Tenant::system()].len(), 1);
        assert_eq!((state.blocks, state.disorder, state.buckets.len()), (1, 0, 5));
    });
}

async fn a_rejected_append_leaves_nothing<L: Log + ?Sized>(log: &L, ledger: &Ledger) {
    let absent = Precondition::BucketExists("nowhere".into());
    let mut refused = append(
        vec![Precondition::LogAt(0), absent.clone()],
        vec![draft(1, created("a"))],
    );
    refused.blocks = vec![(cids::raw(b"x"), Bytes::from_static(b"x"))];
    match log.append(refused).await {
        Err(LogError::Rejected(Rejection(why))) => assert_eq!(why, absent),
        other => panic!("the precondition does not hold, but: {other:?}"),
    }
    ledger.with(|state| assert!(state.events.is_empty() && state.buckets.is_empty() && state.blocks == 0));
    let next = log
        .append(append(vec![Precondition::LogAt(0)], vec![draft(2, created("a"))]))
        .await;
    assert_eq!(
        next.expect("a valid append").first,
        1,
        "a rejection takes no position"
    );
}

async fn what_is_not_valid_is_refused<L: Log + ?Sized>(log: &L, ledger: &Ledger) {
    let empty = log.append(append(vec![], vec![])).await;
    assert!(matches!(empty, Err(LogError::Invalid(_))), "{empty:?}");
    let mut large = append(vec![], vec![draft(1, created("a"))]);
    large.blocks = vec![(
        cids::raw(b"x"),
        Bytes::from(vec![0; crate::command::INLINE_MAX + 1]),
    )];
    let large = log.append(large).await;
    assert!(matches!(large, Err(LogError::Invalid(_))), "{large:?}");
    let odd = Ext {
        body: Ipld::Float(f64::NAN),
        owner: "test".into(),
        version: 1,
    };
    let odd = log.append(append(vec![], vec![draft(2, odd.into())])).await;
    assert!(matches!(odd, Err(LogError::Invalid(_))), "{odd:?}");
    ledger.with(|state| assert!(state.events.is_empty()));
}

async fn of_racing_appends_one_wins<L: Log + ?Sized>(log: &L, ledger: &Ledger) {
    let free = || vec![Precondition::BucketAbsent("wanted".into())];
    let race = (0..32).map(|number| log.append(append(free(), vec![draft(number, created("wanted"))])));
    let outcomes = join_all(race).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let rejected = |outcome: &&Result<_, LogError>| matches!(outcome, Err(LogError::Rejected(_)));
    assert_eq!(outcomes.iter().filter(rejected).count(), 31);
    ledger.with(|state| assert_eq!(state.events[&Tenant::main()].len(), 1));
}

async fn concurrent_appends_are_each_applied_once<L: Log + ?Sized>(log: &L, ledger: &Ledger) {
    let pair = |number: u64| {
        vec![
            draft(2 * number, created("a")),
            draft(2 * number + 1, created("b")),
        ]
    };
    let appended = join_all((0..200).map(|number| log.append(append(vec![], pair(number))))).await;
    let mut taken = BTreeSet::new();
    ledger.with(|state| {
        let events = &state.events[&Tenant::main()];
        assert_eq!((events.len(), state.disorder), (400, 0));
        for (number, appended) in appended.into_iter().enumerate() {
            let Appended { first, last } = appended.expect("a valid append");
            assert_eq!(last, first + 1, "the events of one append are neighbours");
            assert!(
                taken.insert(first) && taken.insert(last),
                "each position is given once"
            );
            let ids: Vec<_> = pair(number as u64).into_iter().map(|draft| draft.id).collect();
            assert_eq!(events[first as usize - 1..last as usize], ids);
        }
    });
}

async fn a_checkpoint_reaches_the_machine<L: Log + ?Sized>(log: &L, ledger: &Ledger) {
    log.append(append(vec![], vec![draft(1, created("a"))]))
        .await
        .expect("a valid append");
    let before = ledger.with(|state| state.checkpoints);
    log.checkpoint().await.expect("a checkpoint");
    assert!(ledger.with(|state| state.checkpoints) > before);
    let next = log
        .append(append(vec![Precondition::LogAt(1)], vec![draft(2, created("b"))]))
        .await;
    assert_eq!(next.expect("appending goes on").first, 2);
}
