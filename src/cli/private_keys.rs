//! Private keys as files that the command line names: made, written for their owner alone, and read.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, bail};

use crate::secret::Secret;
use crate::token::{Algorithm, SigningKey};

/// A new key of the named algorithm.
pub(super) fn make(algorithm: &str) -> anyhow::Result<Secret> {
    const OFFERED: [Algorithm; 4] = [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
        Algorithm::Rs256,
    ];
    let named = |offered: &Algorithm| offered.as_str().eq_ignore_ascii_case(algorithm);
    let Some(algorithm) = OFFERED.into_iter().find(named) else {
        bail!("`{algorithm}` is not offered: ES256, ES384, EdDSA or RS256");
    };
    SigningKey::generate_pem(algorithm).map_err(anyhow::Error::msg)
}

/// Writes a new file that its owner alone can read; an existing one is never touched.
pub(super) fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot create {}", path.display()))?;
    file.write_all(bytes)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Reads one private key.
pub(super) fn signing_key(path: &Path) -> anyhow::Result<SigningKey> {
    in_file(SigningKey::from_pem(&read(path)?), path)
}

/// An error names the file.
pub(super) fn in_file<T>(parsed: Result<T, String>, path: &Path) -> anyhow::Result<T> {
    parsed
        .map_err(anyhow::Error::msg)
        .with_context(|| path.display().to_string())
}

/// Reads a file of private keys.
pub(super) fn read(path: &Path) -> anyhow::Result<Secret> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a key that the command line names, not the configuration"
    )]
    let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Secret::new(pem))
}
