//! The life of a signing key.

use std::sync::Arc;
use std::time::Duration;

use crate::secret::Secret;
use crate::session::{JWKS_LIFETIME, KeyFile, Rotate, ScheduledKey, SigningKeys, Stage, Waiting};
use crate::time::Timestamp;
use crate::token::{Algorithm, SigningKey};

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
const LEAD: Duration = Duration::from_secs(900);
const LIFETIME: Duration = Duration::from_secs(600);

fn pem() -> Secret {
    SigningKey::generate_pem(Algorithm::Es256).unwrap()
}

/// A key for each start; the first has always been there.
fn keys(starts: &[Timestamp]) -> (SigningKeys, Vec<String>) {
    let scheduled = starts.iter().map(|signs_from| ScheduledKey {
        key: Arc::new(SigningKey::from_pem(&pem()).unwrap()),
        signs_from: *signs_from,
    });
    let set: Vec<_> = scheduled.collect();
    let kids = set.iter().map(|one| one.key.kid().to_owned()).collect();
    (SigningKeys::new(vec![set], None), kids)
}

fn all(_: &str) -> bool {
    true
}

fn signer(keys: &SigningKeys, now: Timestamp, is_trusted: impl Fn(&str) -> bool) -> Option<String> {
    let signer = keys.signer(now, is_trusted);
    signer.map(|key| key.kid().to_owned())
}

fn published(keys: &SigningKeys, now: Timestamp) -> Vec<String> {
    let published = keys.published(now, LIFETIME, all).into_iter();
    published.map(|key| key.kid().to_owned()).collect()
}

fn asked(now: Timestamp, waiting: Waiting) -> Rotate {
    Rotate {
        now,
        lead: LEAD,
        lifetime: LIFETIME,
        waiting,
    }
}

#[test]
fn a_key_is_published_then_signs_then_verifies_then_is_gone() {
    let takes_over = NOW.plus(LEAD);
    let (keys, kids) = keys(&[Timestamp::default(), takes_over]);
    let moment = Duration::from_millis(1);
    let leaves = takes_over.plus(LIFETIME).plus(Duration::from_secs(60));
    for (now, signs, others_see) in [
        (NOW, 0, &kids[..]),
        (takes_over.minus(moment), 0, &kids[..]),
        (takes_over, 1, &kids[..]),
        (leaves.minus(moment), 1, &kids[..]),
        (leaves, 1, &kids[1..]),
    ] {
        assert_eq!(signer(&keys, now, all), Some(kids[signs].clone()));
        assert_eq!(published(&keys, now), others_see);
    }
    assert_eq!(keys.gone(leaves, LIFETIME, all), [&kids[0]]);
}

#[test]
fn keys_without_a_time_sign_in_the_order_of_the_configuration_and_stay() {
    let set = |pem: Secret| KeyFile::parse(&pem).unwrap().into_keys();
    let sets = vec![set(pem()), set(pem())];
    let first = sets[0][0].key.kid().to_owned();
    let mut both = SigningKeys::new(sets, None);
    let (before, _) = keys(&[Timestamp::default()]);
    both.succeed(&before, NOW);
    assert_eq!(signer(&both, NOW, all), Some(first.clone()));
    assert_eq!(published(&both, NOW.plus(LIFETIME * 100)).len(), 2);
    let second = signer(&both, NOW, |kid| *kid != *first);
    assert!(second.is_some_and(|second| second != first));
}

#[test]
fn a_distrusted_key_is_as_if_it_were_not_there() {
    let (keys, kids) = keys(&[Timestamp::default(), NOW.plus(LEAD)]);
    let without = |at: usize| {
        let distrusted = kids[at].clone();
        move |kid: &str| *kid != *distrusted
    };
    let later = NOW.plus(LEAD * 100);
    assert_eq!(
        signer(&keys, NOW, without(0)),
        Some(kids[1].clone()),
        "the one that waits signs at once"
    );
    assert_eq!(
        signer(&keys, later, without(1)),
        Some(kids[0].clone()),
        "the one before goes on"
    );
    assert_eq!(keys.gone(later, LIFETIME, without(1)), [""; 0]);
    assert_eq!(signer(&keys, NOW, |_| false), None);
}

#[test]
fn a_key_that_was_read_late_waits_until_every_copy_of_the_jwks_knows_it() {
    let (serving, _) = keys(&[Timestamp::default()]);
    let (mut late, kids) = keys(&[Timestamp::default(), NOW.minus(LEAD)]);
    late.succeed(&serving, NOW);
    let known = NOW.plus(JWKS_LIFETIME);
    let moment = Duration::from_millis(1);
    assert_eq!(
        signer(&late, known.minus(moment), all),
        Some(kids[0].clone())
    );
    assert_eq!(signer(&late, known, all), Some(kids[1].clone()));
    let again = late.clone();
    late.succeed(&again, NOW.plus(Duration::from_secs(60)));
    assert_eq!(
        signer(&late, known, all),
        Some(kids[1].clone()),
        "another reload changes nothing"
    );
}

#[test]
fn a_rotation_keeps_what_is_needed_and_drops_what_is_gone() {
    let mut file = KeyFile::parse(&pem()).unwrap();
    let first = file.keys().next().unwrap().key.kid().to_owned();
    file.rotate(pem(), &asked(NOW, Waiting::Refuse)).unwrap();
    assert_eq!(file.stages(NOW, LIFETIME), [Stage::Active, Stage::Next]);
    let text = file.to_text();
    let read = KeyFile::parse(&text).unwrap();
    assert_eq!(read.to_text().expose(), text.expose());
    let alone = SigningKey::from_pem(&text).unwrap();
    assert_eq!(alone.kid(), first, "other readers see the key that signs");
    let refused = file.rotate(pem(), &asked(NOW, Waiting::Refuse));
    assert!(refused.unwrap_err().contains("waits already"));
    file.rotate(pem(), &asked(NOW, Waiting::Replace)).unwrap();
    assert_eq!(file.keys().count(), 2);
    let later = NOW.plus(LEAD).plus(LEAD / 2);
    assert_eq!(
        file.stages(later, LIFETIME),
        [Stage::Retired, Stage::Active]
    );
    let much_later = later.plus(LIFETIME);
    assert_eq!(
        file.stages(much_later, LIFETIME),
        [Stage::Gone, Stage::Active]
    );
    file.rotate(pem(), &asked(much_later, Waiting::Refuse))
        .unwrap();
    assert_eq!(
        file.stages(much_later, LIFETIME),
        [Stage::Active, Stage::Next]
    );
    assert!(file.keys().all(|one| one.key.kid() != first));
}

#[test]
fn a_new_key_signs_no_earlier_than_asked_though_the_file_counts_seconds() {
    let mut file = KeyFile::parse(&pem()).unwrap();
    let now = NOW.plus(Duration::from_millis(999));
    file.rotate(pem(), &asked(now, Waiting::Refuse)).unwrap();
    let read = KeyFile::parse(&file.to_text()).unwrap();
    assert!(read.keys().last().unwrap().signs_from >= now.plus(LEAD));
}

#[test]
fn a_file_whose_keys_have_no_order_is_refused() {
    let (one, two) = (pem(), pem());
    let both = [one.expose(), b"\n", two.expose()].concat();
    assert!(KeyFile::parse(&Secret::new(both)).is_err());
    let cut = one.expose()[..100].to_vec();
    assert!(KeyFile::parse(&Secret::new(cut)).is_err());
    let twisted = [b"Signs-From: tomorrow\n", one.expose()].concat();
    assert!(KeyFile::parse(&Secret::new(twisted)).is_err());
}
