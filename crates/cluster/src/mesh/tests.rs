//! Two ends of the mesh on loopback: who may ask for what.

use super::wire::{Ask, JoinAsk, Reply};
use super::{Incarnation, Mesh, MeshError, MeshOptions, Service};
use async_trait::async_trait;
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stead_event::{NodeId, cids};
use stead_runtime::Tasks;

const LIMIT: Duration = Duration::from_secs(10);

/// Answers everything with "done", and takes everybody for a member or nobody.
struct Answers(AtomicBool);

#[async_trait]
impl Service for Answers {
    fn is_member(&self, _node: &NodeId) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn superseded(&self, _by: &NodeId, _why: &str) {
        self.0.store(false, Ordering::SeqCst);
    }

    async fn answer(&self, _from: NodeId, _ask: Ask) -> Reply {
        Reply::Done
    }
}

async fn mesh(key: u8) -> Arc<Mesh> {
    let options = MeshOptions {
        secret: [key; 32],
        listen: ([127, 0, 0, 1], 0).into(),
        tasks: Tasks::new(),
        incarnation: Incarnation::new(key.into()),
    };
    Mesh::start(options).await.expect("has a port")
}

fn knock(drawn: &str) -> Ask {
    Ask::Knock(JoinAsk {
        drawn: drawn.to_owned().into(),
        label: "attic".into(),
        addresses: Vec::new(),
        release: "0.1.0".into(),
        witness: false,
        facts: crate::types::Facts::default(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_may_knock_and_nothing_else() {
    let (member, stranger) = (mesh(1).await, mesh(2).await);
    let answers = Arc::new(Answers(AtomicBool::new(false)));
    member.serve(answers.clone());
    stranger.learn(member.own(), member.addresses());
    let to = member.own().clone();

    assert!(matches!(
        stranger.ask(&to, &knock("ABCDEF"), LIMIT).await,
        Ok(Reply::Done)
    ));
    let refused = stranger.ask(&to, &Ask::ReadIndex, LIMIT).await;
    assert!(matches!(refused, Err(MeshError::Refused { .. })), "{refused:?}");
    let long = stranger.ask(&to, &knock(&"A".repeat(100_000)), LIMIT).await;
    assert!(
        !matches!(long, Ok(Reply::Done)),
        "a stranger's message is short: {long:?}"
    );

    answers.0.store(true, Ordering::SeqCst);
    assert!(matches!(
        stranger.ask(&to, &Ask::ReadIndex, LIMIT).await,
        Ok(Reply::Done)
    ));
    let block = Bytes::from(vec![7; 1 << 20]);
    let blocks = Ask::Put(vec![(cids::raw(&block), block)]);
    assert!(matches!(stranger.ask(&to, &blocks, LIMIT).await, Ok(Reply::Done)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_address_with_another_key_behind_it_is_not_the_node() {
    let (there, asking) = (mesh(1).await, mesh(2).await);
    there.serve(Arc::new(Answers(AtomicBool::new(true))));
    let expected = mesh(3).await.own().clone();
    asking.learn(&expected, there.addresses());
    let asked = asking.ask(&expected, &Ask::ReadIndex, LIMIT).await;
    assert!(matches!(asked, Err(MeshError::Unreachable { .. })), "{asked:?}");
}
