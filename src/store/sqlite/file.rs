//! The store as the house sees it: jobs for the writer, reads for the reader, and a deadline for each.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::super::adapter::Surroundings;
use super::db::connect;
use super::owed::OWED_MAX;
use super::place::Place;
use super::reader::{Read, Reader};
use super::time::resume;
use super::writer::{Call, Job, Writer};
use crate::session::{Change, Committed, Session, SessionStore, StoreError, TimedId};
use crate::time::Timestamp;

/// Keeps sessions in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    jobs: SyncSender<Call>,
    /// What is owed and found no room among the jobs.
    late: SyncSender<Change>,
    reads: SyncSender<Read>,
    passed: Timestamp,
}

/// Why a file cannot be the store.
#[derive(Debug)]
pub enum OpenError {
    /// A later version of tollgate wrote it.
    TooNew {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// SQLite cannot use it.
    Sqlite {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// A file or a thread cannot be made.
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooNew { path, found } => write!(
                f,
                "the session store {} has version {found}, this program knows versions up to {}",
                path.display(),
                super::schema::VERSION
            ),
            Self::Sqlite { path, .. } | Self::Io { path, .. } => {
                write!(f, "the session store {} cannot be opened", path.display())
            }
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TooNew { .. } => None,
            Self::Sqlite { source, .. } => Some(source),
            Self::Io { source, .. } => Some(source),
        }
    }
}

impl SqliteStore {
    /// Opens the file, or makes it with mode 0600, and reads what is revoked.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path, surroundings: Surroundings) -> Result<Self, OpenError> {
        let sqlite = |source| OpenError::Sqlite {
            path: path.to_owned(),
            source,
        };
        let io = |source| OpenError::Io {
            path: path.to_owned(),
            source,
        };
        create_private(path).map_err(io)?;
        let mut connection = connect(path).map_err(sqlite)?;
        let found = super::schema::migrate(&mut connection).map_err(sqlite)?;
        if found > super::schema::VERSION {
            let path = path.to_owned();
            return Err(OpenError::TooNew { path, found });
        }
        // Not before it is open to be written: what a container has from its image becomes another file by that.
        let place = Place::of(path).map_err(io)?;
        let passed = resume(&connection, surroundings.clock.now()).map_err(sqlite)?;
        let reading = connect(path).map_err(sqlite)?;
        let (late, owed) = sync_channel(OWED_MAX);
        let mut writer = Writer::new(connection, place, surroundings.clone(), owed);
        writer.follow().map_err(sqlite)?;
        let (jobs, incoming) = sync_channel(QUEUE_MAX);
        spawn("sessions-write", move || writer.run(&incoming)).map_err(io)?;
        let (reads, incoming) = sync_channel(QUEUE_MAX);
        let reader = Reader::new(reading, surroundings.clock);
        spawn("sessions-read", move || reader.run(&incoming)).map_err(io)?;
        Ok(Self {
            jobs,
            late,
            reads,
            passed,
        })
    }

    /// A moment that had passed when the file was opened, whatever the clock said.
    pub fn passed(&self) -> Timestamp {
        self.passed
    }

    /// The last word before a stop: this process has seen nothing later than `now`, and writes nothing after it. The file is
    /// then whole by itself: to copy it, or to put a copy into its place, nobody has to know of a log beside it.
    pub fn rest(&self, now: Timestamp) {
        let (done, rested) = sync_channel(1);
        let asked = self.jobs.try_send(Call::Rest((now, done)));
        if asked.is_err() || rested.recv_timeout(COMMIT_MAX).is_err() {
            tracing::error!("the session store did not come to its last word");
        }
    }
}

impl SessionStore for SqliteStore {
    async fn load(&self, session: TimedId) -> Result<Option<Session>, StoreError> {
        let (reply, answer) = oneshot::channel();
        ask(&self.reads, Read::Session(session, reply), answer, READ_MAX).await
    }

    async fn live_of(&self, subject: &str) -> Result<Vec<Session>, StoreError> {
        let (reply, answer) = oneshot::channel();
        let read = Read::LiveOf(subject.into(), reply);
        ask(&self.reads, read, answer, READ_MAX).await
    }

    async fn commit(&self, change: Change) -> Result<Committed, StoreError> {
        let (reply, answer) = oneshot::channel();
        let owed = change.command.is_owed().then(|| change.clone());
        let call = Call::Make(Job { change, reply });
        let committed = ask(&self.jobs, call, answer, COMMIT_MAX).await;
        if let (Err(StoreError::Overloaded), Some(owed)) = (&committed, owed)
            && self.late.try_send(owed).is_err()
        {
            tracing::error!("too many revocations wait for the session store: one is lost");
        }
        committed
    }
}

/// Hands a call to its thread and waits, though never long.
async fn ask<C, T>(
    calls: &SyncSender<C>,
    call: C,
    answer: oneshot::Receiver<Result<T, StoreError>>,
    limit: Duration,
) -> Result<T, StoreError> {
    calls.try_send(call).map_err(|error| match error {
        TrySendError::Full(_) => StoreError::Overloaded,
        TrySendError::Disconnected(_) => StoreError::Unavailable,
    })?;
    match timeout(limit, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(StoreError::Unavailable),
        Err(_) => Err(StoreError::Slow),
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let builder = thread::Builder::new().name(name.to_owned());
    builder.spawn(run).map(|_| ())
}

/// Salts are in the file: nobody else may read it. SQLite gives its side files the same mode.
pub(super) fn create_private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Calls that may wait for a thread.
const QUEUE_MAX: usize = 4096;
const READ_MAX: Duration = Duration::from_secs(1);
/// A commit waits for the disk.
const COMMIT_MAX: Duration = Duration::from_secs(5);
