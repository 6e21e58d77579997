//! `POST /auth/logout` ends the session of a cookie or of a Bearer token, of both if both are there; any genuine refresh
//! token will do, the newest or a spent one. `POST /auth/logout-all` ends every session of the token's subject.

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::json;

use crate::api::session::answers::json;
use crate::api::session::api::SessionApi;
use crate::api::session::call::Call;
use crate::api::session::failure::Failure;
use crate::api::session::{cookie, origin};
use crate::config::model::{Cookie, Transport};
use crate::gate::{Reason, Refusal};
use crate::session::{Event, Found, Occasion, RefreshError, TimedId, Why};

impl SessionApi {
    pub(super) async fn logout(&self, call: &Call<'_>) -> Result<Response<Bytes>, Failure> {
        call.content()?;
        let jar = self.jar(call);
        let holder = self.tokens.holder(call);
        let has_bearer = call.request.headers().contains_key(header::AUTHORIZATION);
        let by_bearer = match (&holder, &jar) {
            (Ok(verified), _) => self_session(verified.principal().session.as_deref())?,
            // The cookie speaks alone: its token outlives an access token that has expired.
            (Err(_), Jar::Own(..)) => None,
            (Err(_), Jar::Torn(_, failure)) => return Err(failure.clone()),
            (Err(_), Jar::Foreign) if !has_bearer => {
                return Err(origin::other_origin());
            }
            (Err(refusal), _) => return Err(refusal.clone().into()),
        };
        if let Some(session) = by_bearer {
            self.end(session, None, call).await?;
        }
        if let Jar::Own(_, token) = jar {
            self.end_by_cookie(token, call).await?;
        }
        Ok(jar.emptied(json(StatusCode::OK, &json!({}))))
    }

    pub(super) async fn logout_all(&self, call: &Call<'_>) -> Result<Response<Bytes>, Failure> {
        call.content()?;
        let verified = self.tokens.holder(call)?;
        let principal = verified.principal();
        // A client that speaks for itself may be called like a user.
        let session = self_session(principal.session.as_deref())?;
        let ended = self
            .service
            .revoke_subject(&principal.subject, Why::LogoutAll);
        ended.await?;
        let occasion = Occasion {
            session,
            client: principal.client.as_deref(),
            ..Occasion::default()
        };
        self.tell(Event::LogoutAll, call, occasion);
        Ok(self.jar(call).emptied(json(StatusCode::OK, &json!({}))))
    }

    async fn end_by_cookie(&self, token: &str, call: &Call<'_>) -> Result<(), Failure> {
        match self.service.find(token).await {
            Ok(Found { session, .. }) if session.transport == Transport::Cookie => {
                self.end(session.id, Some(session.transport), call).await
            }
            Ok(Found { session, .. }) => {
                let occasion = Occasion {
                    transport: Some(Transport::Cookie),
                    session: Some(session.id),
                    ..Occasion::default()
                };
                self.tell(Event::TransportMismatch, call, occasion);
                Ok(())
            }
            Err(RefreshError::Store(error)) => Err(error.into()),
            Err(_) => Ok(()),
        }
    }

    async fn end(
        &self,
        session: TimedId,
        transport: Option<Transport>,
        call: &Call<'_>,
    ) -> Result<(), Failure> {
        self.service.revoke(session, Why::Logout).await?;
        let occasion = Occasion {
            transport,
            session: Some(session),
            ..Occasion::default()
        };
        self.tell(Event::Logout, call, occasion);
        Ok(())
    }

    /// The refresh cookie of a call, and whether a page that may use it made the call.
    pub(super) fn jar<'c>(&'c self, call: &Call<'c>) -> Jar<'c> {
        let Some(cookie) = &self.sessions().cookie else {
            return Jar::Empty;
        };
        let of_own_page = || origin::check_cookie(cookie, call).is_ok();
        match cookie::read(cookie, call) {
            Ok(None) => Jar::Empty,
            Ok(Some(token)) if of_own_page() => Jar::Own(cookie, token),
            Ok(Some(_)) => Jar::Foreign,
            Err(failure) => Jar::Torn(Some(cookie).filter(|_| of_own_page()), failure),
        }
    }
}

/// A refresh cookie at logout.
pub(super) enum Jar<'a> {
    /// There is none.
    Empty,
    /// There is one, and the page may use it.
    Own(&'a Cookie, &'a str),
    /// There is one, and the page may not use it.
    Foreign,
    /// There are two, and neither counts; a page that might use one may have the gate's own taken away. A sibling that
    /// tossed the other keeps nobody from a logout by a Bearer token.
    Torn(Option<&'a Cookie>, Failure),
}

impl Jar<'_> {
    /// Takes the cookie away in an answer, if the page may.
    pub(super) fn emptied(&self, mut response: Response<Bytes>) -> Response<Bytes> {
        if let Jar::Own(cookie, _) | Jar::Torn(Some(cookie), _) = self {
            cookie::clear(&mut response, cookie);
        }
        response
    }
}

/// The session of a token. One without is a client's own: it has none to end.
pub(super) fn self_session(session: Option<&str>) -> Result<Option<TimedId>, Refusal> {
    let session = session.and_then(TimedId::parse);
    match session {
        Some(session) => Ok(Some(session)),
        None => Err(Refusal::new(
            Reason::ClaimInvalid,
            "the token has no session",
        )),
    }
}
