//! The `Authorization` value (RFC 6750 §2.1).

/// A token as it came: capped in size, nothing trusted.
#[derive(Debug, Clone, Copy)]
pub struct BearerToken<'h>(&'h str);

/// Why a value carries no token that is worth decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BearerError {
    /// Another scheme, or nothing behind the scheme.
    Missing,
    /// Longer than [`BearerToken::BYTES_MAX`].
    Oversized,
    /// Not made of the characters of a compact JWS.
    Malformed,
}

impl<'h> BearerToken<'h> {
    /// The longest token, in bytes.
    pub const BYTES_MAX: usize = 8 * 1024;

    /// Reads one `Authorization` value: `Bearer` in any case, one or more spaces, the token.
    ///
    /// # Errors
    /// See [`BearerError`].
    pub fn parse(_authorization: &'h [u8]) -> Result<Self, BearerError> {
        unimplemented!()
    }

    /// Takes a bare token, as the command line has it.
    ///
    /// # Errors
    /// See [`BearerError`].
    pub fn from_compact(_token: &'h str) -> Result<Self, BearerError> {
        unimplemented!()
    }

    /// The compact serialization.
    pub fn as_str(&self) -> &'h str {
        self.0
    }
}
