//! The one thread that reads. Never waits for the writer: the write-ahead log keeps them apart.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use super::file::{Db, unavailable};
use super::rows;
use crate::session::{Session, StoreError, TimedId};
use crate::time::Clock;

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What can be read.
#[derive(Debug)]
pub(super) enum Read {
    /// One session.
    Session(TimedId, Reply<Option<Session>>),
    /// The live sessions of a subject.
    LiveOf(Box<str>, Reply<Vec<Session>>),
}

/// Reads for everybody.
pub(super) struct Reader {
    connection: Db,
    clock: Arc<dyn Clock>,
}

impl Reader {
    pub(super) fn new(connection: Db, clock: Arc<dyn Clock>) -> Self {
        Self { connection, clock }
    }

    /// Reads until nobody can ask any more. Who no longer waits for an answer is not missed.
    pub(super) fn run(self, incoming: &Receiver<Read>) {
        for read in incoming {
            match read {
                Read::Session(session, reply) => {
                    let found = rows::find(&self.connection, session);
                    let _ = reply.send(found.map_err(|error| unavailable(&error)));
                }
                Read::LiveOf(subject, reply) => {
                    let live = rows::live_of(&self.connection, &subject, self.clock.now());
                    let _ = reply.send(live.map_err(|error| unavailable(&error)));
                }
            }
        }
    }
}
