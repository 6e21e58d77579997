//! Random histories of one session against an oracle that thinks in tokens, not in states.
//!
//! The oracle keeps every token ever handed out and judges from that alone: at most one of them is live, and once the
//! chain is dead none of them works again.

use std::time::Duration;

use super::support::{Counting, keys, session};
use crate::session::{
    Attempt, Context, ForeignReplays, Genuine, Rotation, Session, Terms, Transport, Vouched, Why,
};
use crate::time::Timestamp;

const TERMS: Terms = Terms {
    grace: Duration::from_secs(4),
    lost_reply_window: Duration::from_secs(20),
    replays_max: 3,
};

/// What the oracle knows.
#[derive(Debug)]
struct Oracle {
    begun_at: Timestamp,
    /// When each token was first handed out.
    handed_out: Vec<Timestamp>,
    /// Somebody showed an access token that came with the newest refresh token.
    shown: bool,
    tail_replays: u32,
    dead: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    NewToken,
    SameToken,
    NotNow,
    Killed,
    Dead,
}

impl Oracle {
    fn new(now: Timestamp) -> Self {
        Self {
            begun_at: now,
            handed_out: vec![now],
            shown: false,
            tail_replays: 0,
            dead: false,
        }
    }

    fn newest(&self) -> usize {
        self.handed_out.len() - 1
    }

    fn is_over(&self, now: Timestamp) -> bool {
        now.since(self.handed_out[self.newest()]) >= Duration::from_secs(30)
            || now.since(self.begun_at) >= Duration::from_secs(120)
    }

    fn present(&mut self, token: usize, now: Timestamp) -> Expected {
        if self.dead || self.is_over(now) {
            return Expected::Dead;
        }
        if token == self.newest() {
            self.handed_out.push(now);
            self.shown = false;
            self.tail_replays = 0;
            return Expected::NewToken;
        }
        let age = now.since(self.handed_out[self.newest()]);
        let in_tail = age > TERMS.grace && age <= TERMS.lost_reply_window && !self.shown;
        if token + 1 == self.newest() && age <= TERMS.grace {
            return Expected::SameToken;
        }
        if token + 1 == self.newest() && in_tail {
            if self.tail_replays == TERMS.replays_max {
                return Expected::NotNow;
            }
            self.tail_replays += 1;
            return Expected::SameToken;
        }
        self.dead = true;
        Expected::Killed
    }
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn genuine(session: &Session, generation: u64) -> Genuine {
    let keys = keys();
    let key = keys.of_session(session.key, &session.salt);
    let key = key.expect("the key is there");
    let token = key.derive(session.id, generation);
    let presented = keys.parse(&token).expect("we derived it");
    key.verify(&presented).expect("with this salt")
}

fn attempt(session: &Session, generation: u64) -> Attempt<'static> {
    Attempt {
        token: genuine(session, generation),
        client: "mobile",
        transport: Transport::Body,
        context: Context::default(),
    }
}

fn walk(seed: u64, steps: u64) {
    let entropy = Counting::default();
    let mut dice = Dice(seed);
    let mut now = Timestamp::from_secs(1_700_000_000);
    let mut session = session(now, &entropy);
    let mut oracle = Oracle::new(now);
    let mut died = false;
    for _ in 0..steps {
        now = now.plus(Duration::from_millis(match dice.roll(8) {
            0 => 7_000 * dice.roll(5),
            1..=3 => 1_000 * dice.roll(5),
            _ => dice.roll(200),
        }));
        match dice.roll(20) {
            0 => {
                session.revoke(now, Why::Logout);
                oracle.dead = true;
            }
            1..=5 => {
                let generation = oracle.newest().saturating_sub(dice.roll(3) as usize);
                session.confirm(generation as u64);
                oracle.shown |= generation == oracle.newest();
            }
            _ => present(&mut session, &mut oracle, &mut dice, now),
        }
        died |= !session.is_live(now);
        assert!(!(died && session.is_live(now)), "a dead chain lives again");
    }
}

