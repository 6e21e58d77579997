//! What all parts of this room have around them.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::event::Event;
use super::state::StateDir;
use crate::telemetry::Telemetry;
use crate::time::Clock;

/// What every part needs of the world around it.
#[derive(Clone)]
pub(super) struct Surroundings {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) telemetry: Arc<Telemetry>,
    /// Where a restart finds what was kept; `None`: nowhere.
    pub(super) state: Option<StateDir>,
    /// The way to the world's writer.
    pub(super) events: mpsc::Sender<Event>,
}
