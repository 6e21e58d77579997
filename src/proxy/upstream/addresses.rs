//! Which addresses of a server's name are tried, and in which order: one that took no connection comes last for a while,
//! so that not every new connection waits for it. Knows nothing of names.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use smallvec::SmallVec;

/// Addresses of one server that are tried.
const TRIED_MAX: usize = 3;

/// Addresses to try, in their order.
pub(super) type Tried = SmallVec<[SocketAddr; TRIED_MAX]>;

/// Addresses of one server that took no connection, and until when they come last.
#[derive(Debug, Default)]
pub(super) struct Shunned(Mutex<Vec<(SocketAddr, Instant)>>);

impl Shunned {
    /// What to try of `addresses`. Whoever is the first to try one again, when its time is over, finds out for all: for
    /// others it comes last for `span` yet.
    pub(super) fn order(&self, addresses: &[SocketAddr], now: Instant, span: Duration) -> Tried {
        if let [only] = addresses {
            return Tried::from_slice(&[*only]);
        }
        let mut shunned = self.lock();
        let is_shunned = |address: &&SocketAddr| {
            let mut all = shunned.iter();
            all.any(|(of, until)| of == *address && now < *until)
        };
        let others = addresses.iter().filter(|address| !is_shunned(address));
        let last = addresses.iter().filter(is_shunned);
        let tried: Tried = others.chain(last).take(TRIED_MAX).copied().collect();
        if let Some((_, until)) = shunned.iter_mut().find(|(of, _)| tried.first() == Some(of)) {
            *until = (*until).max(now + span);
        }
        tried
    }

    /// Notes that an address took no connection.
    pub(super) fn add(&self, address: SocketAddr, now: Instant, span: Duration) {
        let mut shunned = self.lock();
        // What the name has no longer is forgotten with its time.
        shunned.retain(|(of, until)| *of != address && now < *until);
        shunned.push((address, now + span));
    }

    /// Notes that it took one.
    pub(super) fn remove(&self, address: SocketAddr) {
        self.lock().retain(|(of, _)| *of != address);
    }

    /// The list is sound even if a thread panicked: every change is one call.
    fn lock(&self) -> MutexGuard<'_, Vec<(SocketAddr, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::{Duration, Instant};

    use super::Shunned;

    #[test]
    fn an_address_that_took_no_connection_comes_last_until_one_finds_out() {
        let [a, b, c, d] = [1, 2, 3, 4].map(|host| SocketAddr::from(([192, 0, 2, host], 1)));
        let (shunned, now) = (Shunned::default(), Instant::now());
        let secs = Duration::from_secs;
        let order = |after| {
            shunned
                .order(&[a, b, c, d], now + secs(after), secs(2))
                .to_vec()
        };
        assert_eq!(order(0), [a, b, c]);
        shunned.add(a, now, secs(5));
        shunned.add(b, now, secs(9));
        assert_eq!(order(1), [c, d, a]);
        assert_eq!(order(6), [a, c, d], "its time is over");
        assert_eq!(order(6), [c, d, a], "somebody tries it");
        assert_eq!(order(8), [a, c, d], "who did has not told");
        shunned.remove(a);
        assert_eq!(order(8), [a, c, d]);
        // Where all are as bad, each is tried.
        for address in [a, b] {
            shunned.add(address, now, secs(5));
        }
        assert_eq!(shunned.order(&[a, b], now, secs(2)).to_vec(), [a, b]);
        assert_eq!(shunned.order(&[a], now, secs(2)).to_vec(), [a]);
    }
}
