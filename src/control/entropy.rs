//! Fresh random bytes. Rooms below the waterline take them as arguments; knows no use of them.

/// Random bytes from the system, fit for keys.
pub fn fresh<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes)
        .expect("the system gives random bytes, or nothing here is safe");
    bytes
}

/// A number from 0 to 1, for pauses that should not fall together.
pub(super) fn chance() -> f64 {
    f64::from(u32::from_le_bytes(fresh())) / f64::from(u32::MAX)
}
