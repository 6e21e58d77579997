//! The one thing that the rest of the house tells what happened. Joins metrics and logs; reads the time from the clock
//! it was given.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::access_log::{self, Subjects};
use super::exchange::Exchange;
use super::lines::{Lines, Sink};
use super::metrics::Metrics;
use super::subscriber::{self, Diagnostics};
use crate::config::Config;
use crate::config::model::{AccessLog, SubjectInLog};
use crate::time::Clock;

/// Metrics and logs of the process.
pub struct Telemetry {
    metrics: Metrics,
    clock: Arc<dyn Clock>,
    access: Lines,
    diagnostics: Arc<Lines>,
    subjects: Subjects,
    shows_subjects: AtomicBool,
    logs: AtomicBool,
}

impl Telemetry {
    /// Starts counting, and the threads that write logs. `subject_key` makes the digests of subjects in the access log:
    /// with the same key the same subject looks the same.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start(clock: Arc<dyn Clock>, subject_key: [u8; 32]) -> io::Result<Self> {
        let metrics = Metrics::new();
        let (of_access, of_diagnostics) = metrics.lines_dropped();
        let access = Lines::start("access-log", Sink::Off, of_access)?;
        let diagnostics = Lines::start("diagnostics", Sink::Stderr, of_diagnostics)?;
        Ok(Self {
            metrics,
            clock,
            access,
            diagnostics: Arc::new(diagnostics),
            subjects: Subjects::new(subject_key),
            shows_subjects: AtomicBool::new(false),
            logs: AtomicBool::new(false),
        })
    }

    /// Makes diagnostics those of the process: `tracing` events, and `log` records of libraries.
    ///
    /// # Errors
    /// When the process has a subscriber already.
    pub fn install(&self, how: Diagnostics) -> Result<(), tracing_subscriber::util::TryInitError> {
        subscriber::install(self.diagnostics.clone(), how)
    }

    /// Follows a configuration that begins to serve. The log file is opened anew each time: a rotated one is let go.
    ///
    /// # Errors
    /// When the log file cannot be opened; then nothing has changed.
    pub fn configure(&self, config: &Config) -> io::Result<()> {
        let log = &config.telemetry.access_log;
        self.access.redirect(open(log)?);
        self.logs.store(*log != AccessLog::Off, Ordering::Relaxed);
        self.metrics.configure(config, self.clock.now());
        let plain = config.telemetry.subject == SubjectInLog::Plain;
        self.shows_subjects.store(plain, Ordering::Relaxed);
        Ok(())
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Counts and logs one finished request.
    pub fn request(&self, exchange: &Exchange<'_>) {
        self.metrics.request(exchange);
        if !self.logs.load(Ordering::Relaxed) {
            return;
        }
        let how = if self.shows_subjects.load(Ordering::Relaxed) {
            SubjectInLog::Plain
        } else {
            SubjectInLog::Hashed
        };
        let subject = self.subjects.show(exchange, how);
        access_log::write(&self.access, exchange, subject.as_deref());
    }

    /// Everything in Prometheus' text format.
    pub fn scrape(&self) -> String {
        self.metrics.render(self.clock.now())
    }

    /// Waits until the logs are written, at most `limit` for each. The last thing before the process ends.
    pub fn flush(&self, limit: Duration) {
        self.access.flush(limit);
        self.diagnostics.flush(limit);
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

fn open(log: &AccessLog) -> io::Result<Sink> {
    Ok(match log {
        AccessLog::Stdout => Sink::Stdout,
        AccessLog::Off => Sink::Off,
        AccessLog::File(path) => {
            let opened = OpenOptions::new().create(true).append(true).open(path);
            Sink::File(opened.map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            })?)
        }
    })
}
