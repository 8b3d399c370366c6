//! Setting another document of shared settings.

use crate::codes;
use crate::config::{changes, check};
use http::StatusCode;
use stead_client::wire;
use stead_gateway::{Caller, ObjectError, Objects, WriteContext};
use stead_gateway_api::ApiError;

/// Words of a message at most, in bytes.
const MESSAGE_BYTES: usize = 1024;

fn refused(why: String) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, codes::CONFIG, why)
        .next("docs/settings.md has every setting; `stead config show` those that count")
}

/// Checks a document, says what it changes, and sets it where something does.
pub(super) async fn set(
    write: &WriteContext,
    wanted: wire::SetConfig,
    caller: Caller,
) -> Result<wire::ConfigChanged, ApiError> {
    let new = check(&wanted.document).map_err(refused)?;
    if wanted.message.len() > MESSAGE_BYTES || wanted.message.chars().any(char::is_control) {
        return Err(refused(format!(
            "a message is one line of {MESSAGE_BYTES} bytes at most"
        )));
    }
    let now = write.views.config()?.now()?;
    let (revision, document) = now.map(|now| (now.revision, now.document)).unwrap_or_default();
    if wanted.revision != revision {
        return Err(ObjectError::ConfigChanged(wanted.revision).into());
    }
    // One that this release does not understand counts as none.
    let old = check(&document).unwrap_or_default();
    let changes = changes(&old, &new);
    let revision = match wanted.dry_run || wanted.document == document {
        true => revision,
        false => {
            let objects = Objects::new(write.clone());
            objects
                .set_config(revision, (wanted.document, wanted.message), caller)
                .await?
        }
    };
    Ok(wire::ConfigChanged { revision, changes })
}
