//! Short-lived tokens: for whoever cannot sign each request (a browser, a download link, an event stream).
//!
//! A token is `st1.<claims>.<mac>`: JSON and an HMAC-SHA256 of it under a key of this node, both base64url.
//! Promises: it may do no more than the access key that it is bound to, and nothing once that key is revoked
//! or its time is over. Nothing is stored. Never logged: whoever logs a query leaves `token` out.

use crate::identity::CredentialError;
use crate::{Code, Identity, ReadContext, codes};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use stead_event::Timestamp;
use stead_event::body::Scope;
use subtle::ConstantTimeEq;

const FORM: &str = "st1";
const PURPOSE: &str = "token 1";
/// Nothing that is a token is longer, in bytes.
const LONGEST: usize = 8 << 10;

/// What a token says.
#[derive(Serialize, Deserialize)]
struct Claims {
    /// The access key that it is bound to.
    #[serde(rename = "k")]
    access_key: String,
    /// Who acts, for the log.
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "s")]
    scope: Scope,
    /// Microseconds since 1970.
    #[serde(rename = "e")]
    expires: i64,
}

/// Why a token is not taken.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It is not one of this node's, or was changed.
    #[error("the token is not one of this node's")]
    Forged,
    /// Its time is over.
    #[error("the token expired at {0}")]
    Expired(Timestamp),
    /// Its key gives no identity any more.
    #[error("the token is bound to an access key, and {0}")]
    Key(#[from] CredentialError),
    /// The scope that is asked for has no bucket in common with the maker's.
    #[error("the token's scope names no bucket that its maker may use")]
    Scope,
}

impl TokenError {
    /// Its stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Scope => codes::ACCESS_DENIED,
            Self::Key(error) if !matches!(error, CredentialError::Unknown(_)) => error.code(),
            _ => codes::TOKEN,
        }
    }
}

/// What both scopes allow; `None` where that is no bucket at all.
fn narrower(a: &Scope, b: &Scope) -> Option<Scope> {
    let read_only = a.read_only || b.read_only;
    let buckets = match (a.buckets.as_slice(), b.buckets.as_slice()) {
        ([], all) | (all, []) => all.to_vec(),
        (a, b) => {
            let common: Vec<_> = a.iter().filter(|name| b.contains(name)).cloned().collect();
            if common.is_empty() {
                return None;
            }
            common
        }
    };
    Some(Scope { read_only, buckets })
}

/// Makes a token that works until `expires`, bound to `maker`'s access key, under the name `name`.
pub fn issue(
    context: &ReadContext,
    maker: &Identity,
    name: &str,
    scope: &Scope,
    expires: Timestamp,
) -> Result<String, TokenError> {
    let claims = Claims {
        access_key: maker.access_key.clone(),
        name: name.to_owned(),
        scope: narrower(&maker.scope, scope).ok_or(TokenError::Scope)?,
        expires: expires.as_micros(),
    };
    // Strings and numbers: JSON can hold them.
    let claims = BASE64.encode(serde_json::to_vec(&claims).map_err(|_| TokenError::Forged)?);
    let mac = BASE64.encode(context.secrets.sign(PURPOSE, claims.as_bytes()));
    Ok(format!("{FORM}.{claims}.{mac}"))
}

/// Who holds a token, and until when.
pub fn holder(context: &ReadContext, token: &str) -> Result<(Arc<Identity>, Timestamp), TokenError> {
    let mut parts = token.split('.');
    let (Some(FORM), Some(claims), Some(mac), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(TokenError::Forged);
    };
    if token.len() > LONGEST {
        return Err(TokenError::Forged);
    }
    let told = BASE64.decode(mac).map_err(|_| TokenError::Forged)?;
    let right = context.secrets.sign(PURPOSE, claims.as_bytes());
    if !bool::from(right.as_slice().ct_eq(&told)) {
        return Err(TokenError::Forged);
    }
    let claims = BASE64.decode(claims).map_err(|_| TokenError::Forged)?;
    let claims: Claims = serde_json::from_slice(&claims).map_err(|_| TokenError::Forged)?;
    let expires = Timestamp::from_micros(claims.expires);
    if context.now() >= expires {
        return Err(TokenError::Expired(expires));
    }
    let key = context.credentials().find(&claims.access_key)?;
    let scope = narrower(&key.scope, &claims.scope).ok_or(TokenError::Scope)?;
    Ok((key.narrowed(&claims.name, scope), expires))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(read_only: bool, buckets: &[&str]) -> Scope {
        Scope {
            read_only,
            buckets: buckets.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn a_scope_is_never_widened() {
        let narrow = |a: &Scope, b: &Scope| narrower(a, b);
        let all = scope(false, &[]);
        assert_eq!(narrow(&all, &scope(true, &["a"])), Some(scope(true, &["a"])));
        assert_eq!(narrow(&scope(true, &["a"]), &all), Some(scope(true, &["a"])));
        assert_eq!(
            narrow(&scope(false, &["a", "b"]), &scope(false, &["b", "c"])),
            Some(scope(false, &["b"]))
        );
        assert_eq!(narrow(&scope(false, &["a"]), &scope(false, &["b"])), None);
    }
}
