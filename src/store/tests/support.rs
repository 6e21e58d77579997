//! Stores to test with.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::config::model::SessionStoreKind;
use crate::secret::Secret;
use crate::session::{
    Ask, Claims, ClaimsAnswer, Context, Device, Event, Grant, NewSession, Observer, Occasion,
    Refresh, RefreshError, RefreshKeys, Refreshed, Revocations, SessionService, Terms, Transport,
};
use crate::session::{Entropy, Rotation};
use crate::store::{Store, Surroundings};
use crate::time::{Clock, SetClock, Timestamp};

pub(super) const START: Timestamp = Timestamp::from_secs(1_700_000_000);

pub(super) const TERMS: Terms = Terms {
    grace: Duration::from_secs(4),
    lost_reply_window: Duration::from_secs(60),
    replays_max: 10,
};

/// Entropy that counts on from a random beginning, so that two services never give the same name.
#[derive(Debug, Default)]
pub(super) struct Fresh;

impl Entropy for Fresh {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the system has entropy");
    }
}

struct Deaf;

impl Observer for Deaf {
    fn session(&self, _: Event, _: &Occasion<'_>) {}
    fn store(&self, _: &'static str, _: Duration) {}
    fn revocations(&self, _: usize, _: Duration) {}
}

pub(super) struct NoHook;

impl Claims for NoHook {
    async fn ask(&self, _: impl FnOnce() -> Ask + Send) -> ClaimsAnswer {
        ClaimsAnswer::Unchanged
    }
}

/// A service on one store, as one process has it.
pub(super) struct Process {
    pub(super) service: SessionService<Store>,
    pub(super) store: Arc<Store>,
    pub(super) revocations: Arc<Revocations>,
    pub(super) clock: Arc<SetClock>,
}

pub(super) fn surroundings() -> Surroundings {
    Surroundings {
        revocations: Arc::new(Revocations::default()),
        clock: Arc::new(SetClock::at(START)),
        observer: Arc::new(Deaf),
    }
}

pub(super) fn process(kind: &SessionStoreKind) -> Process {
    let clock = Arc::new(SetClock::at(START));
    process_at(kind, clock)
}

pub(super) fn process_at(kind: &SessionStoreKind, clock: Arc<SetClock>) -> Process {
    let surroundings = Surroundings {
        clock: clock.clone(),
        ..surroundings()
    };
    let revocations = surroundings.revocations.clone();
    let store = Arc::new(Store::open(kind, surroundings).expect("a store"));
    let keys = RefreshKeys::new(&[Secret::new(vec![7; 32])]).expect("one key");
    let minute = Duration::from_secs(60);
    Process {
        service: SessionService::new(
            store.clone(),
            keys,
            revocations.clone(),
            Arc::new(Deaf),
            minute,
            minute,
            Arc::default(),
        ),
        store,
        revocations,
        clock,
    }
}

pub(super) fn sqlite(folder: &Path) -> SessionStoreKind {
    SessionStoreKind::Sqlite(folder.join("sessions.db"))
}

impl Process {
    pub(super) async fn login(&self, subject: &str) -> Refreshed {
        self.login_by("mobile", subject).await
    }

    pub(super) async fn login_by(&self, client: &str, subject: &str) -> Refreshed {
        let new = NewSession {
            subject: subject.into(),
            client: client.into(),
            transport: Transport::Body,
            grant: Grant {
                products: vec!["crm".into()],
                scope: "api".into(),
                tenant: Some("acme".into()),
                ..Grant::default()
            },
            handle: Some("opaque".into()),
            idle_lifetime: Duration::from_secs(30),
            absolute_lifetime: Duration::from_secs(120),
            context: Context::default(),
            device: Device::default(),
            live_max: 3,
        };
        let opened = self.service.open(new, self.clock.now(), &Fresh).await;
        opened.expect("the store is there")
    }

    pub(super) async fn refresh(&self, token: &str) -> Result<Refreshed, RefreshError> {
        let refresh = Refresh {
            token,
            client: Some("mobile"),
            transport: Transport::Body,
            scope: None,
            terms: &|_| Ok(TERMS),
            context: Context::default(),
            address: "192.0.2.1",
            now: self.clock.now(),
            request_id: "r1",
        };
        self.service.refresh(&refresh, &NoHook, &Fresh).await
    }

    pub(super) async fn rotated(&self, token: &str) -> Refreshed {
        let refreshed = self.refresh(token).await.expect("it rotates");
        assert_eq!(refreshed.rotation, Rotation::Rotated);
        refreshed
    }
}
