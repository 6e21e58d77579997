//! A bounded queue of log lines with a thread that writes them. Whoever logs never waits: when the disk or the pipe does
//! not keep up, lines are dropped and counted. Knows bytes and sinks; does not know what a line says.

use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus::IntCounter;

/// Where lines go.
#[derive(Debug)]
pub(super) enum Sink {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, at its end.
    File(File),
    /// Nowhere: nothing is queued.
    Off,
}

/// The producers' end. Dropping it ends the thread once it has written what was queued.
#[derive(Debug)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    /// Tells the writer of work.
    work: Condvar,
    /// Tells whoever flushes that nothing is left.
    rest: Condvar,
    dropped: IntCounter,
}

#[derive(Debug)]
struct Queue {
    bytes: Vec<u8>,
    /// The sink to take from this byte on.
    redirect: Option<(usize, Sink)>,
    is_off: bool,
    writing: bool,
    /// Somebody waits: do not gather.
    hurry: bool,
    closed: bool,
}

impl Lines {
    /// Starts the writer. `dropped` counts lines that nobody will read.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(name: &str, sink: Sink, dropped: IntCounter) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue {
                bytes: Vec::new(),
                redirect: None,
                is_off: matches!(sink, Sink::Off),
                writing: false,
                hurry: false,
                closed: false,
            }),
            work: Condvar::new(),
            rest: Condvar::new(),
            dropped,
        });
        let writer = shared.clone();
        std::thread::Builder::new()
            .name(name.into())
            .spawn(move || writer.write(sink))?;
        Ok(Self(shared))
    }

    /// Queues one line, its line end included, or drops it. Never waits for the sink.
    pub(super) fn push(&self, line: &[u8]) {
        let mut queue = self.0.queue();
        if queue.is_off {
            return;
        }
        if queue.bytes.len() + line.len() > QUEUED_BYTES_MAX {
            drop(queue);
            return self.0.dropped.inc();
        }
        let before = queue.bytes.len();
        queue.bytes.extend_from_slice(line);
        let after = queue.bytes.len();
        drop(queue);
        // A wake-up costs a system call: only the first line and the one past the middle pay it.
        if before == 0 || (before < BATCH_BYTES && after >= BATCH_BYTES) {
            self.0.work.notify_one();
        }
    }

    /// Goes on at another sink, behind the lines that are queued.
    pub(super) fn redirect(&self, sink: Sink) {
        let mut queue = self.0.queue();
        queue.is_off = matches!(sink, Sink::Off);
        let from = queue.redirect.take().map(|(from, _)| from);
        queue.redirect = Some((from.unwrap_or(queue.bytes.len()), sink));
        drop(queue);
        self.0.work.notify_one();
    }

    /// Waits until every queued line is written, at most `limit`.
    pub(super) fn flush(&self, limit: Duration) {
        let mut queue = self.0.queue();
        queue.hurry = true;
        self.0.work.notify_one();
        let waited = self.0.rest.wait_timeout_while(queue, limit, |queue| {
            queue.writing || !queue.bytes.is_empty() || queue.redirect.is_some()
        });
        waited.unwrap_or_else(PoisonError::into_inner).0.hurry = false;
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.0.queue().closed = true;
        self.0.work.notify_one();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: gathers, swaps, writes, until the producers' end is gone.
    fn write(&self, sink: Sink) {
        let mut outlet = Outlet::new(sink);
        let mut batch = Vec::new();
        while let Some(redirect) = self.take(&mut batch) {
            let (from, next) =
                redirect.map_or((batch.len(), None), |(from, next)| (from, Some(next)));
            self.dropped.inc_by(outlet.write(&batch[..from]));
            if let Some(next) = next {
                outlet = Outlet::new(next);
            }
            self.dropped.inc_by(outlet.write(&batch[from..]));
            batch.clear();
        }
    }

    /// Waits for lines or a new sink; `None` when there will be no more.
    #[expect(
        clippy::option_option,
        reason = "the outer one ends the loop, the inner one is the new sink"
    )]
    fn take(&self, batch: &mut Vec<u8>) -> Option<Option<(usize, Sink)>> {
        let mut queue = self.queue();
        queue.writing = false;
        if queue.is_idle() {
            self.rest.notify_all();
        }
        let waited = self
            .work
            .wait_while(queue, |queue| queue.is_idle() && !queue.closed);
        let waited = waited.unwrap_or_else(PoisonError::into_inner);
        let gathered = self.work.wait_timeout_while(waited, GATHER, |queue| {
            queue.bytes.len() < BATCH_BYTES && !queue.hurry && !queue.closed
        });
        queue = gathered.unwrap_or_else(PoisonError::into_inner).0;
        if queue.closed && queue.is_idle() {
            return None;
        }
        queue.writing = true;
        std::mem::swap(&mut queue.bytes, batch);
        Some(queue.redirect.take())
    }
}