fn present(session: &mut Session, oracle: &mut Oracle, dice: &mut Dice, now: Timestamp) {
    let newest = oracle.newest() as u64;
    let back = match dice.roll(10) {
        0..=4 => 0,
        5..=8 => 1,
        _ => dice.roll(6),
    };
    let token = newest.saturating_sub(back);
    let generation_before = session.generation;
    let active = session.key;
    let rotation = session.rotate(
        &attempt(session, token),
        now,
        &TERMS,
        active,
        Vouched::Silent,
    );
    let expected = oracle.present(token as usize, now);
    let got = match rotation {
        Rotation::Rotated => Expected::NewToken,
        Rotation::Replayed => Expected::SameToken,
        Rotation::Exhausted => Expected::NotNow,
        Rotation::Killed(_) => Expected::Killed,
        Rotation::Revoked | Rotation::Expired => Expected::Dead,
        other => unreachable!("{other:?} needs another client or a lost write"),
    };
    assert_eq!(got, expected, "token {token} of {newest} at {now:?}");
    assert_eq!(session.generation, oracle.newest() as u64);
    assert!(
        session.generation - generation_before <= 1,
        "a chain forked"
    );
}

#[test]
fn random_histories_agree_with_the_oracle() {
    (0..10_000).for_each(|seed| walk(seed, 40));
}

#[test]
#[ignore = "a million histories take minutes"]
fn a_million_random_histories_agree_with_the_oracle() {
    (0..1_000_000).for_each(|seed| walk(seed, 40));
}

fn rotate(session: &mut Session, generation: u64, now: Timestamp) -> Rotation {
    let active = session.key;
    session.rotate(
        &attempt(session, generation),
        now,
        &TERMS,
        active,
        Vouched::Silent,
    )
}

#[test]
fn replays_never_move_the_window() {
    let start = Timestamp::from_secs(1_700_000_000);
    let mut session = session(start, &Counting::default());
    assert_eq!(rotate(&mut session, 0, start), Rotation::Rotated);
    session.confirm(1);
    for second in 1..=4 {
        let now = start.plus(Duration::from_secs(second));
        assert_eq!(rotate(&mut session, 0, now), Rotation::Replayed);
    }
    let late = start.plus(Duration::from_secs(5));
    assert_eq!(rotate(&mut session, 0, late), Rotation::Killed(Why::Reuse));
    assert_eq!(rotate(&mut session, 1, late), Rotation::Revoked);
}

#[test]
fn the_wrong_client_or_transport_changes_nothing() {
    let now = Timestamp::from_secs(1_700_000_000);
    let mut session = session(now, &Counting::default());
    let before = session.clone();
    let mut other = attempt(&session, 0);
    other.client = "web";
    let mut cookie = attempt(&session, 0);
    cookie.transport = Transport::Cookie;
    let active = session.key;
    for (attempt, expected) in [
        (other, Rotation::OtherClient),
        (cookie, Rotation::OtherTransport),
    ] {
        let rotation = session.rotate(&attempt, now, &TERMS, active, Vouched::Silent);
        assert_eq!(rotation, expected);
        assert_eq!(session, before);
    }
    assert_eq!(rotate(&mut session, 0, now), Rotation::Rotated);
}

#[test]
fn a_thief_who_follows_from_elsewhere_gets_six_answers() {
    let mut now = Timestamp::from_secs(1_700_000_000);
    let mut session = session(now, &Counting::default());
    session.ends_at = now.plus(Duration::from_secs(86_400));
    let mut stolen = 0;
    for generation in 0.. {
        now = now.plus(Duration::from_secs(10));
        let _ = rotate(&mut session, generation, now);
        let mut theft = attempt(&session, generation);
        theft.context = Context([1; 16]);
        let active = session.key;
        match session.rotate(&theft, now, &TERMS, active, Vouched::Silent) {
            Rotation::Replayed => stolen += 1,
            rotation => {
                assert_eq!(rotation, Rotation::Killed(Why::ForeignReplay));
                break;
            }
        }
    }
    assert_eq!(stolen, 6);
    assert!(!session.is_live(now));
}

