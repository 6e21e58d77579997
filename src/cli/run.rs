//! `tollgate run`: serves until it is told to stop.

use std::process::ExitCode;

use super::args::RunOptions;
use super::output;
use crate::server;

pub(super) fn run(options: &RunOptions) -> anyhow::Result<ExitCode> {
    match server::run(&options.file.config, |summary| output::notice(summary)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            output::notice(error.to_string().trim_end());
            Ok(ExitCode::FAILURE)
        }
    }
}
