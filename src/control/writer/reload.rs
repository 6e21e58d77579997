//! A reload on its way: its preparation, who waits for it, and what they and everybody else hear of its end.

use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};

use super::prepare::{Prepared, StartError};
use crate::control::event::Reloaded;
use crate::control::status::{Board, LastReload, ReloadOutcome};
use crate::control::surroundings::Surroundings;

/// How a preparation ended.
pub(super) type Outcome = Result<Result<Prepared, StartError>, JoinError>;

/// Those who asked for a reload while one was being prepared: perhaps it read the file before they wrote it.
pub(super) type Waiting = Option<Vec<oneshot::Sender<Reloaded>>>;

/// A reload that is being prepared, and who waits for it.
pub(super) struct Reload {
    work: JoinHandle<Result<Prepared, StartError>>,
    pub(super) replies: Vec<oneshot::Sender<Reloaded>>,
}

impl Reload {
    /// Begins to prepare beside what serves.
    pub(super) fn begin(
        work: impl Future<Output = Result<Prepared, StartError>> + Send + 'static,
        replies: Vec<oneshot::Sender<Reloaded>>,
    ) -> Self {
        Self {
            work: tokio::spawn(work),
            replies,
        }
    }
}

/// Ends when the reload that is being prepared does; never when there is none.
pub(super) async fn ended(reload: &mut Option<Reload>) -> Outcome {
    match reload {
        Some(reload) => (&mut reload.work).await,
        None => std::future::pending().await,
    }
}

/// Tells log, metrics, board, and whoever asked.
pub(super) fn tell(
    reloaded: &Reloaded,
    around: &Surroundings,
    board: &Board,
    replies: Vec<oneshot::Sender<Reloaded>>,
) {
    let generation = reloaded.generation;
    match reloaded.outcome {
        ReloadOutcome::Ok => tracing::info!(generation, "reloaded the configuration"),
        ReloadOutcome::Rejected => tracing::error!(
            generation,
            error = %reloaded.text,
            "rejected the configuration; the one before goes on serving"
        ),
    }
    let metrics = around.telemetry.metrics();
    metrics.reload(reloaded.outcome.as_str());
    board.reloaded(LastReload {
        at_ms: around.clock.now().as_millis(),
        outcome: reloaded.outcome,
        text: reloaded.text.clone(),
    });
    for reply in replies {
        // Whoever asked may have gone.
        let _ = reply.send(reloaded.clone());
    }
}
