//! Checking a signature.

use super::canonical::{request_hash, string_to_sign};
use super::keys::{SigningKeys, hmac};
use super::{AuthError, Claim, MAX_SKEW, Signable};
use stead_event::Timestamp;
use subtle::ConstantTimeEq;

/// Checks a claim against a secret, and against `now`. Signing keys are cached in `keys`.
pub fn verify(
    request: &Signable<'_>,
    claim: &Claim,
    secret: &str,
    now: Timestamp,
    keys: &SigningKeys,
) -> Result<(), AuthError> {
    check_time(claim, now)?;
    let hash = request_hash(request, &claim.signed_headers, &claim.payload);
    let expected = hmac(&keys.get(secret, claim), string_to_sign(claim, &hash).as_bytes());
    if bool::from(expected.ct_eq(&claim.signature)) {
        Ok(())
    } else {
        Err(AuthError::Mismatch)
    }
}

/// Checks the signature of a text that was signed as it stands, with the claim's scope: the policy of a POST
/// form. How long it is good for is the text's to say.
///
/// # Errors
/// [`AuthError::Mismatch`].
pub fn verify_text(claim: &Claim, text: &str, secret: &str, keys: &SigningKeys) -> Result<(), AuthError> {
    let expected = hmac(&keys.get(secret, claim), text.as_bytes());
    if bool::from(expected.ct_eq(&claim.signature)) {
        Ok(())
    } else {
        Err(AuthError::Mismatch)
    }
}

fn check_time(claim: &Claim, now: Timestamp) -> Result<(), AuthError> {
    let skew = MAX_SKEW.as_secs() as i64;
    let skewed = AuthError::Skewed { at: claim.at, now };
    let ahead = claim.at > now.plus_secs(skew);
    match claim.expires_secs {
        _ if ahead => Err(skewed),
        None if claim.at < now.plus_secs(-skew) => Err(skewed),
        None => Ok(()),
        Some(expires) => {
            let until = claim.at.plus_secs(expires as i64);
            if now > until {
                Err(AuthError::Expired(until))
            } else {
                Ok(())
            }
        }
    }
}
