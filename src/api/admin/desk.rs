//! Which request is which, what it must show, and its answer.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use serde::Deserialize;

use super::super::answer;
use super::super::explain::Explained;
use super::acts::{Acts, Question};
use super::door::{self, Need};
use super::page;
use super::view::{self, Detail, RevocationView};
use crate::config::Config;
use crate::control::{Busy, DistrustError, ReloadOutcome};
use crate::session::{OWN_ISSUER, Revoked};
use crate::telemetry::Telemetry;

/// The largest body that the admin API reads. Whoever reads bodies stops there and answers 413.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The admin API.
#[derive(Debug)]
pub struct Admin<A> {
    acts: A,
    telemetry: Arc<Telemetry>,
}

/// Every place of the admin listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Page,
    Metrics,
    Live,
    Ready,
    Status,
    Explain,
    Reload,
    Revocations,
    Distrust,
}

type Refused = Response<Bytes>;

impl<A: Acts> Admin<A> {
    /// Puts the API together.
    pub fn new(acts: A, telemetry: Arc<Telemetry>) -> Self {
        Self { acts, telemetry }
    }

    /// Answers one request, whose body is complete. The answer to HEAD has the body of GET: the plane leaves it out.
    pub async fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.walk(request).await.unwrap_or_else(|refused| refused)
    }

    async fn walk(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Refused> {
        let gate = self.acts.gate();
        let config = gate.config();
        let Some(admin) = &config.admin else {
            return Err(answer::problem(
                StatusCode::FORBIDDEN,
                "there is no [admin]",
            ));
        };
        door::check_source(request, admin)?;
        let place = Place::of(request.uri().path())
            .ok_or_else(|| answer::problem(StatusCode::NOT_FOUND, "there is nothing here"))?;
        place.check_method(request.method())?;
        door::check_token(request.headers(), admin, place.need())?;
        if request.method() == Method::POST {
            door::check_json(request)?;
        }
        let detail = match door::check_token(request.headers(), admin, Need::TokenOffLoopback) {
            Ok(()) => Detail::Whole,
            Err(_) => Detail::Bare,
        };
        match place {
            Place::Page => Ok(page::render(config, &self.acts.status(), &self.telemetry)),
            Place::Metrics => Ok(self.metrics()),
            Place::Live => Ok(answer::body(StatusCode::OK, TEXT, "ok\n")),
            Place::Ready => Ok(view::readiness(self.acts.status(), detail)),
            Place::Status => Ok(view::overview(config, &self.acts.status(), &self.telemetry)),
            Place::Explain => self.explain(request.body()),
            Place::Reload => self.reload().await,
            Place::Revocations if request.method() == Method::POST => {
                self.revoke(config, request.body()).await
            }
            Place::Revocations => Ok(self.revocations()),
            Place::Distrust => self.distrust(request.body()).await,
        }
    }

    fn metrics(&self) -> Response<Bytes> {
        let text = self.telemetry.scrape();
        answer::body(
            StatusCode::OK,
            "text/plain; version=0.0.4; charset=utf-8",
            text,
        )
    }

    fn explain(&self, body: &Bytes) -> Result<Response<Bytes>, Refused> {
        let question: Question = parse(body)?;
        let explanation = self.acts.explain(&question).map_err(|error| bad(&error))?;
        let explained = Explained::from(&explanation);
        Ok(answer::json(StatusCode::OK, &explained))
    }

    async fn reload(&self) -> Result<Response<Bytes>, Refused> {
        let reloaded = self.acts.reload().await.map_err(busy)?;
        let status = match reloaded.outcome {
            ReloadOutcome::Ok => StatusCode::OK,
            ReloadOutcome::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Ok(view::reload(status, &reloaded))
    }

    fn revocations(&self) -> Response<Bytes> {
        let newest = self.acts.revocations();
        let views: Vec<_> = newest.iter().map(RevocationView::from).collect();
        answer::json(StatusCode::OK, &serde_json::json!({ "revocations": views }))
    }

    async fn revoke(&self, config: &Config, body: &Bytes) -> Result<Response<Bytes>, Refused> {
        let (what, issuer) = wish(config, body)?;
        let revoked = self.acts.revoke(what, issuer).await;
        let revocation =
            revoked.map_err(|error| answer::problem(StatusCode::SERVICE_UNAVAILABLE, &error))?;
        Ok(answer::json(
            StatusCode::OK,
            &RevocationView::from(&revocation),
        ))
    }

    async fn distrust(&self, body: &Bytes) -> Result<Response<Bytes>, Refused> {
        let Distrust { issuer, kid } = parse(body)?;
        let distrusted = self.acts.distrust(issuer, kid).await.map_err(busy)?;
        let generation = distrusted.map_err(|error| {
            let status = match error {
                DistrustError::IssuerUnknown => StatusCode::UNPROCESSABLE_ENTITY,
                DistrustError::Full | DistrustError::NotKept => StatusCode::SERVICE_UNAVAILABLE,
            };
            answer::problem(status, &error.to_string())
        })?;
        let said = serde_json::json!({ "generation": generation });
        Ok(answer::json(StatusCode::OK, &said))
    }
}

impl Place {
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/" => Self::Page,
            "/metrics" => Self::Metrics,
            "/livez" => Self::Live,
            "/readyz" => Self::Ready,
            "/api/status" => Self::Status,
            "/api/explain" => Self::Explain,
            "/api/reload" => Self::Reload,
            "/api/revocations" => Self::Revocations,
            "/api/keys/distrust" => Self::Distrust,
            _ => return None,
        })
    }

    fn methods(self) -> &'static [Method] {
        match self {
            Self::Explain | Self::Reload | Self::Distrust => &[Method::POST],
            Self::Revocations => &[Method::GET, Method::HEAD, Method::POST],
            _ => &[Method::GET, Method::HEAD],
        }
    }

    fn check_method(self, method: &Method) -> Result<(), Refused> {
        if self.methods().contains(method) {
            return Ok(());
        }
        let mut refused = answer::problem(
            StatusCode::METHOD_NOT_ALLOWED,
            "the method is not allowed here",
        );
        let allowed: Vec<_> = self.methods().iter().map(Method::as_str).collect();
        answer::put(&mut refused, header::ALLOW, &allowed.join(", "));
        Err(refused)
    }

    fn need(self) -> Need {
        match self {
            Self::Metrics | Self::Live | Self::Ready => Need::Nothing,
            Self::Page | Self::Status => Need::TokenOffLoopback,
            Self::Explain | Self::Reload | Self::Revocations | Self::Distrust => Need::Token,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Distrust {
    issuer: String,
    kid: String,
}

/// `{"session": "…"}`, or `subject`, `client`, `token`, `key`, or `"all": true`; and maybe `issuer`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    session: Option<String>,
    subject: Option<String>,
    client: Option<String>,
    token: Option<String>,
    key: Option<String>,
    all: Option<bool>,
    issuer: Option<String>,
}

/// What is to be revoked, and of whom: exactly one thing, of an issuer that exists.
fn wish(config: &Config, body: &Bytes) -> Result<(Revoked, Option<Arc<str>>), Refused> {
    let wish: Wish = parse(body)?;
    let named = [
        wish.session.map(|value| Revoked::Session(value.into())),
        wish.subject.map(|value| Revoked::Subject(value.into())),
        wish.client.map(|value| Revoked::Client(value.into())),
        wish.token.map(|value| Revoked::Token(value.into())),
        wish.key.map(|value| Revoked::Key(value.into())),
        wish.all.filter(|all| *all).map(|_| Revoked::All),
    ];
    let mut named = named.into_iter().flatten();
    let (Some(what), None) = (named.next(), named.next()) else {
        return Err(bad(
            "name exactly one of session, subject, client, token, key, all",
        ));
    };
    if what != Revoked::All && what.value().is_empty() {
        return Err(bad("what is revoked has no name"));
    }
    let issuer = wish.issuer.map(|name| issuer(config, &name)).transpose()?;
    Ok((what, issuer))
}

/// The issuer's name in the configuration, by that name or by its `iss`.
fn issuer(config: &Config, named: &str) -> Result<Arc<str>, Refused> {
    let mut issuers = config.issuers.iter().map(|issuer| &issuer.terms);
    if let Some(terms) = issuers.find(|terms| *terms.name == *named || *terms.issuer == *named) {
        return Ok(terms.name.clone());
    }
    let sessions = config.sessions.as_ref();
    if sessions.is_some_and(|sessions| named == OWN_ISSUER || *sessions.issuer == *named) {
        return Ok(OWN_ISSUER.into());
    }
    Err(answer::problem(
        StatusCode::UNPROCESSABLE_ENTITY,
        "no issuer of that name is configured",
    ))
}

fn parse<'b, T: Deserialize<'b>>(body: &'b Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| bad(&error.to_string()))
}

fn bad(detail: &str) -> Refused {
    answer::problem(StatusCode::BAD_REQUEST, detail)
}

fn busy(busy: Busy) -> Refused {
    let mut refused = answer::problem(StatusCode::SERVICE_UNAVAILABLE, &busy.to_string());
    refused
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    refused
}

const TEXT: &str = "text/plain; charset=utf-8";
