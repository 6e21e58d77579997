//! `tollgate check`: every fault of a configuration at once, by the code that starts up.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use serde_json::json;

use super::args::{CheckOptions, Format};
use super::output;
use crate::config::Colour;
use crate::control::{self, LoadError, Loaded, SystemClock};
use crate::time::Clock as _;

/// Exit 0: valid, 1: faults, 2: cannot be read.
pub(super) fn run(options: &CheckOptions) -> anyhow::Result<ExitCode> {
    let loaded = control::load(&options.file.config, SystemClock::new().now());
    match options.format {
        Format::Text => text(options, &loaded)?,
        Format::Json => output::result(as_json(&loaded))?,
    }
    Ok(match loaded {
        Ok(_) => ExitCode::SUCCESS,
        Err(LoadError::Faulty { .. }) => ExitCode::FAILURE,
        Err(LoadError::Unreadable { .. }) => ExitCode::from(2),
    })
}

fn text(options: &CheckOptions, loaded: &Result<Loaded, LoadError>) -> anyhow::Result<()> {
    match loaded {
        Ok(loaded) => {
            let config = &loaded.config;
            let warnings = loaded.source.report(&loaded.warnings).to_text(colour());
            output::result(format_args!(
                "{warnings}{}: valid: {} routes, {} issuers, {} upstreams",
                options.file.config.display(),
                config.routes.len(),
                config.issuers.len(),
                config.upstreams.len()
            ))
        }
        Err(LoadError::Faulty {
            source,
            diagnostics,
            ..
        }) => output::result(source.report(diagnostics).to_text(colour()).trim_end()),
        Err(error @ LoadError::Unreadable { .. }) => {
            output::notice(format_args!("tollgate: {error}"));
            Ok(())
        }
    }
}

/// Colours are for people: on a terminal that has them, unless `NO_COLOR` is set (https://no-color.org).
#[expect(
    clippy::disallowed_methods,
    reason = "how words look is the terminal's to say, not the configuration's"
)]
fn colour() -> Colour {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let without = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    match std::io::stdout().is_terminal() && !unwanted && !without {
        true => Colour::Ansi,
        false => Colour::Plain,
    }
}

fn as_json(loaded: &Result<Loaded, LoadError>) -> String {
    match loaded {
        Ok(loaded) => loaded.source.report(&loaded.warnings).to_json().to_string(),
        Err(LoadError::Faulty {
            source,
            diagnostics,
            ..
        }) => source.report(diagnostics).to_json().to_string(),
        Err(LoadError::Unreadable { text, .. }) => {
            json!({ "valid": false, "error": text, "diagnostics": [] }).to_string()
        }
    }
}
