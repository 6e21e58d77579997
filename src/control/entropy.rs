//! Fresh random bytes. Rooms below the waterline take them as arguments; knows no use of them.

/// Random bytes from the system, fit for keys.
pub fn fresh<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes, or nothing here is safe");
    bytes
}

/// Lets the library that signs and speaks TLS gather the entropy of its own, which takes it a tenth of a second at its first
/// use. Blocks for as long.
pub fn gather_entropy() {
    aws_lc_rs::rand::fill(&mut [0]).expect("the library finds entropy, or nothing here is safe");
}

/// A number from 0 to 1, for pauses that should not fall together.
pub(super) fn chance() -> f64 {
    f64::from(u32::from_le_bytes(fresh())) / f64::from(u32::MAX)
}
