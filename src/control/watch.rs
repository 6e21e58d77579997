//! What makes the gateway read its configuration again: signals, and files that changed. Reads files by content, so that a
//! Kubernetes volume, an editor and an NFS mount look the same.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use super::event::Handle;
use super::files::{Readings, read_again};
use super::live::Live;

/// How often the files are read. A change counts at its second reading: it is served within a second and a little.
const EVERY: Duration = Duration::from_millis(500);

/// Reloads on every SIGHUP, and on every SIGUSR1: what rotates logs often sends that, and it would end the process.
pub(super) async fn signals(handle: Handle) {
    let heard = signal(SignalKind::hangup())
        .and_then(|hangups| Ok((hangups, signal(SignalKind::user_defined1())?)));
    let (mut hangups, mut rotations) = match heard {
        Ok(heard) => heard,
        Err(error) => {
            tracing::warn!(%error, "cannot hear SIGHUP; a changed file still reloads");
            return;
        }
    };
    loop {
        let heard = tokio::select! {
            heard = hangups.recv() => heard,
            heard = rotations.recv() => heard,
        };
        if heard.is_none() {
            return;
        }
        handle.reload_later().await;
    }
}

/// Reloads when a file that the last load read differs from what it read.
pub(super) async fn changes(handle: Handle, readings: Arc<Live<Readings>>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = None;
    loop {
        ticks.tick().await;
        let known = readings.load();
        let reading = known.clone();
        let Ok(now) = tokio::task::spawn_blocking(move || read_again(&reading)).await else {
            continue;
        };
        // The load that is known may be another by now; then the next reading tells.
        if !readings.is_current(&known) {
            before = None;
            continue;
        }
        if is_settled(&known, before.as_ref(), &now) {
            handle.reload_later().await;
            before = None;
        } else {
            before = Some(now);
        }
    }
}

/// Whether files differ from what is known and stand still: one that is being written reads differently each time.
fn is_settled(known: &Readings, before: Option<&Readings>, now: &Readings) -> bool {
    now != known && before == Some(now)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{Readings, is_settled};

    fn reading(content: &str) -> Readings {
        let digest = Some(blake3::hash(content.as_bytes()));
        Readings::from([(PathBuf::from("gateway.toml"), digest)])
    }

    #[test]
    fn a_changed_file_counts_once_it_stands_still() {
        let known = reading("one");
        assert!(!is_settled(&known, None, &reading("two")));
        assert!(!is_settled(&known, Some(&known), &reading("tw")));
        assert!(!is_settled(&known, Some(&reading("tw")), &reading("two")));
        assert!(is_settled(&known, Some(&reading("two")), &reading("two")));
    }

    #[test]
    fn a_file_that_is_put_back_is_no_change() {
        let known = reading("one");
        assert!(!is_settled(&known, Some(&reading("two")), &known));
        assert!(!is_settled(&known, Some(&known), &known));
    }
}
