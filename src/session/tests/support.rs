//! Sessions and entropy to test with.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::secret::Secret;
use crate::session::{
    Context, Device, Entropy, ForeignReplays, Grant, RefreshKeys, Salt, Session, State, TimedId,
    Transport,
};
use crate::time::Timestamp;

/// Entropy that counts: every call gives other bytes, every run the same.
#[derive(Debug, Default)]
pub(crate) struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let call = self.0.fetch_add(1, Ordering::Relaxed);
        for (at, chunk) in bytes.chunks_mut(32).enumerate() {
            let mut seed = [0; 16];
            seed[..8].copy_from_slice(&call.to_be_bytes());
            seed[8..].copy_from_slice(&(at as u64).to_be_bytes());
            let hash = blake3::hash(&seed);
            chunk.copy_from_slice(&hash.as_bytes()[..chunk.len()]);
        }
    }
}

/// Two master keys; the first is active.
pub(crate) fn keys() -> RefreshKeys {
    RefreshKeys::new(&[Secret::new(vec![7; 32]), Secret::new(vec![8; 32])])
        .expect("two keys that differ")
}

/// A session that begins at `now`, with 30 s idle and 120 s absolute.
pub(crate) fn session(now: Timestamp, entropy: &Counting) -> Session {
    let mut salt = [0; 32];
    entropy.fill(&mut salt);
    Session {
        id: TimedId::new(now, entropy),
        state: State::Active,
        generation: 0,
        key: keys().active(),
        rotated_at: now,
        confirmed: false,
        replays: 0,
        context: Context::default(),
        foreign: ForeignReplays::default(),
        idle_until: now.plus(Duration::from_secs(30)),
        ends_at: now.plus(Duration::from_secs(120)),
        idle_lifetime: Duration::from_secs(30),
        subject: "u_1".into(),
        client: "mobile".into(),
        transport: Transport::Body,
        salt: Salt(salt),
        grant: Grant::default(),
        granted_at: now,
        handle: None,
        device: Device::default(),
    }
}