#[test]
fn who_stays_at_home_is_answered_however_often_others_came_from_elsewhere() {
    let now = Timestamp::from_secs(1_700_000_000);
    let mut session = session(now, &Counting::default());
    assert_eq!(rotate(&mut session, 0, now), Rotation::Rotated);
    session.foreign = ForeignReplays {
        count: 6,
        generation: 0,
        since: now,
    };
    let mut theft = attempt(&session, 0);
    theft.context = Context([1; 16]);
    let killed = Rotation::Killed(Why::ForeignReplay);
    assert_eq!(session.decide(&theft, now, &TERMS), killed);
    assert_eq!(rotate(&mut session, 0, now), Rotation::Replayed);
}

#[test]
fn foreign_replays_are_counted_once_a_generation_and_for_a_day() {
    let start = Timestamp::from_secs(1_700_000_000);
    let mut session = session(start, &Counting::default());
    session.ends_at = start.plus(Duration::from_secs(10 * 86_400));
    session.idle_lifetime = Duration::from_secs(2 * 86_400);
    assert_eq!(rotate(&mut session, 0, start), Rotation::Rotated);
    let mut theft = attempt(&session, 0);
    theft.context = Context([1; 16]);
    let active = session.key;
    for _ in 0..20 {
        let rotation = session.rotate(&theft, start, &TERMS, active, Vouched::Silent);
        assert_eq!(rotation, Rotation::Replayed);
    }
    assert_eq!(session.foreign.count, 1);
    session.foreign.count = 6;
    let a_day_later = start.plus(Duration::from_secs(86_400));
    assert_eq!(rotate(&mut session, 1, a_day_later), Rotation::Rotated);
    let mut theft = attempt(&session, 1);
    theft.context = Context([1; 16]);
    let rotation = session.rotate(&theft, a_day_later, &TERMS, active, Vouched::Silent);
    assert_eq!((rotation, session.foreign.count), (Rotation::Replayed, 1));
}

#[test]
fn who_moved_is_at_home_where_the_last_token_was_asked_for() {
    let now = Timestamp::from_secs(1_700_000_000);
    let mut session = session(now, &Counting::default());
    let mut moved = attempt(&session, 0);
    moved.context = Context([1; 16]);
    let active = session.key;
    for expected in [Rotation::Rotated, Rotation::Replayed] {
        let rotation = session.rotate(&moved, now, &TERMS, active, Vouched::Silent);
        assert_eq!(rotation, expected);
    }
    assert_eq!(session.foreign, ForeignReplays::default());
    assert_eq!(rotate(&mut session, 0, now), Rotation::Replayed);
    assert_eq!(session.foreign.count, 1);
}

#[test]
fn a_token_of_another_session_moves_none() {
    let now = Timestamp::from_secs(1_700_000_000);
    let entropy = Counting::default();
    let (mut ours, other) = (session(now, &entropy), session(now, &entropy));
    let before = ours.clone();
    let (active, theirs) = (ours.key, attempt(&other, 0));
    let rotation = ours.rotate(&theirs, now, &TERMS, active, Vouched::Silent);
    assert_eq!((rotation, ours), (Rotation::Revoked, before));
}

#[test]
fn a_dead_session_keeps_its_first_reason() {
    let now = Timestamp::from_secs(1_700_000_000);
    let mut session = session(now, &Counting::default());
    session.revoke(now, Why::Reuse);
    let dead = session.state;
    session.revoke(now.plus(Duration::from_secs(1)), Why::Logout);
    assert_eq!(session.state, dead);
}

#[test]
fn a_token_ahead_of_the_store_is_adopted() {
    let now = Timestamp::from_secs(1_700_000_000);
    let mut session = session(now, &Counting::default());
    assert_eq!(rotate(&mut session, 7, now), Rotation::Recovered);
    assert_eq!(session.generation, 8);
}

#[test]
fn the_absolute_end_never_moves() {
    let start = Timestamp::from_secs(1_700_000_000);
    let mut session = session(start, &Counting::default());
    let ends_at = session.ends_at;
    let mut generation = 0;
    for second in (0..120).step_by(20) {
        let now = start.plus(Duration::from_secs(second));
        assert_eq!(rotate(&mut session, generation, now), Rotation::Rotated);
        generation += 1;
        assert_eq!(session.ends_at, ends_at);
        assert!(session.expires_at() <= ends_at);
    }
    assert_eq!(rotate(&mut session, generation, ends_at), Rotation::Expired);
}
