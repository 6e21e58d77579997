//! The walk of one admin request: from the door to its place, and what it gets there.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use super::super::answer;
use super::super::explain::Explained;
use super::acts::{Acts, Question};
use super::door::{self, Need};
use super::fault::Fault;
use super::heard::Heard;
use super::page::{self, Pace};
use super::place::Place;
use super::view::{self, Detail};
use super::{event, wish};
use crate::config::Config;
use crate::control::{Distrusted, ReloadOutcome};
use crate::telemetry::Telemetry;

/// The largest body that the admin API reads. Whoever reads bodies stops there and answers 413.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The admin API.
#[derive(Debug)]
pub struct Admin<A> {
    acts: A,
    telemetry: Arc<Telemetry>,
    heard: Heard,
}

impl<A: Acts> Admin<A> {
    /// Puts the API together.
    pub fn new(acts: A, telemetry: Arc<Telemetry>) -> Self {
        Self {
            acts,
            telemetry,
            heard: Heard::default(),
        }
    }

    /// Answers one request, whose body is complete. The answer to HEAD has the body of GET: the plane leaves it out.
    pub async fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        self.walk(request).await.unwrap_or_else(Into::into)
    }

    async fn walk(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, Fault> {
        let gate = self.acts.gate();
        let config = gate.config();
        let admin = config.admin.as_ref();
        let admin =
            admin.ok_or_else(|| Fault::new(StatusCode::FORBIDDEN, "there is no [admin]"))?;
        door::check_source(request, admin)?;
        let (place, need) = Place::find(request.method(), request.uri().path())?;
        door::check_token(request.headers(), admin, need)?;
        if request.method() == Method::POST && place.takes_json() {
            door::check_json(request)?;
        }
        let may_see_all = door::check_token(request.headers(), admin, Need::TokenOffLoopback);
        let detail = may_see_all.map_or(Detail::Bare, |()| Detail::Whole);
        let body = request.body();
        Ok(match place {
            Place::Page => {
                let pace = Pace::asked(request.uri().query());
                page::render(config, &self.acts.status(), &self.telemetry, pace)
            }
            Place::Live => answer::body(StatusCode::OK, TEXT, "ok"),
            Place::Ready => view::readiness(self.acts.status(), detail),
            Place::Metrics => answer::body(StatusCode::OK, EXPOSITION, self.telemetry.scrape()),
            Place::Status => self.overview(config),
            Place::Revocations => view::revocations(&self.acts.revocations()),
            Place::Explain => self.explain(body)?,
            Place::Reload => self.reload(body).await?,
            Place::Revoke => self.revoke(config, body).await?,
            Place::Distrust => self.distrust(body).await?,
            Place::GlobalRevocation => self.revoke_globally(config, body).await?,
            Place::Sessions => self.sessions(request.uri().query()).await?,
            Place::Logout => event::logout(&self.acts, &self.heard, request).await?,
            Place::SecurityEvent => event::security(&self.acts, &self.heard, request).await?,
        })
    }

    fn overview(&self, config: &Config) -> Response<Bytes> {
        let (facts, ledger) = (self.acts.status(), self.acts.ledger());
        view::overview(config, &facts, &ledger, &self.telemetry)
    }

    fn explain(&self, body: &Bytes) -> Result<Response<Bytes>, Fault> {
        let question: Question = wish::parse(body)?;
        if question.token.is_some() && question.claims.is_some() {
            return Err(Fault::bad("name a token or claims, not both"));
        }
        let explanation = self.acts.explain(&question).map_err(Fault::bad)?;
        let explained = Explained::from(&explanation);
        Ok(answer::json(StatusCode::OK, &explained))
    }

    /// A reload says nothing; a body, where there is one, is JSON as everywhere.
    async fn reload(&self, body: &Bytes) -> Result<Response<Bytes>, Fault> {
        if !body.is_empty() {
            wish::parse::<serde::de::IgnoredAny>(body)?;
        }
        let reloaded = self.acts.reload().await?;
        let status = match reloaded.outcome {
            ReloadOutcome::Ok => StatusCode::OK,
            ReloadOutcome::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Ok(view::reload(status, &reloaded))
    }

    async fn revoke(&self, config: &Config, body: &Bytes) -> Result<Response<Bytes>, Fault> {
        let (what, issuer) = wish::revoke(config, body)?;
        let revoked = self.acts.revoke(what, issuer).await;
        let revocation = revoked.map_err(Fault::later)?;
        Ok(view::revocation(&revocation))
    }

    async fn revoke_globally(
        &self,
        config: &Config,
        body: &Bytes,
    ) -> Result<Response<Bytes>, Fault> {
        let (subject, issuer) = wish::revoke_globally(config, body)?;
        let revoked = self.acts.revoke(subject, Some(issuer)).await;
        revoked.map_err(Fault::later)?;
        Ok(answer::empty(StatusCode::NO_CONTENT))
    }

    async fn sessions(&self, query: Option<&str>) -> Result<Response<Bytes>, Fault> {
        let subject = wish::subject(query)?;
        let sessions = self.acts.sessions_of(&subject).await;
        let sessions = sessions.map_err(Fault::later)?;
        let sessions =
            sessions.ok_or_else(|| Fault::new(StatusCode::NOT_FOUND, "there is no [sessions]"))?;
        Ok(view::sessions(&sessions))
    }

    async fn distrust(&self, body: &Bytes) -> Result<Response<Bytes>, Fault> {
        let wish::Distrust { issuer, kid } = wish::parse(body)?;
        let Distrusted {
            generation,
            kept,
            known,
        } = self.acts.distrust(issuer, kid).await??;
        let said = serde_json::json!({ "generation": generation, "kept": kept, "known": known });
        Ok(answer::json(StatusCode::OK, &said))
    }
}

/// Prometheus' text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

const TEXT: &str = "text/plain; charset=utf-8";
