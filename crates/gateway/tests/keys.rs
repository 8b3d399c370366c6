//! Access keys through the real engine: made, used, limited, revoked.
#![allow(clippy::unwrap_used)] // in tests

mod common;

use common::{Node, frames};
use stead_event::body::Scope;
use stead_gateway::identity::CredentialError;
use stead_gateway::objects::{KeyRequest, ObjectError, PutRequest, Verify};

#[tokio::test]
async fn a_key_is_found_until_it_is_revoked() {
    let node = Node::with_bucket("bucket").await;
    let request = KeyRequest {
        name: "ben".into(),
        scope: Scope::default(),
        given: None,
    };
    let key = node.objects.create_key(request, node.caller()).await.unwrap();
    assert!(key.access_key.len() == 20 && key.access_key.starts_with("SD"));
    assert!(key.secret_key.len() == 40 && key.canonical_id.len() == 64);
    assert!(!format!("{key:?}").contains(&key.secret_key));
    let credentials = node.objects.context().credentials();
    for _ in 0..2 {
        let found = credentials.find(&key.access_key).unwrap();
        assert_eq!(
            (found.secret(), found.principal.0.as_str()),
            (key.secret_key.as_str(), "ben")
        );
    }
    node.objects
        .revoke_key(&key.access_key, node.caller())
        .await
        .unwrap();
    assert!(matches!(
        credentials.find(&key.access_key),
        Err(CredentialError::Unknown(_))
    ));
    let twice = node.objects.revoke_key(&key.access_key, node.caller()).await;
    assert!(matches!(twice, Err(ObjectError::NoSuchAccessKey(_))));
    let given = KeyRequest {
        name: "ben".into(),
        scope: Scope::default(),
        given: Some((key.access_key.clone(), key.secret_key.clone())),
    };
    let reused = node.objects.create_key(given, node.caller()).await;
    assert!(matches!(reused, Err(ObjectError::AccessKeyExists(_))));
}

#[tokio::test]
async fn a_scope_limits_what_a_key_may_do() {
    let node = Node::with_bucket("bucket").await;
    node.put("bucket", "k", b"x").await;
    let scope = Scope {
        read_only: true,
        buckets: vec!["bucket".into()],
    };
    let request = KeyRequest {
        name: "eve".into(),
        scope,
        given: None,
    };
    let key = node.objects.create_key(request, node.caller()).await.unwrap();
    let eve = node
        .objects
        .context()
        .credentials()
        .find(&key.access_key)
        .unwrap();
    let mut caller = node.caller();
    caller.identity = eve.clone();
    let put = PutRequest {
        caller: caller.clone(),
        ..node.put_request("bucket", "k")
    };
    let put = node.objects.put(put, frames(b"y", 1), Verify::default()).await;
    assert!(matches!(put, Err(ObjectError::Denied { .. })));
    let create = node.objects.create_bucket("another", caller.clone()).await;
    assert!(matches!(create, Err(ObjectError::Denied { .. })));
    let revoke = node.objects.revoke_key(&key.access_key, caller).await;
    assert!(matches!(revoke, Err(ObjectError::Denied { .. })));
    let mut request = node.request("bucket", "k");
    request.who = &eve;
    assert!(node.objects.head(&request).is_ok());
    request.bucket = "another";
    assert!(matches!(
        node.objects.head(&request),
        Err(ObjectError::Denied { .. })
    ));
}
