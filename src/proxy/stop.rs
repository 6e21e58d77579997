//! The word that the process stops, as those hear it who wait for nothing else to end.

use std::future::pending;

use pingora_core::server::ShutdownWatch;

/// Waits for the process to be stopped.
pub(super) async fn stopped(shutdown: &mut ShutdownWatch) {
    if shutdown.wait_for(|stops| *stops).await.is_err() {
        pending::<()>().await;
    }
}
