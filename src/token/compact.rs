//! The compact serialization (RFC 7515 §7.1): three parts of strict base64url (RFC 4648 §5). Does not know what they say.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::bearer::BearerToken;
use super::failure::TokenError;

/// A token in its three parts. None is empty and each has exactly one spelling.
#[derive(Clone, Copy)]
pub(super) struct Compact<'t> {
    /// What the signature is over: header, dot, claims.
    pub(super) signing_input: &'t str,
    /// The header, still encoded.
    pub(super) header: &'t str,
    /// The claims, still encoded.
    pub(super) claims: &'t str,
    /// The signature, still encoded: it is decoded once its length is known to be right.
    pub(super) signature: &'t str,
}

impl<'t> Compact<'t> {
    /// Splits a token at its two dots.
    ///
    /// # Errors
    /// [`TokenError::Malformed`] unless there are exactly three parts, each non-empty, canonical base64url without padding.
    pub(super) fn split(token: BearerToken<'t>) -> Result<Self, TokenError> {
        let malformed = TokenError::Malformed("not three strict base64url parts");
        let text = std::str::from_utf8(token.as_bytes()).map_err(|_| malformed.clone())?;
        let (signing_input, signature) = text.rsplit_once('.').ok_or(malformed.clone())?;
        let (header, claims) = signing_input.split_once('.').ok_or(malformed.clone())?;
        let sound = [header, claims, signature]
            .into_iter()
            .all(is_canonical_base64url);
        sound
            .then_some(Self {
                signing_input,
                header,
                claims,
                signature,
            })
            .ok_or(malformed)
    }
}

/// Decodes one part.
///
/// # Errors
/// [`TokenError::Malformed`] when it is not strict base64url.
pub(super) fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    let decoded = URL_SAFE_NO_PAD.decode(part);
    decoded.map_err(|_| TokenError::Malformed("not strict base64url"))
}

/// How many characters `bytes` bytes take without padding.
pub(super) const fn encoded_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// Whether `part` is the one spelling of some bytes: no character outside the alphabet, no impossible length, and no bit
/// set that decoding would drop (RFC 4648 §3.5).
fn is_canonical_base64url(part: &str) -> bool {
    let dropped_bits = match part.len() % 4 {
        0 => 0,
        2 => 0b1111,
        3 => 0b11,
        _ => return false,
    };
    let sextet = |byte: u8| SEXTETS[usize::from(byte)];
    let Some(last) = part.bytes().last().map(sextet) else {
        return false;
    };
    // Looked at to the end: without an early exit it is one load for each character.
    let seen = part.bytes().fold(0, |seen, byte| seen | sextet(byte));
    seen & OUTSIDE == 0 && last & dropped_bits == 0
}

/// The six bits that each character stands for; [`OUTSIDE`] for one that is not of the alphabet.
const SEXTETS: [u8; 256] = {
    let mut sextets = [OUTSIDE; 256];
    let mut sextet = 0;
    while sextet < ALPHABET.len() {
        sextets[ALPHABET[sextet] as usize] = sextet as u8;
        sextet += 1;
    }
    sextets
};

/// RFC 4648 §5, table 2.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A bit that no sextet has.
const OUTSIDE: u8 = 0b1000_0000;
