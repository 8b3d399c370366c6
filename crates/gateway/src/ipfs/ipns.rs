//! IPNS: names that are public keys, and records that say what a name stands for.
//!
//! Format: <https://specs.ipfs.tech/ipns/ipns-record/>. A record is signed twice, as version 1 and version 2
//! readers expect; its sequence is that of the root in the log, so an older record never wins over a newer.
//! Ed25519 only: the key is in the name, so that a record needs no key in it.

use super::IpfsError;
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use ipld_core::ipld::Ipld;
use std::collections::BTreeMap;
use stead_block::unixfs::pb_message;
use stead_event::cids::IDENTITY;
use stead_event::{Cid, Timestamp};

/// Multicodec `libp2p-key`.
pub const LIBP2P_KEY: u64 = 0x72;
/// The beginning of an Ed25519 key's libp2p message: type 1, then 32 bytes of data.
const ED25519: [u8; 4] = [0x08, 0x01, 0x12, 0x20];
/// What the second signature's data begins with.
const V2_PREFIX: &[u8] = b"ipns-signature:";
/// A record has at most so many bytes.
pub const RECORD_MAX: usize = 10 * 1024;
/// How long a record may be used, in seconds (48 hours).
pub const VALIDITY_SECS: i64 = 48 * 3600;
/// How long an answer may be remembered, in seconds.
pub const TTL_SECS: u64 = 60;

/// The CID of an Ed25519 key's name.
pub fn name_cid(public: &[u8; 32]) -> Cid {
    let key = [&ED25519[..], public].concat();
    let hash = multihash::Multihash::wrap(IDENTITY, &key).expect("36 bytes fit a multihash");
    Cid::new_v1(LIBP2P_KEY, hash)
}

/// A name as text: `k51…`.
pub fn name_text(cid: &Cid) -> String {
    cid.to_string_of_base(cid::multibase::Base::Base36Lower)
        .unwrap_or_else(|_| cid.to_string())
}

/// A key's peer id, as libp2p writes it: `12D3Koo…`.
pub fn peer_id(public: &[u8; 32]) -> String {
    let text = cid::multibase::encode(
        cid::multibase::Base::Base58Btc,
        name_cid(public).hash().to_bytes(),
    );
    text[1..].to_owned()
}

/// The name of a seed's key.
pub fn name_of_seed(seed: &[u8; 32]) -> String {
    name_text(&name_cid(
        &SigningKey::from_bytes(seed).verifying_key().to_bytes(),
    ))
}

/// The key in a name; `None` where it is no Ed25519 key.
pub fn key_of(name: &Cid) -> Option<VerifyingKey> {
    let digest = name.hash().digest();
    if name.hash().code() != IDENTITY {
        return None;
    }
    let key: &[u8; 32] = digest.strip_prefix(&ED25519[..])?.try_into().ok()?;
    VerifyingKey::from_bytes(key).ok()
}

/// A name in any of the forms that people use: a CID (whatever its codec says), or a bare peer id.
pub fn parse_name(text: &str) -> Option<Cid> {
    let cid = match text.as_bytes() {
        // A peer id of old: a multihash in base58, without a CID around it.
        [b'1', b'2' | b'A'..=b'z', ..] | [b'Q', b'm', ..] => {
            let (_, bytes) = cid::multibase::decode(format!("z{text}")).ok()?;
            Cid::new_v1(LIBP2P_KEY, multihash::Multihash::from_bytes(&bytes).ok()?)
        }
        _ => Cid::try_from(text).ok()?,
    };
    let known = matches!(cid.codec(), LIBP2P_KEY | stead_event::cids::DAG_PB);
    known.then(|| Cid::new_v1(LIBP2P_KEY, *cid.hash()))
}

/// What a valid record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// A content path: `/ipfs/…` or `/ipns/…`.
    pub value: String,
    /// When it ends.
    pub until: Timestamp,
    /// The higher wins.
    pub sequence: u64,
    /// How long an answer may be remembered, in nanoseconds.
    pub ttl_nanos: u64,
}

/// A record of `value`, signed with the name's key.
pub fn sign(key: &SigningKey, value: &str, sequence: u64, now: Timestamp) -> Result<Vec<u8>, IpfsError> {
    let until = now.plus_secs(VALIDITY_SECS).to_string();
    let ttl = TTL_SECS * 1_000_000_000;
    let data = Ipld::Map(BTreeMap::from([
        ("Sequence".to_owned(), Ipld::Integer(sequence.into())),
        ("TTL".to_owned(), Ipld::Integer(ttl.into())),
        ("Validity".to_owned(), Ipld::Bytes(until.clone().into_bytes())),
        ("ValidityType".to_owned(), Ipld::Integer(0)),
        ("Value".to_owned(), Ipld::Bytes(value.as_bytes().to_vec())),
    ]));
    let data = serde_ipld_dagcbor::to_vec(&data).map_err(|_| IpfsError::Record("it does not encode"))?;
    let old = [value.as_bytes(), until.as_bytes(), b"0"].concat();
    let new = [V2_PREFIX, &data].concat();
    let mut record = Vec::with_capacity(512);
    pb_message::put_bytes(&mut record, 1, value.as_bytes());
    pb_message::put_bytes(&mut record, 2, &key.sign(&old).to_bytes());
    pb_message::put_number(&mut record, 3, 0);
    pb_message::put_bytes(&mut record, 4, until.as_bytes());
    pb_message::put_number(&mut record, 5, sequence);
    pb_message::put_number(&mut record, 6, ttl);
    pb_message::put_bytes(&mut record, 8, &key.sign(&new).to_bytes());
    pb_message::put_bytes(&mut record, 9, &data);
    Ok(record)
}

