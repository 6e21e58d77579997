//! The one thread that reads: whatever waits, as one snapshot has it. Never waits for the writer: the write-ahead log keeps
//! them apart.

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use tokio::sync::oneshot;

use super::db::{Db, unavailable};
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
        while let Ok(first) = incoming.recv() {
            // The snapshot begins behind the last of them: it has whatever was committed before they were asked.
            let mut reads = vec![first];
            reads.extend(incoming.try_iter().take(GROUP_MAX - 1));
            self.answer(reads);
        }
    }

    fn answer(&self, reads: Vec<Read>) {
        let snapshot = match reads.len() {
            // One read is a snapshot by itself.
            1 => Ok(None),
            _ => self.connection.unchecked_transaction().map(Some),
        };
        let _held = match snapshot {
            Ok(snapshot) => snapshot,
            Err(error) => {
                let error = unavailable(&error);
                return reads.into_iter().for_each(|read| read.fail(error));
            }
        };
        for read in reads {
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

impl Read {
    fn fail(self, error: StoreError) {
        match self {
            Self::Session(_, reply) => {
                let _ = reply.send(Err(error));
            }
            Self::LiveOf(_, reply) => {
                let _ = reply.send(Err(error));
            }
        }
    }
}

/// Reads that share one snapshot.
const GROUP_MAX: usize = 64;
