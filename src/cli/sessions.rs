//! `tollgate sessions`: looks after the session store while the gateway serves.

use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::args::{BackupOptions, SessionsCommand};
use super::output;
use crate::config::model::SessionStoreKind;
use crate::control::{self, SystemClock};
use crate::store;
use crate::time::Clock as _;

pub(super) fn run(command: &SessionsCommand) -> anyhow::Result<ExitCode> {
    match command {
        SessionsCommand::Backup(options) => backup(options),
    }
}

fn backup(options: &BackupOptions) -> anyhow::Result<ExitCode> {
    let config = control::load(&options.file.config, SystemClock::new().now())?.config;
    let Some(sessions) = &config.sessions else {
        bail!("the configuration has no [sessions]")
    };
    let SessionStoreKind::Sqlite(source) = &sessions.store else {
        bail!("a store in memory has no backup")
    };
    let target = options.target.display();
    if options.target.exists() {
        bail!("{target} exists already, and a backup overwrites nothing")
    }
    store::backup(source, &options.target)
        .with_context(|| format!("cannot copy {} to {target}", source.display()))?;
    output::result(target)?;
    Ok(ExitCode::SUCCESS)
}
