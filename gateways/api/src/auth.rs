//! Who asks: the owner over the Unix socket, whoever signed, whoever holds a token, or whoever another part
//! of this process says it is.

use crate::{ACTOR_HEADER, ApiError, SERVICE};
use http::request::Parts;
use http::{HeaderMap, Method, header};
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use stead_event::{Timestamp, Via};
use stead_gateway::listen::Peer;
use stead_gateway::sigv4::{self, AuthError, Signable, SigningKeys};
use stead_gateway::{Caller, Identity, ReadContext, tokens};

/// Until when the caller's token works; what is made with it lasts no longer.
#[derive(Clone, Copy)]
pub(crate) struct Until(pub(crate) Timestamp);

/// Put into a request's extensions by whoever shares this process and has identified the caller already: the
/// web console. Nothing that comes over a connection can have it.
#[derive(Clone)]
pub struct Vouched(pub Arc<Identity>);

/// Identifies the caller of a request.
pub(crate) fn caller(
    peer: Peer,
    request: &Parts,
    context: &ReadContext,
    keys: &SigningKeys,
    id: &str,
) -> Result<(Caller, Option<Until>), ApiError> {
    let mut via = via(peer, &request.headers, id);
    let (identity, until) = if let Some(Vouched(identity)) = request.extensions.get() {
        via.protocol = "web".into();
        (identity.clone(), None)
    } else if let Some(token) = token(request)? {
        let (identity, until) = tokens::holder(context, &token)?;
        (identity, Some(Until(until)))
    } else if peer.is_local() {
        (Identity::local(&actor(&request.headers)), None)
    } else {
        (signed(request, context, keys)?, None)
    };
    Ok((Caller::new(identity, via), until))
}

/// The token of a request: in its header, or for reading in its URL, where a header cannot be set.
fn token(request: &Parts) -> Result<Option<String>, ApiError> {
    let bearer = request
        .headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if let Some(token) = bearer {
        return Ok(Some(token.trim().to_owned()));
    }
    let query = request.uri.query().unwrap_or_default();
    let Some(token) = query.split('&').find_map(|pair| pair.strip_prefix("token=")) else {
        return Ok(None);
    };
    if !matches!(request.method, Method::GET | Method::HEAD) {
        return Err(ApiError::invalid(
            "a token in the URL is for reading; send it as `Authorization: Bearer`",
        ));
    }
    Ok(Some(percent_decode_str(token).decode_utf8_lossy().into_owned()))
}

/// Whether a request's URL holds a token, so that its answer must not be kept or its address told.
pub(crate) fn token_in_url(request: &Parts) -> bool {
    let query = request.uri.query().unwrap_or_default();
    query.split('&').any(|pair| pair.starts_with("token="))
}

fn signed(request: &Parts, context: &ReadContext, keys: &SigningKeys) -> Result<Arc<Identity>, ApiError> {
    let signable = Signable {
        method: &request.method,
        path: request.uri.path(),
        query: request.uri.query().unwrap_or_default(),
        headers: &request.headers,
    };
    let claim = sigv4::parse(&signable)?;
    if claim.service != SERVICE {
        return Err(AuthError::Malformed("the service in its scope must be `stead`").into());
    }
    let identity = context.credentials().find(&claim.access_key)?;
    sigv4::verify(&signable, &claim, identity.secret(), context.now(), keys)?;
    Ok(identity)
}

/// Over the socket the owner says who acts; it is a name for the log, not a right.
fn actor(headers: &HeaderMap) -> String {
    let told = headers
        .get(ACTOR_HEADER)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let name = percent_decode_str(told).decode_utf8_lossy();
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    if name.is_empty() { "owner".to_owned() } else { name }
}

fn via(peer: Peer, headers: &HeaderMap, id: &str) -> Via {
    let agent: Option<String> = headers
        .get(http::header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .map(|text| text.chars().take(200).collect());
    let command_line = agent.as_deref().is_some_and(|agent| agent.starts_with("stead/"));
    Via {
        protocol: if command_line { "cli".into() } else { "api".into() },
        remote: peer.remote.map(|address| address.to_string()),
        agent,
        request: Some(id.to_owned()),
    }
}
