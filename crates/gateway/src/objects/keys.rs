//! Access keys: made and revoked. They are the system tenant's, so that the log of the data does not
//! change when a key does, and the cache of keys does not when the data do.

use super::{KeyDone, KeyRequest, ObjectError, Objects};
use crate::Caller;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use stead_event::Tenant;
use stead_event::body::{KeyCreated, KeyRevoked};
use stead_log::Precondition;
use stead_runtime::Rng;

/// What access keys are made of after `SD`: base32's letters and digits, so that they survive being read
/// out loud.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

impl Objects {
    /// Makes an access key. The secret is answered here and never again.
    pub async fn create_key(&self, request: KeyRequest, caller: Caller) -> Result<KeyDone, ObjectError> {
        let KeyRequest { name, scope, given } = request;
        let Caller { identity, via } = caller;
        identity.check_administrator()?;
        check_name(&name)?;
        let context = self.context();
        let (access_key, secret_key) = match given {
            Some(given) => check_given(given)?,
            None => (
                new_access_key(&context.rng),
                BASE64.encode(context.rng.bytes::<30>()),
            ),
        };
        // Keys of one name are one user's.
        let known = context.access().users()?.id_of(&name).map(str::to_owned);
        let canonical_id = known.unwrap_or_else(|| hex::encode(context.rng.bytes::<32>()));
        let sealed_secret = context.secrets.seal(&access_key, &secret_key, &context.rng);
        let require = vec![Precondition::KeyAbsent(access_key.clone())];
        let created = KeyCreated {
            access_key: access_key.clone(),
            canonical_id: canonical_id.clone(),
            name: name.clone(),
            scope,
            sealed_secret,
            via,
        };
        let draft = self.draft(&identity, created);
        let position = self
            .append_to(Tenant::system(), require, vec![draft], Vec::new())
            .await?
            .first;
        Ok(KeyDone {
            access_key,
            secret_key,
            canonical_id,
            name,
            position,
        })
    }

    /// Revokes an access key. Its next request is refused.
    pub async fn revoke_key(&self, access_key: &str, caller: Caller) -> Result<(), ObjectError> {
        let Caller { identity, via } = caller;
        identity.check_administrator()?;
        let access_key = access_key.to_owned();
        let require = vec![Precondition::KeyActive(access_key.clone())];
        let draft = self.draft(&identity, KeyRevoked { access_key, via });
        self.append_to(Tenant::system(), require, vec![draft], Vec::new())
            .await?;
        Ok(())
    }
}

/// `SD` and 18 characters of 5 random bits each.
fn new_access_key(rng: &Rng) -> String {
    let random = rng
        .bytes::<18>()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    ['S', 'D'].into_iter().chain(random).collect()
}

fn check_name(name: &str) -> Result<(), ObjectError> {
    let legal = |c: char| !c.is_control();
    if !(1..=64).contains(&name.chars().count()) || !name.chars().all(legal) {
        return Err(ObjectError::Invalid(
            "a key's name has 1 to 64 characters and no control characters".into(),
        ));
    }
    // Policies and lists name users by both: neither may pass for the other.
    let is_id = |digits: usize| name.len() == digits && name.bytes().all(|b| b.is_ascii_hexdigit());
    if is_id(64) || is_id(32) || name == crate::access::ANONYMOUS {
        return Err(ObjectError::Invalid(
            "a key's name cannot look like a canonical id, or be `anonymous`".into(),
        ));
    }
    Ok(())
}

fn check_given((access_key, secret): (String, String)) -> Result<(String, String), ObjectError> {
    let legal = access_key.bytes().all(|b| b.is_ascii_alphanumeric());
    if !legal || !(3..=128).contains(&access_key.len()) {
        return Err(ObjectError::Invalid(
            "an access key has 3 to 128 letters and digits".into(),
        ));
    }
    if !(8..=256).contains(&secret.len()) || !secret.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ObjectError::Invalid(
            "a secret has 8 to 256 printable ASCII characters".into(),
        ));
    }
    Ok((access_key, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_keys_look_like_access_keys() {
        let rng = Rng::seeded(1);
        let key = new_access_key(&rng);
        assert!(key.len() == 20 && key.starts_with("SD"));
        assert_ne!(key, new_access_key(&rng));
        assert_eq!(BASE64.encode(rng.bytes::<30>()).len(), 40);
        assert!(check_given((key, "short".into())).is_err());
        assert!(
            check_name("").is_err()
                && check_name("a\nb").is_err()
                && check_name(&"0a".repeat(32)).is_err()
                && check_name("ana").is_ok()
        );
    }
}
