//! What can change the world, as messages to its single writer; and the handle by which others send them.

use std::fmt;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::status::ReloadOutcome;
use crate::token::KeySet;

/// How many messages may wait. Senders of keys wait for a place; whoever asks for an act is told that it is busy.
pub(super) const EVENTS_MAX: usize = 64;

/// One wish to change the world.
#[derive(Debug)]
pub(super) enum Event {
    /// Read the configuration again.
    Reload {
        /// Hears how it ended.
        reply: Option<oneshot::Sender<Reloaded>>,
    },
    /// An issuer's keys are these from now on.
    Keys(Arrival),
    /// A key is not to be trusted again.
    Distrust {
        /// The issuer's name in the configuration.
        issuer: String,
        /// The key.
        kid: String,
        /// Hears how it ended.
        reply: oneshot::Sender<Result<Distrusted, DistrustError>>,
    },
}

/// An issuer's keys as its fetcher found them.
#[derive(Debug)]
pub(super) struct Arrival {
    /// The issuer's name in the configuration.
    pub(super) issuer: Arc<str>,
    /// Which fetcher: the word of one that was stopped meanwhile does not count.
    pub(super) epoch: u64,
    /// The keys; `None`: those that were kept are too old.
    pub(super) keys: Option<Arc<KeySet>>,
    /// Dropped once the keys serve.
    pub(super) landed: oneshot::Sender<()>,
}

/// How a reload ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reloaded {
    /// Whether the file serves now.
    pub outcome: ReloadOutcome,
    /// The generation that serves.
    pub generation: u64,
    /// What `check` would print; for a file that serves, its warnings.
    pub text: String,
}

/// A key that nobody trusts any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distrusted {
    /// From which generation on.
    pub generation: u64,
    /// Whether a restart remembers it: by the state folder, or by the session store where the key is the gate's own.
    pub kept: bool,
    /// Whether its issuer was ever seen to publish it: a name that nobody knows may be mistyped.
    pub known: bool,
}

/// Why a key cannot be distrusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistrustError {
    /// No issuer of that name is configured.
    IssuerUnknown,
    /// The list is full.
    Full,
    /// It is distrusted in this process, but that could not be written and ends with it.
    NotKept,
}

impl fmt::Display for DistrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IssuerUnknown => "no issuer of that name is configured",
            Self::Full => "the list of distrusted keys is full",
            Self::NotKept => "the key is distrusted, but a restart would forget it",
        })
    }
}

impl std::error::Error for DistrustError {}

/// The world's writer has ended, or has too much to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the gateway is ending or has too many such wishes waiting")
    }
}

impl std::error::Error for Busy {}

/// Asks the world's writer to act.
#[derive(Debug, Clone)]
pub struct Handle(pub(super) mpsc::Sender<Event>);

impl Handle {
    /// Reads the configuration again and says how that ended. Wishes that come while one is carried out are carried out
    /// together.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn reload(&self) -> Result<Reloaded, Busy> {
        let (reply, ended) = oneshot::channel();
        self.send(Event::Reload { reply: Some(reply) })?;
        ended.await.map_err(|_| Busy)
    }

    /// Reads the configuration again; the log says how that ended. Waits for a place, and not for the end: who sends
    /// SIGHUP sends it once.
    pub(super) async fn reload_later(&self) {
        // Without a writer the process ends.
        let _ = self.0.send(Event::Reload { reply: None }).await;
    }

    /// Never again trusts the key of `issuer` (its name in the configuration) whose `kid` or thumbprint is `kid`, and says
    /// from which generation on. It holds after a restart too, where there is a state folder.
    ///
    /// # Errors
    /// [`Busy`], and in the inner result [`DistrustError`].
    pub async fn distrust(
        &self,
        issuer: String,
        kid: String,
    ) -> Result<Result<Distrusted, DistrustError>, Busy> {
        let (reply, ended) = oneshot::channel();
        self.send(Event::Distrust { issuer, kid, reply })?;
        ended.await.map_err(|_| Busy)
    }

    fn send(&self, event: Event) -> Result<(), Busy> {
        self.0.try_send(event).map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use tokio::join;
    use tokio::sync::mpsc;

    use super::{Event, Handle};

    #[tokio::test]
    async fn a_hangup_that_finds_the_queue_full_is_not_lost() {
        let (sender, mut events) = mpsc::channel(1);
        let handle = Handle(sender);
        handle.reload_later().await;
        let (first, ()) = join!(events.recv(), handle.reload_later());
        let second = events.try_recv().ok();
        assert!(matches!(first, Some(Event::Reload { reply: None })));
        assert!(matches!(second, Some(Event::Reload { reply: None })));
    }
}
