//! Numbers that nobody needs to keep secret: request ids, trace ids, the draw between two servers. One generator for
//! each thread (xoshiro256++), seeded by the system; never a key or a token.

use std::cell::Cell;

use crate::control::fresh;

thread_local! {
    static STATE: Cell<[u64; 4]> = Cell::new(seed());
}

fn seed() -> [u64; 4] {
    let bytes = fresh::<32>();
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().expect("a chunk has eight bytes"));
    }
    // A state of zeroes would stay one.
    words[0] |= 1;
    words
}

/// 64 bits.
pub(super) fn word() -> u64 {
    STATE.with(|state| {
        let mut s = state.get();
        let drawn = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        state.set(s);
        drawn
    })
}

/// 128 bits.
pub(super) fn pair() -> u128 {
    u128::from(word()) << 64 | u128::from(word())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn no_number_is_drawn_twice() {
        let drawn: HashSet<u128> = (0..10_000).map(|_| super::pair()).collect();
        assert_eq!(drawn.len(), 10_000);
    }
}
