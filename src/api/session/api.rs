//! The one entrance: an endpoint and a request in, an answer out. Holds what the endpoints share.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header;
use http::{Method, Request, Response};

use super::answers::no_store;
use super::bearer::OwnTokens;
use super::call::Call;
use super::clients::Clients;
use super::cookie;
use super::devices;
use super::failure::{Chain, Failure};
use super::hooks::Hooks;
use super::kept::Kept;
use super::metadata;
use super::origin::{self, Zone};
use super::own_keys::OwnKeys;
use crate::api::problem::{self, Asked, Dialect};
use crate::config::model::{Client, Sessions};
use crate::config::{Config, SessionEndpoint};
use crate::control;
use crate::gate::RequestId;
use crate::session::{
    AccessMinter, AccessTerms, Entropy, Event, Observer, Occasion, RefreshKeys, Revocations,
    SessionService, Terms,
};
use crate::store::Store;
use crate::time::Clock;

/// The session side of one configuration.
pub struct SessionApi {
    pub(super) config: Arc<Config>,
    pub(super) service: Arc<SessionService<Store>>,
    pub(super) minter: AccessMinter,
    pub(super) keys: OwnKeys,
    pub(super) tokens: OwnTokens,
    pub(super) clients: Clients,
    pub(super) hooks: Hooks,
    pub(super) kept: Kept,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) clock: Arc<dyn Clock>,
}

/// What the session side needs from the house. All of it outlives configurations.
#[derive(Clone)]
pub struct Surroundings {
    /// Where sessions are kept.
    pub store: Arc<Store>,
    /// What counts no longer.
    pub revocations: Arc<Revocations>,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// Hears what happens.
    pub observer: Arc<dyn Observer>,
    /// What is counted and remembered of calls.
    pub kept: Kept,
}

/// Where a call came from.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The client's address: the peer's, or what a trusted proxy tells.
    pub address: IpAddr,
    /// `X-Request-Id`.
    pub request_id: &'a RequestId,
}

impl SessionApi {
    /// The session side of `config`; `None` without `[sessions]`.
    ///
    /// # Errors
    /// A text for the operator.
    pub fn new(config: &Arc<Config>, around: Surroundings) -> Result<Option<Self>, String> {
        let Some(sessions) = &config.sessions else {
            return Ok(None);
        };
        let keys = RefreshKeys::new(&sessions.refresh_keys).map_err(|error| error.to_string())?;
        let service = SessionService::new(
            around.store,
            keys,
            around.revocations.clone(),
            around.observer.clone(),
            sessions.access_lifetime + REMEMBER_BEYOND,
            sessions.claims_stale_ok,
        );
        let own_keys = OwnKeys::new(sessions, around.revocations.clone());
        Ok(Some(Self {
            service: Arc::new(service),
            minter: minter(sessions),
            tokens: OwnTokens::new(config, own_keys.clone(), around.revocations),
            keys: own_keys,
            clients: Clients::new(sessions),
            hooks: Hooks::new(sessions)?,
            kept: around.kept,
            observer: around.observer,
            clock: around.clock,
            config: config.clone(),
        }))
    }

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

    pub(super) fn tell(&self, event: Event, call: &Call<'_>, occasion: Occasion<'_>) {
        let request_id = call.from.request_id.as_str();
        self.observer.session(
            event,
            &Occasion {
                request_id,
                ..occasion
            },
        );
    }

    pub(super) fn sessions(&self) -> &Sessions {
        let sessions = self.config.sessions.as_ref();
        sessions.expect("there is no session side without [sessions]")
    }

    /// The terms of rotation of one client's sessions.
    pub(super) fn terms(&self, client: &Client) -> Terms {
        let sessions = self.sessions();
        Terms {
            grace: sessions.grace,
            lost_reply_window: client
                .lost_reply_window
                .unwrap_or(sessions.lost_reply_window),
            replays_max: sessions.max_replays,
        }
    }
}

/// The system's entropy.
#[derive(Debug, Clone, Copy)]
pub(super) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let fresh = control::fresh::<32>();
            chunk.copy_from_slice(&fresh[..chunk.len()]);
        }
    }
}

fn minter(sessions: &Sessions) -> AccessMinter {
    let terms = AccessTerms {
        issuer: sessions.issuer.clone(),
        audience: sessions.audience.clone(),
        lifetime: sessions.access_lifetime,
        jitter: sessions.access_jitter,
        products: sessions.products.clone(),
    };
    AccessMinter::new(terms)
}

fn check_method(endpoint: SessionEndpoint, call: &Call<'_>) -> Result<(), Failure> {
    let (allowed, text): (&[Method], _) = match endpoint {
        SessionEndpoint::Sessions => match devices::named(call) {
            None => (&[Method::GET], "GET"),
            Some(_) => (&[Method::DELETE], "DELETE"),
        },
        SessionEndpoint::Metadata | SessionEndpoint::Jwks => {
            (&[Method::GET, Method::HEAD], "GET, HEAD")
        }
        _ => (&[Method::POST], "POST"),
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

/// A revocation is remembered beyond the life of an access token: its leeway, and clocks that differ.
const REMEMBER_BEYOND: Duration = Duration::from_secs(60);
