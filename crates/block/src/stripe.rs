//! Stripes: blocks of bytes with parity beside them, so that any `k` of `k + m` give all of them back.
//!
//! Owns: [`Keep`] (how blocks are kept on several nodes), the blocks that describe stripes, and the code. Data stay
//! plain blocks; parity is extra blocks; a stripe is a small DAG-CBOR block that names both, and an object's stripes are
//! listed by another. So whoever holds a stripe's block can find and check every piece, and the collector keeps them by
//! walking.
//! Promises: what is given back has the hash that its name says, or is an error.
//! Never: decides which node holds what.
//!
//! The code is Reed–Solomon (I. Reed, G. Solomon, "Polynomial codes over certain finite fields", 1960) over GF(2^16),
//! systematic, as the crate `reed-solomon-simd` has it. Pieces of a stripe have one length: shorter data are filled up
//! with zeros, which are not stored.
//!
//! | block | DAG-CBOR |
//! |---|---|
//! | stripe | `{"stead-stripe": 1, "k": k, "m": m, "data": [[CID, bytes], …], "parity": [CID, …], "bytes": bytes of a piece}` |
//! | stripes | `{"stead-stripes": 1, "k": k, "m": m, "of": [CID of a stripe or of stripes, …]}` |

use crate::{Block, BlockError};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use stead_event::{Cid, cids};

/// Data pieces at most. An upload holds so many MiB in memory.
pub const MAX_DATA: u8 = 12;
/// Parity pieces at most.
pub const MAX_PARITY: u8 = 4;
/// Whole copies at most.
pub const MAX_COPIES: u8 = 5;
/// What a list of stripes names at most; more are lists of lists.
const LIST: usize = 4_096;
/// How deep lists may be.
const DEPTH: usize = 4;

/// Into how many pieces blocks are cut, and how many may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scheme {
    /// Data pieces.
    pub k: u8,
    /// Parity pieces.
    pub m: u8,
}

impl Scheme {
    /// Where it is one: `k` from 2 to 12, `m` from 1 to 4.
    pub fn new(k: u8, m: u8) -> Option<Self> {
        let fits = (2..=MAX_DATA).contains(&k) && (1..=MAX_PARITY).contains(&m);
        fits.then_some(Self { k, m })
    }

    /// Pieces in all.
    pub fn pieces(self) -> usize {
        usize::from(self.k) + usize::from(self.m)
    }
}

/// How blocks of bytes are kept on several nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keep {
    /// So many whole copies, 1 to 5.
    Copies(u8),
    /// Pieces with parity. What is too little for two pieces is kept as copies, one more than there is parity.
    Stripes(Scheme),
}

impl Keep {
    /// Whole copies of what is in no stripe.
    pub fn copies(self) -> u8 {
        match self {
            Self::Copies(copies) => copies,
            Self::Stripes(scheme) => scheme.m + 1,
        }
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copies(copies) => write!(f, "{copies}"),
            Self::Stripes(Scheme { k, m }) => write!(f, "{k}+{m}"),
        }
    }
}

/// When a writer is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quorum {
    /// When most of a block's copies are durable, wherever.
    #[default]
    Majority,
    /// When two nodes of the writer's own site have it, or the one that there is; other sites get theirs behind.
    Local,
    /// When most have it, and a node at another site, where there is another.
    AcrossSites,
}

impl fmt::Display for Quorum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Majority => "majority",
            Self::Local => "local",
            Self::AcrossSites => "across-sites",
        })
    }
}

/// A text that is none of `majority`, `local` and `across-sites`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of majority, local, across-sites")]
pub struct QuorumError(pub String);

impl FromStr for Quorum {
    type Err = QuorumError;

    fn from_str(text: &str) -> Result<Self, QuorumError> {
        let all = [Self::Majority, Self::Local, Self::AcrossSites];
        let found = all.into_iter().find(|quorum| quorum.to_string() == text);
        found.ok_or_else(|| QuorumError(text.chars().take(40).collect()))
    }
}

/// How the blocks of one body are kept, and when its writer is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durability {
    /// As is usual where that is not said.
    pub keep: Option<Keep>,
    /// How many have to have them.
    pub quorum: Quorum,
}

impl From<Keep> for Durability {
    fn from(keep: Keep) -> Self {
        Self {
            keep: Some(keep),
            quorum: Quorum::default(),
        }
    }
}

/// A text that says nothing of how blocks are kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is neither a number of copies, 1 to {MAX_COPIES}, nor data and parity pieces such as 4+2 \
     (2 to {MAX_DATA}, and 1 to {MAX_PARITY})"
)]
pub struct KeepError(pub String);

impl FromStr for Keep {
    type Err = KeepError;

