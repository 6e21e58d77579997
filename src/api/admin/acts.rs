//! What the admin API asks of the running gateway. The composition root implements it.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Deserialize;

use crate::control::{Busy, DistrustError, Distrusted, LedgerView, Reloaded, Status};
use crate::gate::{Explanation, Gate};
use crate::session::{Revocation, Revoked, Session};
use crate::time::Timestamp;
use crate::token::{EventForm, IssuerEvent, TokenFailure};

/// A request to explain.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The method.
    pub method: String,
    /// The URL, or a bare path.
    pub url: String,
    /// The Bearer token.
    pub token: Option<String>,
    /// Claims to take as verified; only without a token.
    pub claims: Option<serde_json::Value>,
}

/// What the admin API reads and changes.
///
/// # Security
/// Whoever calls the acts was authorised; an implementation does not ask again.
#[async_trait]
pub trait Acts: Send + Sync {
    /// The moment's facts.
    fn status(&self) -> Status;

    /// What became of every key.
    fn ledger(&self) -> LedgerView;

    /// The gate that serves.
    fn gate(&self) -> Arc<Gate>;

    /// Walks one decision with the gate that serves.
    ///
    /// # Errors
    /// A text for the operator when the question makes no sense.
    fn explain(&self, question: &Question) -> Result<Explanation, String>;

    /// The newest revocations in force, newest first.
    fn revocations(&self) -> Vec<Revocation>;

    /// Revokes, and says what counts from now on and until when. `issuer` is a name of the configuration, or the own one's.
    ///
    /// # Errors
    /// A text for the operator when it could not be written down: it may be forgotten at a restart.
    async fn revoke(&self, what: Revoked, issuer: Option<Arc<str>>) -> Result<Revocation, String>;

    /// Where a subject is logged in, the oldest session first; `None` without `[sessions]`.
    ///
    /// # Errors
    /// A text for the operator when the store does not answer.
    async fn sessions_of(&self, subject: &str) -> Result<Option<Vec<Session>>, String>;

    /// The present.
    fn now(&self) -> Timestamp;

    /// Verifies what an issuer tells, with the gate that serves.
    ///
    /// # Errors
    /// The first check that failed.
    async fn verify_event(&self, token: &str, form: EventForm)
    -> Result<IssuerEvent, TokenFailure>;

    /// Reads the configuration again and says how that ended.
    ///
    /// # Errors
    /// [`Busy`].
    async fn reload(&self) -> Result<Reloaded, Busy>;

    /// Never again trusts a key, and says under which generation that holds.
    ///
    /// # Errors
    /// [`Busy`], and in the inner result [`DistrustError`].
    async fn distrust(
        &self,
        issuer: String,
        kid: String,
    ) -> Result<Result<Distrusted, DistrustError>, Busy>;
}
