//! `tollgate key`: makes signing keys, shows their public half, and tells a running gateway which key to distrust.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::json;

use super::args::{GenerateOptions, KeyCommand, ShowOptions};
use super::distrust;
use crate::secret::Secret;
use crate::token::{Algorithm, SigningKey};

pub(super) fn run(command: KeyCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeyCommand::Generate(options) => generate(&options),
        KeyCommand::Show(options) => show(&options),
        KeyCommand::Distrust(options) => distrust::run(&options),
    }
}

fn generate(options: &GenerateOptions) -> anyhow::Result<ExitCode> {
    const OFFERED: [Algorithm; 4] = [
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
        Algorithm::Rs256,
    ];
    let named = |offered: &Algorithm| offered.as_str().eq_ignore_ascii_case(&options.algorithm);
    let Some(algorithm) = OFFERED.into_iter().find(named) else {
        bail!(
            "`{}` is not offered: ES256, ES384, EdDSA or RS256",
            options.algorithm
        );
    };
    let pem = SigningKey::generate_pem(algorithm).map_err(anyhow::Error::msg)?;
    match &options.out {
        Some(path) => write_private(path, pem.expose())?,
        None => std::io::stdout()
            .write_all(pem.expose())
            .context("standard output")?,
    }
    Ok(ExitCode::SUCCESS)
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

fn show(options: &ShowOptions) -> anyhow::Result<ExitCode> {
    let key = signing_key(&options.key)?;
    println!("{:#}", json!({ "keys": [key.public_jwk()] }));
    Ok(ExitCode::SUCCESS)
}

/// Reads one private key.
pub(super) fn signing_key(path: &Path) -> anyhow::Result<SigningKey> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a key that the command line names, not the configuration"
    )]
    let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    SigningKey::from_pem(&Secret::new(pem))
        .map_err(anyhow::Error::msg)
        .with_context(|| path.display().to_string())
}
