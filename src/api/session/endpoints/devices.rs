//! `GET /auth/sessions` lists where the subject of a Bearer token is logged in; `DELETE /auth/sessions/{sid}` ends one of
//! those. A session of somebody else is as good as none.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::logout::{Jar, self_session};
use crate::api::answer;
use crate::api::session::answers::{json, no_store};
use crate::api::session::api::SessionApi;
use crate::api::session::call::Call;
use crate::api::session::failure::Failure;
use crate::session::{Event, Occasion, Session, TimedId, Why};

impl SessionApi {
    pub(super) async fn devices(&self, call: &Call<'_>) -> Result<Response<Bytes>, Failure> {
        let verified = self.tokens.holder(call)?;
        self.seen(&verified);
        let principal = verified.principal();
        let own = self_session(principal.session.as_deref())?;
        match named(call) {
            None => {
                let live = self.service.live_of(&principal.subject, call.now).await?;
                let shown = |session: &Session| {
                    let mut shown = device(session);
                    shown["current"] = json!(Some(session.id) == own);
                    shown
                };
                let listed: Vec<Value> = live.iter().map(shown).collect();
                Ok(json(StatusCode::OK, &json!({ "sessions": listed })))
            }
            Some(sid) => self.remove(sid, &principal.subject, call).await,
        }
    }

    /// Where a subject is logged in, for the operator: the oldest session first.
    ///
    /// # Errors
    /// A text for the operator when the store does not answer.
    pub async fn sessions_of(&self, subject: &str) -> Result<Vec<Session>, String> {
        let live = self.service.live_of(subject, self.clock.now()).await;
        live.map_err(|error| error.to_string())
    }

    async fn remove(
        &self,
        sid: &str,
        subject: &str,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Failure> {
        let sid = TimedId::parse(sid).ok_or(Failure::NotFound)?;
        let session = self.service.load(sid).await?;
        let session = session
            .filter(|session| *session.subject == *subject)
            .ok_or(Failure::NotFound)?;
        let jar = self.jar(call);
        let is_its_cookie = self.is_of(&jar, session.id).await;
        self.service.revoke(session.id, Why::Logout).await?;
        let occasion = Occasion {
            transport: Some(session.transport),
            session: Some(session.id),
            client: Some(&session.client),
            ..Occasion::default()
        };
        self.tell(Event::Logout, call, occasion);
        let answer = no_store(answer::empty(StatusCode::NO_CONTENT));
        Ok(match is_its_cookie {
            true => jar.emptied(answer),
            false => answer,
        })
    }

    /// Whether the cookie of a page that may use it belongs to `session`.
    async fn is_of(&self, jar: &Jar<'_>, session: TimedId) -> bool {
        let Jar::Own(_, token) = jar else {
            return false;
        };
        let found = self.service.find(token).await;
        found.is_ok_and(|found| found.session.id == session)
    }
}

/// Which session a call names; `None`: the list of all.
pub(super) fn named<'a>(call: &Call<'a>) -> Option<&'a str> {
    call.request.uri().path().strip_prefix(PATH)
}

/// A session as its owner and the operator see it.
pub(in crate::api) fn device(session: &Session) -> Value {
    json!({
        "sid": session.id.to_string(),
        "client_id": session.client,
        "created_at": session.id.given_at().as_secs(),
        "last_seen_at": session.rotated_at.as_secs(),
        "expires_at": session.expires_at().as_secs(),
        "label": session.device.label,
        "user_agent": session.device.user_agent,
        "ip": session.device.address,
    })
}

const PATH: &str = "/auth/sessions/";
