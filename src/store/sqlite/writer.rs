//! The one thread that writes: decides a group of changes inside one transaction, syncs once, counts what was revoked, and
//! only then answers. Between groups it follows other processes and sweeps what has expired.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use rusqlite::TransactionBehavior;
use tokio::sync::oneshot;

use super::db::{Db, settle, unavailable};
use super::owed::Owed;
use super::place::Place;
use super::rows::{SqliteRows, revoked_since};
use super::sweep::{Swept, sweep};
use super::time::{BEAT_EVERY, begin, end, rest};
use crate::session::{Change, Command, Committed, Outcome, Revocation, StoreError, apply};
use crate::store::Surroundings;
use crate::time::Timestamp;

/// What the writer is asked.
#[derive(Debug)]
pub(super) enum Call {
    /// A change.
    Make(Job),
    /// The last word of this process, and who waits for it: nothing later than that moment was seen.
    Rest(Last),
}

/// A change and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) change: Change,
    pub(super) reply: oneshot::Sender<Result<Committed, StoreError>>,
}

/// The last word and who waits for it.
type Last = (Timestamp, SyncSender<()>);

/// Writes for everybody.
pub(super) struct Writer {
    connection: Db,
    place: Place,
    surroundings: Surroundings,
    owed: Owed,
    /// The last revocation that counts here.
    seq: i64,
    /// SQLite's own count of other connections' commits.
    data_version: i64,
    followed: Instant,
    /// `None`: what expired while nobody ran leaves first.
    swept: Option<Instant>,
    /// When the file last learned what time it is. `None`: it has yet to learn that somebody is at work.
    beaten: Option<Instant>,
}

impl Writer {
    /// `late`: what is owed though it never came to be tried.
    pub(super) fn new(
        connection: Db,
        place: Place,
        surroundings: Surroundings,
        late: Receiver<Change>,
    ) -> Self {
        Self {
            connection,
            place,
            surroundings,
            owed: Owed::new(late),
            seq: 0,
            data_version: -1,
            followed: Instant::now(),
            swept: None,
            beaten: None,
        }
    }

