//! Counts leases while this node leads, and ends those that have run out.
//!
//! Promises: a lock is taken from a holder only by an append that was put in order in the very term in which its lease
//! was counted. So a leader that was paused, or cut off, ends nothing that its successor has heard of.

use super::deadlines::{Deadlines, Held};
use crate::WriteContext;
use async_trait::async_trait;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;
use stead_event::body::{LockEnd, LockReleased};
use stead_event::{Body, Position, Principal, Tenant, Via};
use stead_log::{Append, Draft, Leases, LogError, Precondition, Renewal};
use stead_view::{LockRecord, ViewError};

/// Between two looks at the leases.
const TICK: Duration = Duration::from_millis(500);

/// Counts leases. One for each node.
pub struct LeaseKeeper {
    context: WriteContext,
    deadlines: Mutex<Deadlines>,
}

fn held(lock: LockRecord) -> Held {
    (lock.name, (lock.token, Duration::from_secs(lock.ttl_s)))
}

fn unavailable(error: ViewError) -> LogError {
    LogError::Unavailable(error.to_string())
}

impl LeaseKeeper {
    /// Over a context.
    pub fn new(context: WriteContext) -> Arc<Self> {
        Arc::new(Self {
            context,
            deadlines: Mutex::default(),
        })
    }

    /// Ends leases that have run out, as long as this node leads; for ever.
    pub async fn run(self: Arc<Self>) {
        loop {
            tokio::time::sleep(TICK).await;
            if let Err(error) = self.tick().await {
                tracing::warn!(%error, "leases of locks are counted on");
            }
        }
    }

    /// How long a lease goes on without a sign of life; `None` where another node counts.
    pub fn left(&self, name: &str, token: Position) -> Option<Duration> {
        self.context.log().term()?;
        let now = self.context.clock.instant();
        self.deadlines.lock().left(name, token, now)
    }

    async fn tick(&self) -> Result<(), ViewError> {
        let Some(term) = self.context.log().term() else {
            return Ok(());
        };
        let locks = self.context.views.locks()?.held()?;
        let now = self.context.clock.instant();
        let due = self.deadlines.lock().due(term, now, locks.into_iter().map(held));
        for (name, token) in due {
            match self.end(term, &name, token).await {
                Ok(()) => tracing::info!(lock = name, token, "a lock's lease has run out"),
                Err(error) => {
                    tracing::debug!(lock = name, %error, "a lock whose lease has run out stays for now");
                    self.deadlines.lock().resume(term, &name, token);
                }
            }
        }
        Ok(())
    }

    async fn end(&self, term: u64, name: &str, token: Position) -> Result<(), LogError> {
        let context = &self.context;
        let released = LockReleased {
            name: name.to_owned(),
            token,
            why: LockEnd::Expired,
            via: Via {
                protocol: "lease".into(),
                ..Via::default()
            },
        };
        let draft = Draft {
            actor: Principal::node(),
            at: context.now(),
            body: Body::from(released),
            cause: None,
            id: context.event_id(),
        };
        let name = name.to_owned();
        let append = Append {
            node: None,
            tenant: Tenant::main(),
            require: vec![Precondition::Term(term), Precondition::LockHeld { name, token }],
            events: vec![draft],
            blocks: Vec::new(),
        };
        context.log().append(append).await.map(drop)
    }
}

#[async_trait]
impl Leases for LeaseKeeper {
    async fn renew(&self, renewal: &Renewal) -> Result<bool, LogError> {
        let log = self.context.log();
        let not_leading = || LogError::Unavailable("this node does not lead".into());
        let term = log.term().ok_or_else(not_leading)?;
        // From here on until the end this node leads, or the answer counts for nothing: whoever leads later begins
        // the lease anew after it.
        let began = self.context.clock.instant();
        log.caught_up().await?;
        if log.term() != Some(term) {
            return Err(not_leading());
        }
        let lock = self
            .context
            .views
            .locks()
            .and_then(|locks| locks.lock(&renewal.name));
        let lock = lock
            .map_err(unavailable)?
            .filter(|lock| lock.token == renewal.token);
        let lock = lock.filter(|lock| renewal.of.as_ref().is_none_or(|user| lock.user == *user));
        Ok(lock.is_some_and(|lock| self.deadlines.lock().renew(term, began, held(lock))))
    }
}