impl Queue {
    fn is_idle(&self) -> bool {
        self.bytes.is_empty() && self.redirect.is_none()
    }
}

/// A sink, and whether what it took last is the beginning of a line.
struct Outlet {
    sink: Sink,
    is_torn: bool,
}

impl Outlet {
    fn new(sink: Sink) -> Self {
        let is_torn = false;
        Self { sink, is_torn }
    }

    /// Writes whole lines, and gives how many of them nobody will read.
    fn write(&mut self, batch: &[u8]) -> u64 {
        if batch.is_empty() {
            return 0;
        }
        let written = match &mut self.sink {
            Sink::Stdout => write_all(&mut io::stdout().lock(), batch),
            Sink::Stderr => write_all(&mut io::stderr().lock(), batch),
            Sink::File(file) => return write_lines(file, batch, &mut self.is_torn),
            Sink::Off => Ok(()),
        };
        if written.is_ok() { 0 } else { count(batch) }
    }
}

/// Writes lines as far as there is room. What was torn by its want is ended before the next line, which is whole then.
fn write_lines(to: &mut impl Write, batch: &[u8], is_torn: &mut bool) -> u64 {
    if *is_torn {
        if to.write_all(b"\n").is_err() {
            return count(batch);
        }
        *is_torn = false;
    }
    let mut rest = batch;
    while !rest.is_empty() {
        match to.write(rest) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
            Ok(length) => rest = &rest[length..],
        }
    }
    let written = &batch[..batch.len() - rest.len()];
    *is_torn = written.last().is_some_and(|last| *last != b'\n');
    count(rest)
}

/// How many lines end in `batch`.
fn count(batch: &[u8]) -> u64 {
    batch.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn write_all(to: &mut impl Write, batch: &[u8]) -> io::Result<()> {
    to.write_all(batch)?;
    to.flush()
}

/// The most that waits to be written: some two thousand lines.
const QUEUED_BYTES_MAX: usize = 1024 * 1024;

/// The writer gathers no longer once so much waits.
const BATCH_BYTES: usize = QUEUED_BYTES_MAX / 2;

/// How long the writer gathers lines before it writes them in one call.
const GATHER: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_that_stands_still_costs_lines_and_never_time() {
        let (mut reader, writer) = io::pipe().unwrap();
        let dropped = IntCounter::new("dropped", "dropped").unwrap();
        let sink = Sink::File(std::os::fd::OwnedFd::from(writer).into());
        let lines = Lines::start("stuck", sink, dropped.clone()).unwrap();
        let line = [b"x".repeat(1023), b"\n".to_vec()].concat();
        for _ in 0..10_000 {
            lines.push(&line);
        }
        let lost = dropped.get();
        assert!(
            lost > 7000,
            "a pipe and two buffers take 2,112 lines, lost {lost}"
        );
        drop(lines);
        let mut text = Vec::new();
        io::Read::read_to_end(&mut reader, &mut text).unwrap();
        assert_eq!(text.len(), (10_000 - lost as usize) * line.len());
    }

    /// Takes so many bytes, and then none.
    struct Room(usize, Vec<u8>);

    impl Write for Room {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let length = bytes.len().min(self.0);
            if length == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.0 -= length;
            self.1.extend_from_slice(&bytes[..length]);
            Ok(length)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_that_a_full_disk_tore_does_not_take_the_next_one_with_it() {
        let (mut room, mut is_torn) = (Room(6, Vec::new()), false);
        let lost = write_lines(&mut room, b"one\ntwo\nthree\n", &mut is_torn);
        assert_eq!((lost, is_torn), (2, true), "the first line is whole");
        assert_eq!(write_lines(&mut room, b"four\n", &mut is_torn), 1);
        room.0 = 100;
        assert_eq!(write_lines(&mut room, b"five\nsix\n", &mut is_torn), 0);
        assert_eq!(room.1, b"one\ntw\nfive\nsix\n");
    }

    #[test]
    fn lines_queued_before_the_end_are_written() {
        let (mut reader, writer) = io::pipe().unwrap();
        let dropped = IntCounter::new("dropped", "dropped").unwrap();
        let sink = Sink::File(std::os::fd::OwnedFd::from(writer).into());
        let lines = Lines::start("ends", sink, dropped).unwrap();
        lines.push(b"one\n");
        lines.push(b"two\n");
        drop(lines);
        let mut text = String::new();
        io::Read::read_to_string(&mut reader, &mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }
}
