//! The `Authorization` value (RFC 6750 §2.1): scheme and size. Does not look inside the token: one that was verified before
//! is known by its digest, and any other is read strictly.

use std::fmt;

/// A token as it came: capped in size, nothing trusted, not even that it is text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BearerToken<'h>(&'h [u8]);

/// Why a value carries no token that is worth decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BearerError {
    /// Another scheme, or nothing behind the scheme.
    Missing,
    /// Longer than [`BearerToken::BYTES_MAX`].
    Oversized,
}

impl<'h> BearerToken<'h> {
    /// The longest token, in bytes.
    pub const BYTES_MAX: usize = 8 * 1024;

    /// Reads one `Authorization` value: `Bearer` in any case, one or more spaces, the token.
    ///
    /// # Errors
    /// See [`BearerError`].
    pub fn parse(authorization: &'h [u8]) -> Result<Self, BearerError> {
        let (scheme, rest) = authorization
            .split_at_checked(SCHEME.len())
            .ok_or(BearerError::Missing)?;
        if !scheme.eq_ignore_ascii_case(SCHEME) || rest.first() != Some(&b' ') {
            return Err(BearerError::Missing);
        }
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        Self::check(&rest[spaces..])
    }

    /// Takes a bare token, as the command line and `Sec-WebSocket-Protocol` have it.
    ///
    /// # Errors
    /// See [`BearerError`].
    pub fn from_compact(token: &'h (impl AsRef<[u8]> + ?Sized)) -> Result<Self, BearerError> {
        Self::check(token.as_ref())
    }

    /// What stands where the compact serialization should.
    pub fn as_bytes(&self) -> &'h [u8] {
        self.0
    }

    fn check(token: &'h [u8]) -> Result<Self, BearerError> {
        if token.is_empty() {
            return Err(BearerError::Missing);
        }
        if token.len() > Self::BYTES_MAX {
            return Err(BearerError::Oversized);
        }
        Ok(Self(token))
    }
}

/// A token is a credential: its text stays out of logs.
impl fmt::Debug for BearerToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BearerToken({} bytes)", self.0.len())
    }
}

impl fmt::Display for BearerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "no Bearer token",
            Self::Oversized => "the token is over 8 KiB",
        })
    }
}

impl std::error::Error for BearerError {}

const SCHEME: &[u8] = b"Bearer";
