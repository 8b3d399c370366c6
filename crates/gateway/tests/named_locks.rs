//! Named locks, on a log that goes on while whoever acquires one stands still.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use async_trait::async_trait;
use common::Node;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stead_event::Body;
use stead_event::body::{LockEnd, LockReleased};
use stead_gateway::locks::{LockRequest, LockService};
use stead_gateway::{Limits, ObjectError};
use stead_log::memory::MemoryLog;
use stead_log::{Append, Appended, Log, LogError};
use stead_view::Engine;

/// The first time that a lock is acquired, its lease runs out before the append returns, and another acquires it.
struct Overtaken {
    log: MemoryLog<Engine>,
    another: bool,
    yet: AtomicBool,
}

#[async_trait]
impl Log for Overtaken {
    async fn append(&self, append: Append) -> Result<Appended, LogError> {
        let (mut next, mut end) = (append.clone(), append.clone());
        let appended = self.log.append(append).await?;
        let Body::LockAcquired(acquired) = &mut next.events[0].body else {
            return Ok(appended);
        };
        if self.yet.swap(true, Ordering::SeqCst) {
            return Ok(appended);
        }
        (acquired.owner, acquired.request) = ("another".into(), "of another".into());
        end.require.clear();
        end.events[0].body = Body::from(LockReleased {
            name: acquired.name.clone(),
            token: appended.first,
            why: LockEnd::Expired,
            via: acquired.via.clone(),
        });
        self.log.append(end).await?;
        if self.another {
            self.log.append(next).await?;
        }
        Ok(appended)
    }

    async fn checkpoint(&self) -> Result<(), LogError> {
        self.log.checkpoint().await
    }
}

fn overtaken(another: bool) -> Node {
    Node::with_log(Limits::default(), |log| {
        let yet = AtomicBool::new(false);
        Arc::new(Overtaken { log, another, yet })
    })
}

fn wish(wait: Duration) -> LockRequest {
    LockRequest {
        name: "backup".into(),
        owner: "own".into(),
        request: "of one's own".into(),
        ttl_s: 3,
        wait,
    }
}

#[tokio::test]
async fn nobody_is_granted_the_token_of_another() {
    let node = overtaken(true);
    let locks = LockService::new(node.objects.clone());
    let taken = locks.acquire(wish(Duration::ZERO), &node.caller()).await;
    assert!(matches!(taken, Err(ObjectError::LockTaken { .. })), "{taken:?}");
    assert_eq!(locks.lock("backup").unwrap().owner, "another");
}

#[tokio::test]
async fn a_lock_that_was_lost_before_it_was_answered_is_acquired_again() {
    let node = overtaken(false);
    let locks = LockService::new(node.objects.clone());
    let held = locks
        .acquire(wish(Duration::from_secs(10)), &node.caller())
        .await
        .unwrap();
    assert_eq!(held.owner, "own");
    assert_eq!(locks.lock("backup").unwrap().token, held.token);
}
