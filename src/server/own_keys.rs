//! Two books know which of the gate's own keys are distrusted: the session store, which every process of it reads, and the
//! state folder. At the start each learns what the other knows; from then on both are told.

use crate::config::Config;
use crate::control::{Handle, Ledger};
use crate::session::{OWN_ISSUER, Revocation, Revocations, Revoked};
use crate::time::Clock;

/// Lets no distrusted key sign, and returns the `kid`s that the ledger does not know yet.
pub(super) fn share(
    config: &Config,
    revocations: &Revocations,
    ledger: &Ledger,
    clock: &dyn Clock,
) -> Vec<String> {
    let Some(sessions) = &config.sessions else {
        return Vec::new();
    };
    let now = clock.now();
    let mut unknown = Vec::new();
    for kid in sessions.signing_keys.all().map(|key| key.kid()) {
        let revoked = revocations.is_key_revoked(OWN_ISSUER, kid, now);
        let distrusted = ledger.is_distrusted(&sessions.issuer, kid);
        if distrusted && !revoked {
            let revocation = Revocation {
                what: Revoked::Key(kid.into()),
                issuer: Some(OWN_ISSUER.into()),
                cutoff: now,
                expires_at: now.plus(Revocation::KEY_LIFE),
            };
            revocations.revoke(revocation, now);
        } else if revoked && !distrusted {
            unknown.push(kid.to_owned());
        }
    }
    unknown
}

/// Tells the ledger.
pub(super) async fn distrust(handle: Handle, kids: Vec<String>) {
    for kid in kids {
        let told = handle.distrust(OWN_ISSUER.to_owned(), kid).await;
        if !matches!(told, Ok(Ok(_))) {
            tracing::warn!(?told, "the ledger could not be told of a distrusted key");
        }
    }
}
