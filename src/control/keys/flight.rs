//! Requests that wait for a key: at most one fetch at a time and one per cool-down, few who wait, and not for long.
//! Fetches nothing itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, timeout_at};

use crate::control::live::Live;
use crate::gate::Gate;
use crate::token::WantedKey;

/// How long a request waits for a key that is being fetched.
const WAIT_MAX: Duration = Duration::from_millis(500);
/// How many requests wait for one issuer's keys; the others are refused at once. After a rotation every request in flight
/// waits for the new key: there is room for a busy gateway's.
const WAITERS_MAX: usize = 1024;

/// Tokens of a key that was withdrawn may ask for a fetch once in so many cool-downs, and begin none for others: they come
/// for as long as they would have lived, and must not use up the fetch that a new key waits for.
const COOLDOWNS_WITHDRAWN: u32 = 6;

/// The flights of all remote issuers, by the issuer's name in the configuration.
pub(in crate::control) type Flights = HashMap<Arc<str>, Arc<Flight>>;

/// Fetches keys that requests ask for.
#[derive(Debug)]
pub struct Keys {
    gate: Arc<Live<Gate>>,
    flights: Live<Flights>,
}

impl Keys {
    /// Has no issuer to ask yet.
    pub fn new(gate: Arc<Live<Gate>>) -> Self {
        Self {
            gate,
            flights: Live::new(Arc::default()),
        }
    }

    pub(in crate::control) fn publish(&self, flights: Flights) {
        self.flights.publish(Arc::new(flights));
    }

    /// Asks for the keys of an issuer because `seen`, the gate that judged a token, knows none of that name. Waits at most
    /// half a second; says whether another gate serves now, so that judging once more may end differently.
    ///
    /// Refuses at once, without a fetch, for issuers whose keys are fixed, within the cool-down after a fetch that was
    /// asked for and brought no new key (failed ones included), six times as long for a key that was withdrawn, and when
    /// 1,024 requests wait already.
    pub async fn wanted(&self, issuer_name: &str, wanted: WantedKey, seen: &Arc<Gate>) -> bool {
        let flight = self.flights.load().get(issuer_name).cloned();
        if let Some(flight) = flight {
            flight.wait(wanted).await;
        }
        !self.gate.is_current(seen)
    }
}

/// One issuer's fetches, as those see them who wait for one.
#[derive(Debug)]
pub(in crate::control) struct Flight {
    cooldown: Duration,
    places: Semaphore,
    state: Mutex<State>,
    wish: Notify,
    landed: watch::Sender<Cargo>,
}

#[derive(Debug, Default)]
struct State {
    /// When a token of a key that was never seen wished last.
    wished_at: Option<Instant>,
    /// When a token of a key that was withdrawn wished last.
    wished_back_at: Option<Instant>,
    wished: bool,
    flying: bool,
}

/// Why a fetch is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// It was time.
    Due,
    /// A request asked for it.
    Wished,
}

/// What a fetch brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cargo {
    /// A key that the issuer did not have.
    NewKeys,
    /// Nothing, or fewer keys.
    Nothing,
}

/// What a request has to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Boarding {
    /// A fetch that it asked for.
    Started,
    /// A fetch that began earlier, perhaps before the key was published.
    Joined,
}

impl Flight {
    pub(super) fn new(cooldown: Duration) -> Self {
        Self {
            cooldown,
            places: Semaphore::new(WAITERS_MAX),
            state: Mutex::default(),
            wish: Notify::new(),
            landed: watch::Sender::new(Cargo::Nothing),
        }
    }

    /// Waits for a fetch, and once more if that had begun before the request came and brought no new key. What becomes of
    /// other issuers meanwhile is no answer.
    async fn wait(&self, wanted: WantedKey) {
        let Ok(_place) = self.places.try_acquire() else {
            return;
        };
        let deadline = Instant::now() + WAIT_MAX;
        while let Some((boarding, mut landing)) = self.board(wanted) {
            let landed = timeout_at(deadline, landing.changed()).await;
            let has_new_keys = *landing.borrow() == Cargo::NewKeys;
            if landed.is_err() || boarding == Boarding::Started || has_new_keys {
                return;
            }
        }
    }

