//! The first events of a node: that it started, and the root access key.

use crate::codes;
use crate::directory::{Directory, RootCredential};
use crate::failure::Failure;
use stead_event::body::{NodeStarted, Scope};
use stead_event::{Body, Principal, Tenant, Via};
use stead_gateway::objects::{KeyRequest, Objects};
use stead_gateway::{Caller, Identity, WriteContext};
use stead_log::{Append, Draft};

/// The name that the root access key's user has in the log.
const NAME: &str = "root";

/// The root access key.
pub struct Root {
    /// Access key and secret.
    pub credential: RootCredential,
    /// Whether this start made it.
    pub new: bool,
}

/// The root access key: the one that is kept, or a new one where none is.
pub(super) async fn credential(directory: &Directory, write: &WriteContext) -> Result<Root, Failure> {
    if let Some(credential) = directory.root_credential()? {
        return Ok(Root {
            credential,
            new: false,
        });
    }
    let via = Via {
        protocol: "start".into(),
        ..Via::default()
    };
    let caller = Caller::new(Identity::local(&Principal::node().0), via);
    let request = KeyRequest {
        name: NAME.into(),
        scope: Scope::default(),
        given: None,
    };
    let made = Objects::new(write.clone())
        .create_key(request, caller)
        .await
        .map_err(|e| Failure::new(codes::START, format!("the first access key cannot be made: {e}")))?;
    let credential = RootCredential {
        access_key: made.access_key,
        secret_key: made.secret_key,
    };
    directory.keep_root_credential(&credential)?;
    Ok(Root {
        credential,
        new: true,
    })
}

/// Says in `system` that this node opened its log for the first time.
pub(super) async fn first_event(write: &WriteContext) -> Result<(), Failure> {
    if write.tail.head(&Tenant::system()).seq > 0 {
        return Ok(());
    }
    let started = NodeStarted {
        node: write.node.clone(),
        release: env!("CARGO_PKG_VERSION").into(),
    };
    append(write, Tenant::system(), Vec::new(), started.into())
        .await
        .map_err(|e| Failure::new(codes::START, format!("the first event cannot be written: {e}")))
}

/// Appends one event of the node's own.
pub(super) async fn append(
    write: &WriteContext,
    tenant: Tenant,
    require: Vec<stead_log::Precondition>,
    body: Body,
) -> Result<(), stead_log::LogError> {
    let draft = Draft {
        actor: Principal::node(),
        at: write.now(),
        body,
        cause: None,
        id: write.event_id(),
    };
    let append = Append {
        node: None,
        tenant,
        require,
        events: vec![draft],
        blocks: Vec::new(),
    };
    write.log().append(append).await.map(|_| ())
}
