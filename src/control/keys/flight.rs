//! Requests that wait for a key: at most one fetch at a time and one per cool-down, few who wait, and not for long.
//! Fetches nothing itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, timeout_at};

use crate::control::live::Live;
use crate::gate::Gate;

/// How long a request waits for a key that is being fetched.
const WAIT_MAX: Duration = Duration::from_millis(500);
/// How many requests wait for one issuer's keys; the others are refused at once.
const WAITERS_MAX: usize = 64;

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
    /// asked for (failed ones included), and when 64 requests wait already.
    pub async fn wanted(&self, issuer_name: &str, seen: &Arc<Gate>) -> bool {
        let flight = self.flights.load().get(issuer_name).cloned();
        if let Some(flight) = flight {
            flight.wait(|| !self.gate.is_current(seen)).await;
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
    landed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    wished_at: Option<Instant>,
    wished: bool,
    flying: bool,
}

/// What a request has to wait for.
enum Boarding {
    /// A fetch that it asked for.
    Started(watch::Receiver<u64>),
    /// A fetch that began earlier, perhaps before the key was published.
    Joined(watch::Receiver<u64>),
}

impl Flight {
    pub(super) fn new(cooldown: Duration) -> Self {
        Self {
            cooldown,
            places: Semaphore::new(WAITERS_MAX),
            state: Mutex::default(),
            wish: Notify::new(),
            landed: watch::Sender::new(0),
        }
    }

    /// Waits for a fetch, and once more if that had begun before the request came and brought nothing.
    async fn wait(&self, is_answered: impl Fn() -> bool) {
        let Ok(_place) = self.places.try_acquire() else {
            return;
        };
        let deadline = Instant::now() + WAIT_MAX;
        while let Some(boarding) = self.board() {
            let (mut landing, is_last) = match boarding {
                Boarding::Started(landing) => (landing, true),
                Boarding::Joined(landing) => (landing, false),
            };
            let landed = timeout_at(deadline, landing.changed()).await;
            if landed.is_err() || is_last || is_answered() {
                return;
            }
        }
    }

    fn board(&self) -> Option<Boarding> {
        let landing = self.landed.subscribe();
        let mut state = self.state();
        if state.flying || state.wished {
            return Some(Boarding::Joined(landing));
        }
        let now = Instant::now();
        if state
            .wished_at
            .is_some_and(|at| now.duration_since(at) < self.cooldown)
        {
            return None;
        }
        state.wished_at = Some(now);
        state.wished = true;
        drop(state);
        self.wish.notify_one();
        Some(Boarding::Started(landing))
    }

    /// Ends when a request wishes for a fetch.
    pub(super) async fn wished(&self) {
        while !self.state().wished {
            self.wish.notified().await;
        }
    }

    /// A fetch begins: it is the one that was wished for.
    pub(super) fn take_off(&self) {
        let mut state = self.state();
        state.wished = false;
        state.flying = true;
    }

    /// A fetch ended, and what it brought serves.
    pub(super) fn land(&self) {
        self.state().flying = false;
        self.landed.send_modify(|flights| *flights += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while boarding")
    }
}
