//! `console`: a link into the web console.

use crate::args::Global;
use crate::client::{Needs, Url, find};
use crate::failure::{self, Failure};
use crate::output;
use stead_client::wire;

pub(super) async fn run(global: &Global) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let nothing = serde_json::json!({});
    let link: wire::ConsoleLink = client.post(Url::new("/api/v1/console/link"), &nothing).await?;
    if global.json {
        output::json(&link);
    } else {
        output::line(&link.url);
    }
    Ok(failure::OK)
}
