//! `tollgate key`: makes signing keys, shows their public half, and tells a running gateway which key to distrust.

use std::process::ExitCode;

use serde_json::json;

use super::args::{GenerateOptions, KeyCommand, ShowOptions};
use super::private_keys::{in_file, make, read, write_private};
use super::{distrust, output, rotate};
use crate::session::KeyFile;

pub(super) fn run(command: KeyCommand) -> anyhow::Result<ExitCode> {
    match command {
        KeyCommand::Generate(options) => generate(&options),
        KeyCommand::Rotate(options) => rotate::run(&options),
        KeyCommand::Show(options) => show(&options),
        KeyCommand::Distrust(options) => distrust::run(&options),
    }
}

fn generate(options: &GenerateOptions) -> anyhow::Result<ExitCode> {
    let pem = make(&options.algorithm)?;
    match &options.out {
        Some(path) => write_private(path, pem.expose())?,
        None => output::result(String::from_utf8_lossy(pem.expose()).trim_end())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(options: &ShowOptions) -> anyhow::Result<ExitCode> {
    let file = KeyFile::parse(&read(&options.key)?);
    let file = in_file(file, &options.key)?;
    let keys: Vec<_> = file.keys().map(|one| one.key.public_jwk()).collect();
    output::result(format_args!("{:#}", json!({ "keys": keys })))?;
    Ok(ExitCode::SUCCESS)
}
