//! One match from command to function, and the exit code that comes of it.

use std::process::ExitCode;

use clap::Parser as _;

use super::args::{Arguments, Command};
use super::{check, demo, explain, key, output, run, sessions, token};

/// Reads the arguments, runs one command, and says how it ended: 0 done, 1 refused or faulty, 2 could not be tried.
/// `token` alone ends with 0 or 1.
pub fn main() -> ExitCode {
    let command = Arguments::parse().command;
    let failed = match command {
        // Its answers are yes and no: whatever cannot be minted, read or verified is a no.
        Command::Token(_) => ExitCode::FAILURE,
        _ => ExitCode::from(2),
    };
    let outcome = match command {
        Command::Run(options) => run::run(&options),
        Command::Check(options) => check::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Token(command) => token::run(command),
        Command::Key(command) => key::run(command),
        Command::Sessions(command) => sessions::run(&command),
        Command::Demo(options) => demo::run(&options),
    };
    outcome.unwrap_or_else(|error| {
        output::notice(format!("tollgate: {error:#}").trim_end());
        failed
    })
}