/// Reads a record and checks it against its name: size, the second signature, and that the older fields, where
/// there are any, say the same. Whether it has ended is the caller's to compare.
pub fn verify(name: &Cid, record: &[u8]) -> Result<Record, IpfsError> {
    if record.len() > RECORD_MAX {
        return Err(IpfsError::Record("it is larger than 10 KiB"));
    }
    let fields = pb_message::fields(record).ok_or(IpfsError::Record("it is not a protobuf message"))?;
    let bytes = |number| fields.iter().find_map(|field| field.bytes(number));
    let number = |wanted| fields.iter().find_map(|field| field.number(wanted));
    let (Some(signature), Some(data)) = (bytes(8), bytes(9)) else {
        return Err(IpfsError::Record("it has no signature of version 2"));
    };
    let key = match bytes(7) {
        Some(key) if name.hash().code() == IDENTITY && key != name.hash().digest() => {
            return Err(IpfsError::Record("its key is not the name's"));
        }
        _ => key_of(name).ok_or(IpfsError::Record("only names of Ed25519 keys are understood"))?,
    };
    let signature =
        Signature::from_slice(signature).map_err(|_| IpfsError::Record("its signature is malformed"))?;
    key.verify(&[V2_PREFIX, data].concat(), &signature)
        .map_err(|_| IpfsError::Record("its signature does not hold"))?;
    let said = read_data(data)?;
    let same = bytes(1).is_none_or(|value| value == said.value.as_bytes())
        && number(5).is_none_or(|sequence| sequence == said.sequence)
        && number(6).is_none_or(|ttl| ttl == said.ttl_nanos)
        && number(3).is_none_or(|kind| kind == 0)
        && bytes(4).is_none_or(|until| {
            std::str::from_utf8(until).ok().and_then(|text| text.parse().ok()) == Some(said.until)
        });
    if !same {
        return Err(IpfsError::Record("its fields of version 1 say something else"));
    }
    Ok(said)
}

fn read_data(data: &[u8]) -> Result<Record, IpfsError> {
    let malformed = IpfsError::Record("its signed data is malformed");
    let Ok(Ipld::Map(map)) = serde_ipld_dagcbor::from_slice::<Ipld>(data) else {
        return Err(malformed);
    };
    let text = |name: &str| match map.get(name) {
        Some(Ipld::Bytes(bytes)) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    };
    let number = |name: &str| match map.get(name) {
        Some(Ipld::Integer(number)) => u64::try_from(*number).ok(),
        _ => None,
    };
    let until = text("Validity").and_then(|text| text.parse().ok());
    match (text("Value"), until, number("Sequence"), number("ValidityType")) {
        (Some(value), Some(until), Some(sequence), Some(0)) => Ok(Record {
            value,
            until,
            sequence,
            ttl_nanos: number("TTL").unwrap_or(0),
        }),
        _ => Err(malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_holds_for_its_name_alone() {
        let seed = [7; 32];
        let key = SigningKey::from_bytes(&seed);
        let name = parse_name(&name_of_seed(&seed)).unwrap();
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let record = sign(&key, "/ipfs/bafkqaaa", 3, now).unwrap();
        let said = verify(&name, &record).unwrap();
        assert_eq!((said.value.as_str(), said.sequence), ("/ipfs/bafkqaaa", 3));
        assert_eq!(said.until, now.plus_secs(VALIDITY_SECS));
        assert!(name_of_seed(&seed).starts_with("k51"));
        let other = parse_name(&name_of_seed(&[8; 32])).unwrap();
        assert!(verify(&other, &record).is_err());
        for at in 0..record.len() {
            let mut changed = record.clone();
            changed[at] ^= 1;
            let same = verify(&name, &changed).is_ok_and(|found| found == said);
            assert!(verify(&name, &changed).is_err() || same, "byte {at}");
        }
    }

    #[test]
    fn the_specifications_records_are_taken_or_refused() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/ipfs/fixtures");
        let mut seen = 0;
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            let Some((name, kind)) = file.strip_suffix(".ipns-record").and_then(|f| f.split_once('_')) else {
                continue;
            };
            let name = parse_name(name).unwrap();
            let found = verify(&name, &std::fs::read(&path).unwrap());
            // The older signature is not looked at; the older fields are.
            let good = matches!(kind, "v1-v2" | "v2" | "v1-v2-broken-signature-v1");
            assert_eq!(found.is_ok(), good, "{kind}: {found:?}");
            seen += 1;
        }
        assert_eq!(seen, 6);
    }
}