    fn board(&self, wanted: WantedKey) -> Option<(Boarding, watch::Receiver<Cargo>)> {
        let landing = self.landed.subscribe();
        let now = Instant::now();
        let mut state = self.state();
        if wanted == WantedKey::Withdrawn {
            let pause = COOLDOWNS_WITHDRAWN * self.cooldown;
            if is_within(pause, state.wished_back_at, now) {
                return None;
            }
        }
        let flies = state.flying || state.wished;
        if !flies && is_within(self.cooldown, state.wished_at, now) {
            return None;
        }
        if wanted == WantedKey::Withdrawn {
            state.wished_back_at = Some(now);
        }
        if flies {
            return Some((Boarding::Joined, landing));
        }
        if wanted == WantedKey::Unseen {
            state.wished_at = Some(now);
        }
        state.wished = true;
        drop(state);
        self.wish.notify_one();
        Some((Boarding::Started, landing))
    }

    /// Ends when a request wishes for a fetch.
    pub(super) async fn wished(&self) {
        while !self.state().wished {
            self.wish.notified().await;
        }
    }

    /// A fetch begins: it is the one that was wished for, if one was.
    pub(super) fn take_off(&self) -> Cause {
        let mut state = self.state();
        state.flying = true;
        match std::mem::take(&mut state.wished) {
            true => Cause::Wished,
            false => Cause::Due,
        }
    }

    /// A fetch ended, and what it brought serves. One with a new key was no stray's: the cool-down is not for it.
    pub(super) fn land(&self, cargo: Cargo) {
        let mut state = self.state();
        state.flying = false;
        if cargo == Cargo::NewKeys {
            state.wished_at = None;
        }
        drop(state);
        self.landed.send_replace(cargo);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while boarding")
    }
}

fn is_within(pause: Duration, since: Option<Instant>, now: Instant) -> bool {
    since.is_some_and(|since| now.duration_since(since) < pause)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::future::join_all;
    use tokio::time::{Instant, advance, sleep};

    use super::{COOLDOWNS_WITHDRAWN, Cargo, Flight, WAIT_MAX, WAITERS_MAX};
    use crate::token::WantedKey;

    const COOLDOWN: Duration = Duration::from_secs(10);

    /// A flight whose fetches take `span` each, and bring nothing.
    fn flight(span: Duration) -> Arc<Flight> {
        let flight = Arc::new(Flight::new(COOLDOWN));
        let pilot = flight.clone();
        tokio::spawn(async move {
            loop {
                pilot.wished().await;
                pilot.take_off();
                sleep(span).await;
                pilot.land(Cargo::Nothing);
            }
        });
        flight
    }

    async fn wait(flight: &Flight) -> Duration {
        let begun = Instant::now();
        flight.wait(WantedKey::Unseen).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_brought_nothing_counts_towards_the_cooldown() {
        let flight = flight(Duration::from_millis(100));
        assert_eq!(wait(&flight).await, Duration::from_millis(100));
        assert_eq!(wait(&flight).await, Duration::ZERO);
        advance(COOLDOWN).await;
        assert_eq!(wait(&flight).await, Duration::from_millis(100));
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_of_a_withdrawn_key_leave_the_fetch_to_new_keys() {
        let flight = flight(Duration::from_millis(100));
        let wait_back = async || {
            let begun = Instant::now();
            flight.wait(WantedKey::Withdrawn).await;
            begun.elapsed()
        };
        assert_eq!(wait_back().await, Duration::from_millis(100));
        for _ in 1..COOLDOWNS_WITHDRAWN {
            advance(COOLDOWN).await;
            assert_eq!(wait_back().await, Duration::ZERO);
            assert_eq!(wait(&flight).await, Duration::from_millis(100));
        }
        advance(COOLDOWN).await;
        assert_eq!(wait_back().await, Duration::from_millis(100));
        assert_eq!(wait(&flight).await, Duration::from_millis(100));
        assert_eq!(wait(&flight).await, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_fetch_is_waited_for_no_longer_than_allowed() {
        let flight = flight(Duration::from_secs(5));
        assert_eq!(wait(&flight).await, WAIT_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn those_over_the_limit_are_refused_at_once() {
        let flight = flight(Duration::from_millis(100));
        let waits = join_all((0..WAITERS_MAX + 36).map(|_| wait(&flight))).await;
        let refused = waits.iter().filter(|wait| wait.is_zero()).count();
        assert_eq!(refused, 36);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fetch_that_began_earlier_is_followed_by_another() {
        let flight = Arc::new(Flight::new(COOLDOWN));
        // Nobody wished for this one: it may have asked before the key was published.
        flight.take_off();
        let waiter = flight.clone();
        let waiter = tokio::spawn(async move { wait(&waiter).await });
        sleep(Duration::from_millis(50)).await;
        flight.land(Cargo::Nothing);
        flight.wished().await;
        flight.take_off();
        sleep(Duration::from_millis(100)).await;
        flight.land(Cargo::Nothing);
        assert_eq!(waiter.await.unwrap(), Duration::from_millis(150));
    }
}
