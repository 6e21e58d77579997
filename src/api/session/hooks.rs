//! The two hooks: what is asked, and what an answer means. All who ask for the claims of one generation share one call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;
use tokio::sync::OnceCell;

use super::call::Call;
use super::said::{Said, Unusable, check_size};
use crate::control::{HookCall, HookClient, HookClients};
use crate::session::{Ask, Claims, ClaimsAnswer, Grant, SessionService, TimedId};
use crate::store::Store;

/// The hooks of one configuration.
#[derive(Debug)]
pub(super) struct Hooks {
    pub(super) login: Option<HookClient>,
    claims: Option<HookClient>,
    /// Calls under way, by session and generation: no more than there are refreshes under way.
    flights: Mutex<HashMap<(TimedId, u64), Flight>>,
}

type Flight = Arc<OnceCell<ClaimsAnswer>>;

impl Hooks {
    pub(super) fn new(clients: HookClients) -> Self {
        Self {
            login: clients.login,
            claims: clients.claims,
            flights: Mutex::default(),
        }
    }

    fn board(&self, key: (TimedId, u64)) -> Flight {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.entry(key).or_default().clone()
    }

    fn land(&self, key: (TimedId, u64)) {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        flights.remove(&key);
    }
}

/// Asks the claims hook on behalf of one call. Until it is dropped, which is after its call rotated, whoever asks the same
/// question shares the answer.
pub(super) struct AskHook<'a> {
    hooks: &'a Hooks,
    service: &'a SessionService<Store>,
    call: &'a Call<'a>,
    landing: OnceLock<Landing<'a>>,
}

impl<'a> AskHook<'a> {
    pub(super) fn new(
        hooks: &'a Hooks,
        service: &'a SessionService<Store>,
        call: &'a Call<'a>,
    ) -> Self {
        Self {
            hooks,
            service,
            call,
            landing: OnceLock::new(),
        }
    }
}

impl Claims for AskHook<'_> {
    async fn ask(&self, ask: impl FnOnce() -> Ask + Send) -> ClaimsAnswer {
        let Some(hook) = &self.hooks.claims else {
            return ClaimsAnswer::Unchanged;
        };
        let ask = ask();
        let key = (ask.session, ask.generation);
        let hooks = self.hooks;
        self.landing.get_or_init(|| Landing { hooks, key });
        let flight = hooks.board(key);
        flight.get_or_init(|| self.fly(hook, &ask)).await.clone()
    }
}

/// Clears a flight away, also when its passenger has gone.
struct Landing<'a> {
    hooks: &'a Hooks,
    key: (TimedId, u64),
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.hooks.land(self.key);
    }
}

impl AskHook<'_> {
    async fn fly(&self, hook: &HookClient, ask: &Ask) -> ClaimsAnswer {
        // Who read the session before another call rotated it, and boards after that, has nothing to ask: it gets the
        // successor that is there.
        if let Ok(Some(session)) = self.service.load(ask.session).await
            && session.generation != ask.generation
        {
            return ClaimsAnswer::Unchanged;
        }
        let body = json!({
            "reason": "refresh",
            "subject": ask.subject,
            "sid": ask.session.to_string(),
            "client_id": ask.client,
            "claims_version": ask.claims_version,
            "refresh_handle": ask.handle,
        });
        let request_id = self.call.from.request_id.as_str();
        let address = self.call.from.address.to_canonical().to_string();
        let told = HookCall {
            fields: &[
                ("x-tollgate-request-id", request_id),
                ("x-tollgate-client-id", &ask.client),
                ("x-tollgate-client-ip", &address),
            ],
            content_type: "application/json",
            now: self.call.now,
        };
        match hook.call(body.to_string().into(), &told).await {
            Ok(answer) => read(&answer, ask, request_id),
            Err(error) => {
                tracing::warn!(%error, request_id, "the claims hook failed");
                ClaimsAnswer::Unavailable
            }
        }
    }
}

fn read(answer: &Response<Bytes>, ask: &Ask, request_id: &str) -> ClaimsAnswer {
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::NO_CONTENT => return ClaimsAnswer::Unchanged,
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::GONE => {
            return ClaimsAnswer::Denied;
        }
        status => {
            tracing::warn!(%status, request_id, "the claims hook failed");
            return ClaimsAnswer::Unavailable;
        }
    }
    match said(answer, ask) {
        Ok(Some((renewed, handle))) => ClaimsAnswer::Renewed(Box::new(renewed), handle),
        Ok(None) => {
            tracing::error!(request_id, "the claims hook answered for another subject");
            ClaimsAnswer::Contradicted
        }
        Err(fault) => {
            tracing::error!(%fault, request_id, "the claims hook gave an unusable answer");
            ClaimsAnswer::Unavailable
        }
    }
}

/// What an answer makes of the grant, and its handle; `None` when it speaks of another subject, whatever it says of that
/// one.
fn said(answer: &Response<Bytes>, ask: &Ask) -> Result<Option<(Grant, Option<String>)>, Unusable> {
    let said = Said::parse(answer)?;
    if said
        .subject
        .as_deref()
        .is_some_and(|named| named != &*ask.subject)
    {
        return Ok(None);
    }
    said.check()?;
    let renewed = said.renew(&ask.grant);
    check_size(&ask.subject, &renewed)?;
    Ok(Some((renewed, said.refresh_handle)))
}
