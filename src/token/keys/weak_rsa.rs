//! RSA moduli that can be factored by their form. Knows one family: that of ROCA.

/// Whether a modulus (big-endian) has the fingerprint of the generator behind ROCA (CVE-2017-15361; Nemec and others, "The
/// Return of Coppersmith's Attack", CCS 2017, §2.3): modulo each small prime it is a power of 65537. An honest modulus looks
/// so once in about 2²⁷ keys.
pub(super) fn is_roca(modulus: &[u8]) -> bool {
    PRIMES
        .iter()
        .all(|prime| is_power_of_65537(remainder(modulus, *prime), *prime))
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    number
        .iter()
        .fold(0, |rest, byte| ((rest << 8) | u32::from(*byte)) % prime)
}

fn is_power_of_65537(residue: u32, prime: u32) -> bool {
    let step = 65537 % prime;
    let powers = std::iter::successors(Some(1), |power| Some(power * step % prime));
    powers.take(prime as usize).any(|power| power == residue)
}

/// The primes up to 167 modulo which 65537 does not generate every residue.
const PRIMES: [u32; 17] = [
    11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
];

#[cfg(test)]
mod tests {
    use super::is_roca;

    /// A power of 65537, big-endian: what the fingerprint is, modulo any prime.
    fn power_of_65537(exponent: usize) -> Vec<u8> {
        let mut digits = vec![1_u16];
        for _ in 0..exponent {
            let shifted = std::iter::once(0).chain(digits.iter().copied());
            let mut carry = 0;
            digits = shifted
                .zip(digits.iter().copied().chain([0]))
                .map(|(high, low)| {
                    let sum = u32::from(high) + u32::from(low) + carry;
                    carry = sum >> 16;
                    sum as u16
                })
                .collect();
        }
        digits
            .iter()
            .rev()
            .flat_map(|digit| digit.to_be_bytes())
            .collect()
    }

    #[test]
    fn a_modulus_of_the_broken_generator_is_known_and_its_neighbours_are_not() {
        let mut modulus = power_of_65537(128);
        assert!(is_roca(&modulus));
        let last = modulus.len() - 1;
        for neighbour in [3, 5, 7] {
            modulus[last] = neighbour;
            assert!(!is_roca(&modulus), "{neighbour}");
        }
    }
}
