//! The one entrance: an endpoint and a request in, an answer out.

use std::time::Instant;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response};

use super::devices;
use super::metadata;
use crate::api::problem::{self, Asked, Dialect};
use crate::api::session::answers::no_store;
use crate::api::session::api::SessionApi;
use crate::api::session::call::{Call, Caller};
use crate::api::session::cookie;
use crate::api::session::failure::{Chain, Failure};
use crate::api::session::origin::{self, Zone};
use crate::config::SessionEndpoint;
use crate::session::{Event, Occasion};

impl SessionApi {
    /// Answers a request to `endpoint`.
    pub async fn answer(
        &self,
        endpoint: SessionEndpoint,
        request: Request<Bytes>,
        from: Caller<'_>,
    ) -> Response<Bytes> {
        let call = Call {
            request: &request,
            from,
            now: self.clock.now(),
            moment: Instant::now(),
        };
        let zone = Zone::of(endpoint);
        if origin::is_preflight(&call) {
            return origin::preflight(self.sessions(), zone, &call);
        }
        let answered = self.dispatch(endpoint, &call).await;
        let mut response =
            answered.unwrap_or_else(|failure| self.failed(endpoint, &failure, &call));
        origin::decorate(self.sessions(), zone, &call, &mut response);
        response
    }

    async fn dispatch(
        &self,
        endpoint: SessionEndpoint,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Failure> {
        check_method(endpoint, call)?;
        // What expires and what reopens now depends on a time that nobody believes.
        let depends = !matches!(endpoint, SessionEndpoint::Metadata | SessionEndpoint::Jwks);
        if depends && !self.clock.is_sound() {
            return Err(Failure::Unavailable);
        }
        match endpoint {
            SessionEndpoint::Login => self.login(call).await,
            SessionEndpoint::Refresh => self.refresh_by_cookie(call).await,
            SessionEndpoint::Logout => self.logout(call).await,
            SessionEndpoint::LogoutAll => self.logout_all(call).await,
            SessionEndpoint::Sessions => self.devices(call).await,
            SessionEndpoint::Token => self.token(call).await,
            SessionEndpoint::Revoke => self.revoke(call).await,
            SessionEndpoint::Introspect => self.introspect(call).await,
            SessionEndpoint::Metadata => {
                let keys = self.keys.published(call.now);
                Ok(metadata::metadata(self.sessions(), &keys))
            }
            SessionEndpoint::Jwks => Ok(metadata::jwks(&self.keys.published(call.now))),
        }
    }

    /// The answer to a failure. The cookie goes only where its chain is dead.
    fn failed(
        &self,
        endpoint: SessionEndpoint,
        failure: &Failure,
        call: &Call<'_>,
    ) -> Response<Bytes> {
        let event = match failure {
            Failure::TooMany(_) => Some(Event::RateLimited),
            Failure::AccessDenied(_) => Some(Event::OriginRefused),
            Failure::ClientUnnamed | Failure::InvalidClient => Some(Event::ClientRefused),
            Failure::StoreUnavailable => Some(Event::StoreUnavailable),
            _ => None,
        };
        if let Some(event) = event {
            self.tell(event, call, Occasion::default());
        }
        let mut response = match failure {
            Failure::Refused(refusal) => problem::answer(refusal, &self.config, &asked(call)),
            _ => failure.answer(),
        };
        if matches!(failure, Failure::ClientUnnamed | Failure::InvalidClient) && may_challenge(call)
        {
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        if let Some(refusal) = failure.refusal() {
            response.extensions_mut().insert(refusal);
        }
        let dead = matches!(failure, Failure::InvalidGrant(Chain::Dead));
        if dead
            && endpoint == SessionEndpoint::Refresh
            && let Some(cookie) = &self.sessions().cookie
        {
            cookie::clear(&mut response, cookie);
        }
        no_store(response)
    }
}

/// Whether a client that is not proven is asked for Basic (RFC 6749 §5.2): whoever tried it, and whoever is no page. A
/// browser would ask its user for a name and a password, before the page hears of it.
fn may_challenge(call: &Call<'_>) -> bool {
    call.request.headers().contains_key(header::AUTHORIZATION) || !origin::is_of_page(call)
}

const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"oauth\"");

fn check_method(endpoint: SessionEndpoint, call: &Call<'_>) -> Result<(), Failure> {
    const READ: (&[Method], &str) = (&[Method::GET, Method::HEAD], "GET, HEAD");
    let (allowed, text) = match endpoint {
        SessionEndpoint::Sessions => match devices::named(call) {
            None => READ,
            Some(_) => (&[Method::DELETE][..], "DELETE"),
        },
        SessionEndpoint::Metadata | SessionEndpoint::Jwks => READ,
        _ => (&[Method::POST][..], "POST"),
    };
    match allowed.contains(call.request.method()) {
        true => Ok(()),
        false => Err(Failure::MethodRefused(text)),
    }
}

fn asked<'a>(call: &Call<'a>) -> Asked<'a> {
    let headers = call.request.headers();
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    Asked {
        request_id: call.from.request_id,
        host: host.or(call.request.uri().host()),
        origin: headers.get(header::ORIGIN).map(|origin| origin.as_bytes()),
        dialect: Dialect::Http,
    }
}
