//! Bytes that a number stands for: nothing has to be kept to know later what an object should hold.

use std::sync::LazyLock;

/// A small generator (xorshift64*, Vigna 2014): fast, repeatable, no quality needed.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        // Spread by splitmix64's constant; zero is the one state that the generator never leaves.
        Self((seed ^ 0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9) | 1)
    }

    /// A seed that differs from run to run.
    pub fn fresh_seed() -> u64 {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        now.map_or(1, |since| since.as_nanos() as u64) ^ u64::from(std::process::id())
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `bound` (which is above zero).
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Every page of this many bytes says whose it is and which.
const PAGE: usize = 4_096;

static BASE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut random = Random::new(0x57EAD);
    (0..PAGE / 8).flat_map(|_| random.next().to_le_bytes()).collect()
});

/// `length` bytes that belong to `seed`: one random page, again and again, each time with another stamp.
/// Copying is quick even where nothing is optimised, and no page of one seed equals one of another.
pub fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = Vec::with_capacity(length + PAGE);
    while bytes.len() < length {
        let at = bytes.len();
        bytes.extend_from_slice(&BASE);
        bytes[at..at + 8].copy_from_slice(&random.next().to_le_bytes());
        bytes[at + PAGE / 2..at + PAGE / 2 + 8].copy_from_slice(&random.next().to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_again_and_differ_by_seed() {
        let long = bytes(1, 10_000);
        assert_eq!(long, bytes(1, 10_000));
        assert_eq!(long[..5_000], bytes(1, 5_000));
        assert_ne!(bytes(1, 5), bytes(2, 5));
        assert_ne!(long[..PAGE], long[PAGE..2 * PAGE]);
    }
}
