//! The port to randomness. Knows no source of it.

/// Draws entropy. Implemented once, at the rim; tests hand in bytes they know.
///
/// # Security
/// Whoever can foretell the bytes can foretell names and salts; with a leaked master key, refresh tokens.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with entropy that nobody can foretell.
    fn fill(&self, bytes: &mut [u8]);
}