    fn from_str(text: &str) -> Result<Self, KeepError> {
        let number = |text: &str| text.trim().parse::<u8>().ok();
        let keep = match text.split_once('+') {
            Some((k, m)) => number(k)
                .zip(number(m))
                .and_then(|(k, m)| Scheme::new(k, m))
                .map(Self::Stripes),
            None => number(text)
                .filter(|copies| (1..=MAX_COPIES).contains(copies))
                .map(Self::Copies),
        };
        keep.ok_or_else(|| KeepError(text.chars().take(40).collect()))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredStripe {
    #[serde(rename = "stead-stripe")]
    version: u8,
    k: u8,
    m: u8,
    data: Vec<(Cid, u64)>,
    parity: Vec<Cid>,
    bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredStripes {
    #[serde(rename = "stead-stripes")]
    version: u8,
    k: u8,
    m: u8,
    of: Vec<Cid>,
}

/// Some data blocks with the parity over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stripe {
    /// What it was made for; the last of an object may have less than `k` data pieces.
    pub scheme: Scheme,
    /// The data blocks, with their bytes.
    pub data: Vec<(Cid, u64)>,
    /// The parity blocks.
    pub parity: Vec<Cid>,
    /// Bytes of a piece.
    pub bytes: u64,
}

fn block(value: &impl Serialize) -> Result<Block, BlockError> {
    let bytes = serde_ipld_dagcbor::to_vec(value).map_err(|error| BlockError::Stripe(error.to_string()))?;
    let bytes = Bytes::from(bytes);
    Ok(Block {
        cid: cids::dag_cbor(&bytes),
        bytes,
    })
}

fn wrong(what: impl fmt::Display) -> BlockError {
    BlockError::Stripe(what.to_string())
}

impl Stripe {
    /// Codes 2 to `k` data blocks; answers the stripe and its parity blocks. Takes a core for about a millisecond a MiB.
    ///
    /// # Errors
    /// [`BlockError::Stripe`] where there are fewer or more.
    pub fn code(scheme: Scheme, data: &[Block]) -> Result<(Self, Vec<Block>), BlockError> {
        if data.len() < 2 || data.len() > scheme.k.into() {
            return Err(wrong(format!("{} data pieces for {scheme:?}", data.len())));
        }
        let longest = data.iter().map(|block| block.bytes.len()).max().unwrap_or(0);
        let bytes = piece_bytes(longest);
        let filled = data.iter().map(|block| filled(&block.bytes, bytes));
        let coded = reed_solomon_simd::encode(data.len(), scheme.m.into(), filled.collect::<Vec<_>>());
        let parity: Vec<Block> = coded
            .map_err(wrong)?
            .into_iter()
            .map(|piece| Block::raw(piece.into()))
            .collect();
        let stripe = Self {
            scheme,
            data: data
                .iter()
                .map(|block| (block.cid, block.bytes.len() as u64))
                .collect(),
            parity: parity.iter().map(|block| block.cid).collect(),
            bytes: bytes as u64,
        };
        Ok((stripe, parity))
    }

    /// The block that describes it.
    ///
    /// # Errors
    /// Where it does not encode, which only a program's mistake leads to.
    pub fn block(&self) -> Result<Block, BlockError> {
        block(&StoredStripe {
            version: 1,
            k: self.scheme.k,
            m: self.scheme.m,
            data: self.data.clone(),
            parity: self.parity.clone(),
            bytes: self.bytes,
        })
    }

    /// The stripe that a block describes; `None` where it describes none.
    pub fn read(cid: &Cid, bytes: &[u8]) -> Option<Self> {
        if cid.codec() != cids::DAG_CBOR {
            return None;
        }
        let stored: StoredStripe = serde_ipld_dagcbor::from_slice(bytes).ok()?;
        let scheme = Scheme::new(stored.k, stored.m)?;
        let data = stored.data.len();
        let fits = stored.version == 1
            && (2..=usize::from(scheme.k)).contains(&data)
            && stored.parity.len() == usize::from(scheme.m)
            && stored.bytes <= crate::MAX_BLOCK_BYTES as u64
            && stored.data.iter().all(|(_, bytes)| *bytes <= stored.bytes);
        fits.then_some(Self {
            scheme,
            data: stored.data,
            parity: stored.parity,
            bytes: stored.bytes,
        })
    }

    /// Its pieces with their numbers: data from 0, parity from `k`.
    pub fn pieces(&self) -> impl Iterator<Item = (usize, Cid)> + '_ {
        let data = self.data.iter().map(|(cid, _)| *cid).enumerate();
        data.chain((usize::from(self.scheme.k)..).zip(self.parity.iter().copied()))
    }

    /// How many pieces give back all.
    pub fn needed(&self) -> usize {
        self.data.len()
    }

    /// The bytes of one of its pieces, from any [`Self::needed`] others. More are passed over.
    ///
    /// # Errors
    /// Where they are too few, or not what they are called.
    pub fn restore(&self, wanted: &Cid, pieces: &[(usize, Bytes)]) -> Result<Bytes, BlockError> {
        let number = self
            .pieces()
            .find(|(_, cid)| cid == wanted)
            .map(|(number, _)| number);
        let number = number.ok_or_else(|| wrong(format!("{wanted} is not in it")))?;
        let (k, bytes) = (usize::from(self.scheme.k), self.bytes as usize);
        let data = pieces.iter().filter(|(number, _)| *number < self.data.len());
        let data: Vec<(usize, Vec<u8>)> = data
            .map(|(number, piece)| (*number, filled(piece, bytes)))
            .collect();
        let parity = pieces.iter().filter(|(number, _)| *number >= k);
        let parity: Vec<(usize, &Bytes)> = parity.map(|(number, piece)| (number - k, piece)).collect();
        let restored = reed_solomon_simd::decode(
            self.data.len(),
            self.parity.len(),
            data.iter().map(|(number, piece)| (*number, piece)),
            parity.iter().map(|(number, piece)| (*number, piece)),
        );
        let mut whole: Vec<Vec<u8>> = vec![Vec::new(); self.data.len()];
        for (number, piece) in restored.map_err(wrong)?.into_iter().chain(data) {
            whole[number] = piece;
        }
        let piece = match self.data.get(number) {
            Some((_, size)) => {
                let mut piece = std::mem::take(&mut whole[number]);
                piece.truncate(*size as usize);
                piece
            }
            None => {
                let coded = reed_solomon_simd::encode(self.data.len(), self.parity.len(), whole);
                coded.map_err(wrong)?.swap_remove(number - k)
            }
        };
        let piece = Bytes::from(piece);
        if cids::verify(wanted, &piece) {
            Ok(piece)
        } else {
            Err(BlockError::Mismatch(*wanted))
        }
    }
}

/// Pieces have an even number of bytes, and some.
fn piece_bytes(longest: usize) -> usize {
    longest.next_multiple_of(2).max(2)
}

fn filled(piece: &[u8], bytes: usize) -> Vec<u8> {
    let mut filled = Vec::with_capacity(bytes);
    filled.extend_from_slice(piece);
    filled.resize(bytes, 0);
    filled
}

/// The list of an object's stripes as blocks, the root last; none where there are no stripes. `of` may also be lists.
///
/// # Errors
/// Where it does not encode, which only a program's mistake leads to.
pub fn list(scheme: Scheme, of: Vec<Cid>) -> Result<Vec<Block>, BlockError> {
    let mut blocks = Vec::new();
    let mut level = of;
    while !level.is_empty() {
        let made: Vec<Block> = level
            .chunks(LIST)
            .map(|of| {
                block(&StoredStripes {
                    version: 1,
                    k: scheme.k,
                    m: scheme.m,
                    of: of.to_vec(),
                })
            })
            .collect::<Result<_, _>>()?;
        level = match made.len() {
            1 => Vec::new(),
            _ => made.iter().map(|block| block.cid).collect(),
        };
        blocks.extend(made);
    }
    Ok(blocks)
}

/// What a block of [`list`] says: the scheme, and what it names.
pub fn read_list(cid: &Cid, bytes: &[u8]) -> Option<(Scheme, Vec<Cid>)> {
    if cid.codec() != cids::DAG_CBOR {
        return None;
    }
    let stored: StoredStripes = serde_ipld_dagcbor::from_slice(bytes).ok()?;
    let scheme = Scheme::new(stored.k, stored.m)?;
    (stored.version == 1 && !stored.of.is_empty()).then_some((scheme, stored.of))
}

/// Calls `act` with each stripe of a list, in order.
///
/// # Errors
/// Where a block cannot be read, or is neither stripe nor list.
pub fn each(
    root: Cid,
    read: &mut dyn FnMut(&Cid) -> Result<Bytes, BlockError>,
    act: &mut dyn FnMut(Cid, Stripe),
) -> Result<(), BlockError> {
    let mut open = vec![(root, 0)];
    while let Some((cid, depth)) = open.pop() {
        let bytes = read(&cid)?;
        if let Some(stripe) = Stripe::read(&cid, &bytes) {
            act(cid, stripe);
        } else if let Some((_, of)) = read_list(&cid, &bytes).filter(|_| depth < DEPTH) {
            open.extend(of.into_iter().rev().map(|cid| (cid, depth + 1)));
        } else {
            return Err(wrong(format!("{cid} describes no stripes")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
