//! What the admin API asks of the running gateway, handed on to those who can do it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::own_keys;
use super::sessions::SessionSide;
use crate::api::admin::{Acts, Question as Asked};
use crate::config::model::SessionStoreKind;
use crate::control::{
    self, Board, Busy, DistrustError, Distrusted, Handle, Keys, Ledger, LedgerView, Live, Reloaded,
    Status, SystemClock,
};
use crate::gate::{Explanation, Gate, Question, Rehearsal};
use crate::session::{OWN_ISSUER, Revocation, Revocations, Revoked, Session};
use crate::telemetry::Telemetry;
use crate::time::{Clock as _, Timestamp};
use crate::token::{Algorithm, EventForm, IssuerEvent, SigningKey, TokenError, TokenFailure};

/// The wishes of the admin API.
pub(super) struct Wishes {
    pub(super) gate: Arc<Live<Gate>>,
    pub(super) board: Arc<Board>,
    pub(super) handle: Handle,
    pub(super) keys: Arc<Keys>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) revocations: Arc<Revocations>,
    pub(super) telemetry: Arc<Telemetry>,
    pub(super) clock: Arc<SystemClock>,
    pub(super) sessions: Option<Arc<SessionSide>>,
}

#[async_trait]
impl Acts for Wishes {
    fn status(&self) -> Status {
        self.board.status(self.clock.now())
    }

    fn ledger(&self) -> LedgerView {
        self.ledger.view()
    }

    fn gate(&self) -> Arc<Gate> {
        self.gate.load()
    }

    fn explain(&self, asked: &Asked) -> Result<Explanation, String> {
        let (gate, now) = (self.gate.load(), self.clock.now());
        let question = |token| Question {
            method: asked.method.clone(),
            url: asked.url.clone(),
            headers: Vec::new(),
            token,
        };
        let entropy = [(); 3].map(|()| u128::from_le_bytes(control::fresh()));
        let Some(claims) = &asked.claims else {
            return Ok(question(asked.token.clone()).explain(
                &gate,
                &self.revocations,
                now,
                entropy,
            ));
        };
        let claims = claims.as_object().ok_or("`claims` is a JSON object")?;
        let key = SigningKey::from_pem(&SigningKey::generate_pem(Algorithm::EdDsa)?)?;
        let rehearsal = Rehearsal::of(gate.config(), Arc::new(key), control::fresh());
        let token = rehearsal.token(claims.clone(), now);
        Ok(question(Some(token)).explain(&rehearsal.gate, &self.revocations, now, entropy))
    }

    fn revocations(&self) -> Vec<Revocation> {
        self.revocations.newest(self.clock.now())
    }

    async fn revoke(&self, what: Revoked, issuer: Option<Arc<str>>) -> Result<Revocation, String> {
        if let Revoked::Key(kid) = &what
            && issuer.as_deref().is_none_or(|issuer| issuer == OWN_ISSUER)
        {
            self.distrust_own(kid).await;
        }
        self.revoke_and_keep(what, issuer).await
    }

    async fn sessions_of(&self, subject: &str) -> Result<Option<Vec<Session>>, String> {
        let gate = self.gate.load();
        let sessions = self.sessions.as_ref();
        match sessions.and_then(|sessions| sessions.of(gate.config())) {
            Some(api) => api.sessions_of(subject).await.map(Some),
            None => Ok(None),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Once more where a key was missing that has come in the meantime, as for a request.
    async fn verify_event(
        &self,
        token: &str,
        form: EventForm,
    ) -> Result<IssuerEvent, TokenFailure> {
        let seen = self.gate.load();
        let verify =
            |gate: &Gate| gate.verify_event(token, form, &self.revocations, self.clock.now());
        let verified = verify(&seen);
        if let Err(TokenFailure {
            error:
                TokenError::KeyUnknown {
                    issuer_name,
                    wanted,
                },
            ..
        }) = &verified
            && self.keys.wanted(issuer_name, *wanted, &seen).await
        {
            return verify(&self.gate.load());
        }
        verified
    }

    async fn reload(&self) -> Result<Reloaded, Busy> {
        self.handle.reload().await
    }

    async fn distrust(
        &self,
        issuer: String,
        kid: String,
    ) -> Result<Result<Distrusted, DistrustError>, Busy> {
        if issuer == OWN_ISSUER {
            // What signs, and what the session endpoints verify, asks the revocations.
            let own = Some(OWN_ISSUER.into());
            let revoked = self
                .revoke_and_keep(Revoked::Key(kid.as_str().into()), own)
                .await;
            let distrusted = self.handle.distrust(issuer, kid).await?;
            return Ok(distrusted.and_then(|told| match revoked {
                Ok(_) => Ok(Distrusted {
                    kept: told.kept || self.store_is_kept(),
                    ..told
                }),
                Err(_) => Err(DistrustError::NotKept),
            }));
        }
        self.handle.distrust(issuer, kid).await
    }
}

impl Wishes {
    /// Revokes at once, and then writes it down.
    async fn revoke_and_keep(
        &self,
        what: Revoked,
        issuer: Option<Arc<str>>,
    ) -> Result<Revocation, String> {
        let now = self.clock.now();
        let expires_at = now.plus(match &what {
            Revoked::Key(_) => Revocation::KEY_LIFE,
            what => longest_life(&self.gate.load(), what),
        });
        let revocation = Revocation {
            what,
            issuer,
            cutoff: now,
            expires_at,
        };
        self.revocations.revoke(revocation.clone(), now);
        let count = self.revocations.len();
        self.telemetry.metrics().revocations(count);
        let gate = self.gate.load();
        let sessions = self.sessions.as_ref();
        if let Some(api) = sessions.and_then(|sessions| sessions.of(gate.config())) {
            api.deny(&revocation).await?;
        }
        Ok(revocation)
    }

    /// Whether a restart finds the session store as it was.
    fn store_is_kept(&self) -> bool {
        let gate = self.gate.load();
        let sessions = gate.config().sessions.as_ref();
        sessions.is_some_and(|one| matches!(one.store, SessionStoreKind::Sqlite(_)))
    }

    /// Takes a key of the gate's own out of the gate that serves, if it is one.
    async fn distrust_own(&self, kid: &str) {
        let gate = self.gate.load();
        let sessions = gate.config().sessions.as_ref();
        if sessions.is_some_and(|one| one.signing_keys.all().any(|key| key.kid() == kid)) {
            own_keys::distrust(self.handle.clone(), vec![kid.to_owned()]).await;
        }
    }
}

/// How long something may come that a revocation names: a token of any issuer, and for what ends chains only at their next
/// refresh, a chain.
fn longest_life(gate: &Gate, what: &Revoked) -> Duration {
    let config = gate.config();
    let lives = config
        .issuers
        .iter()
        .map(|issuer| issuer.terms.lifetime_max + issuer.terms.leeway);
    let chain = match &config.sessions {
        Some(sessions) if what.is_at_large() => sessions.longest_session(),
        _ => Duration::ZERO,
    };
    lives.max().unwrap_or_default() + chain + MARGIN
}

/// Clocks differ.
const MARGIN: Duration = Duration::from_secs(60);
