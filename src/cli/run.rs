//! `tollgate run`: serves until it is told to stop.

use std::process::ExitCode;

use super::args::RunOptions;
use crate::server;

pub(super) fn run(options: &RunOptions) -> anyhow::Result<ExitCode> {
    match server::run(&options.file.config, |summary| eprintln!("{summary}")) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("{}", error.to_string().trim_end());
            Ok(ExitCode::FAILURE)
        }
    }
}