    /// Writes until the last word, or until nobody can ask any more.
    pub(super) fn run(mut self, incoming: &Receiver<Call>) {
        loop {
            match incoming.recv_timeout(FOLLOW_EVERY) {
                Ok(first) => {
                    let (jobs, last) = collect(first, incoming);
                    if !jobs.is_empty() {
                        self.write(jobs);
                    }
                    if let Some((now, done)) = last {
                        self.rest(now);
                        // Who no longer waits has ended the process.
                        let _ = done.send(());
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.housekeep();
        }
    }

    /// On the connection that is there: by its path another file may be reached meanwhile, and the log would go into that one.
    fn rest(&self, now: Timestamp) {
        let rested = rest(&self.connection, now).and_then(|()| settle(&self.connection));
        if let Err(error) = rested {
            unavailable(&error);
        }
    }

    /// Counts what is revoked in the file and does not count here yet.
    pub(super) fn follow(&mut self) -> rusqlite::Result<()> {
        let version = self
            .connection
            .pragma_query_value(None, "data_version", |row| row.get(0))?;
        if version != self.data_version {
            let now = self.surroundings.clock.now();
            self.seq = count_since(&self.connection, &self.surroundings, self.seq, now)?;
            self.data_version = version;
        }
        self.followed = Instant::now();
        Ok(())
    }

    fn write(&mut self, jobs: Vec<Job>) {
        let (changes, replies): (Vec<_>, Vec<_>) =
            jobs.into_iter().map(|job| (job.change, job.reply)).unzip();
        // Who no longer waits for an answer is not missed: asking again gives it.
        match self.commit_or_owe(changes, |one| !replies[one].is_closed()) {
            Ok(committed) => replies
                .into_iter()
                .zip(committed)
                .for_each(|(reply, done)| {
                    let _ = reply.send(Ok(done));
                }),
            Err(error) => replies.into_iter().for_each(|reply| {
                let _ = reply.send(Err(error));
            }),
        }
    }

    /// Makes `changes`; `awaited` tells whether somebody still waits for the answer to one of them.
    fn commit_or_owe(
        &mut self,
        changes: Vec<Change>,
        awaited: impl Fn(usize) -> bool,
    ) -> Result<Vec<Committed>, StoreError> {
        let owed = Owed::among(&changes);
        let is_sound = self.surroundings.clock.is_sound();
        let committed = match is_sound && self.place.holds() {
            true => self
                .commit(changes, awaited)
                .map_err(|error| unavailable(&error)),
            false => Err(StoreError::Unavailable),
        };
        if committed.is_err() {
            let now = self.surroundings.clock.now();
            let now = is_sound.then(|| begin(&self.connection, now).unwrap_or(now));
            self.owed.keep(owed, now);
        }
        committed
    }

    fn commit(
        &mut self,
        changes: Vec<Change>,
        awaited: impl Fn(usize) -> bool,
    ) -> rusqlite::Result<Vec<Committed>> {
        let surroundings = &self.surroundings;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut now = begin(&transaction, surroundings.clock.now())?;
        let seq = count_since(&transaction, surroundings, self.seq, now)?;
        let mut rows = SqliteRows {
            connection: &transaction,
            revocations: &surroundings.revocations,
            revoked: Vec::new(),
            latest_end: Timestamp::default(),
        };
        let mut committed = Vec::with_capacity(changes.len());
        let mut cut = false;
        for (one, change) in changes.into_iter().enumerate() {
            // Asked now, behind whatever took its time: who gave up was told that nothing was spent or begun.
            if change.command.is_for_the_answer() && !awaited(one) {
                let outcome = Outcome::Done;
                committed.push(Committed { at: now, outcome });
                continue;
            }
            // What begins here begins after every cutoff, also within one millisecond.
            if matches!(change.command, Command::Open { .. }) {
                let next = now.plus(Duration::from_millis(u64::from(cut)));
                now = surroundings.revocations.beginning(next);
                cut = false;
            }
            let revoked_before = rows.revoked.len();
            let outcome = apply(&mut rows, change, now)?;
            committed.push(Committed { at: now, outcome });
            let revoked = &rows.revoked[revoked_before..];
            cut |= revoked.iter().any(|one| one.what.has_cutoff());
        }
        let (revoked, latest_end) = (rows.revoked, rows.latest_end);
        end(&transaction, now, latest_end)?;
        let seq = match revoked.is_empty() {
            true => seq,
            false => transaction.last_insert_rowid(),
        };
        transaction.commit()?;
        self.beaten = Some(Instant::now());
        self.seq = seq;
        count(&self.surroundings, revoked, now);
        Ok(committed)
    }

    fn try_owed(&mut self) {
        if let Some(owed) = self.owed.due() {
            let count = owed.len();
            if self.commit_or_owe(owed, |_| true).is_ok() {
                tracing::info!(
                    count,
                    "revocations that waited for the session store are kept"
                );
            }
        }
    }

    /// What is done between groups.
    fn housekeep(&mut self) {
        self.try_owed();
        let lag = self.followed.elapsed();
        if lag >= FOLLOW_EVERY
            && let Err(error) = self.follow()
        {
            unavailable(&error);
        }
        let Surroundings {
            revocations,
            observer,
            ..
        } = &self.surroundings;
        observer.revocations(revocations.len(), lag);
        // A time that nobody believes ends nothing and is not remembered.
        if self.surroundings.clock.is_sound() {
            let now = self.surroundings.clock.now();
            self.beat(now);
            self.sweep(now);
        }
    }

    /// Has the file learn what time it is.
    fn beat(&mut self, now: Timestamp) {
        if is_due(self.beaten, BEAT_EVERY) {
            self.beaten = Some(Instant::now());
            if let Err(error) = end(&self.connection, now, Timestamp::default()) {
                unavailable(&error);
            }
        }
    }

    /// Lets go of what has expired.
    fn sweep(&mut self, now: Timestamp) {
        if !is_due(self.swept, SWEEP_EVERY) {
            return;
        }
        let swept = sweep(&mut self.connection, now).unwrap_or_else(|error| {
            unavailable(&error);
            Swept::All
        });
        if matches!(swept, Swept::All) {
            self.swept = Some(Instant::now());
        }
        self.surroundings.revocations.expire(now);
    }
}

fn is_due(last: Option<Instant>, every: Duration) -> bool {
    last.is_none_or(|last| last.elapsed() >= every)
}

/// Everything that waits, at most a group of it, and the last word if it is among it. While a group syncs the next one
/// gathers, so nobody waits on purpose.
fn collect(first: Call, incoming: &Receiver<Call>) -> (Vec<Job>, Option<Last>) {
    let (mut jobs, mut last) = (Vec::new(), None);
    let rest = incoming.try_iter().take(GROUP_MAX - 1);
    for call in std::iter::once(first).chain(rest) {
        match call {
            Call::Make(job) => jobs.push(job),
            Call::Rest(word) => last = Some(word),
        }
    }
    (jobs, last)
}

/// Counts what the file has behind `seq`; returns the last one's number.
fn count_since(
    connection: &Db,
    surroundings: &Surroundings,
    seq: i64,
    now: Timestamp,
) -> rusqlite::Result<i64> {
    let mut last = seq;
    loop {
        let entries = revoked_since(connection, last, READ_ROWS_MAX)?;
        let Some((seq, _)) = entries.last() else {
            return Ok(last);
        };
        last = *seq;
        let known = entries.into_iter().filter_map(|(_, revocation)| revocation);
        count(surroundings, known, now);
    }
}

fn count(
    surroundings: &Surroundings,
    revoked: impl IntoIterator<Item = Revocation>,
    now: Timestamp,
) {
    let live = revoked.into_iter().filter(|one| now < one.expires_at);
    surroundings.revocations.revoke_all(live.collect(), now);
}

/// How soon another process's revocation counts here.
pub(super) const FOLLOW_EVERY: Duration = Duration::from_millis(100);
/// Changes that share one sync.
const GROUP_MAX: usize = 256;
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// Revocations that are in memory at once before they count: there may be millions at a start.
const READ_ROWS_MAX: i64 = 100_000;
