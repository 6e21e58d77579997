//! The gate that a command asks: the configuration and the keys of its providers, without any socket to serve on.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use super::output;
use crate::control::{self, SystemClock, World};
use crate::gate::Gate;
use crate::server;
use crate::telemetry::Telemetry;
use crate::time::Clock as _;

/// Starts the world just for as long as it takes to put a gate together, and tells which provider does not answer.
pub(super) fn gate(config: &Path) -> anyhow::Result<Arc<Gate>> {
    server::install_cryptography();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start a runtime")?;
    let clock = Arc::new(SystemClock::new());
    let telemetry = Arc::new(Telemetry::start(clock.clone(), control::fresh())?);
    let world = runtime.block_on(World::start(config.to_owned(), clock.clone(), telemetry))?;
    for issuer in world.board().status(clock.now()).issuers {
        if let Some(error) = issuer.last_error {
            output::notice(format_args!("issuer {}: {error}", issuer.name));
        }
    }
    let gate = world.gate().load();
    runtime.shutdown_background();
    Ok(gate)
}
