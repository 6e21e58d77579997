//! An admin listener whose acts are pretended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::*;
use crate::api::tests::house::{CONFIG, field, gate_of, gate_with};
use crate::control::{
    Busy, DistrustError, Distrusted, IssuerState, IssuerStatus, KeyOrigin, LastReload, LedgerView,
    ReloadOutcome, Reloaded, Status,
};
use crate::gate::{Explanation, Gate, Reason};
use crate::session::{Revocation, Revocations, Revoked, Session};
use crate::telemetry::{Health, Telemetry};
use crate::time::{Clock, SetClock, Timestamp};
use crate::token::{Algorithm, EventForm, IssuerEvent, KeyRing, TokenFailure};

mod desk;
mod door;
mod events;
mod page;

const ADDRESS: &str = "127.0.0.1:9901";
const TOKEN: &str = "Bearer 0123456789abcdef";
const NOW: u64 = 1_700_000_000;

/// Acts that remember, and answer what the test wants.
struct Pretended {
    gate: Arc<Gate>,
    status: Mutex<Status>,
    reload: Mutex<Reloaded>,
    revoked: Mutex<Vec<Revocation>>,
    unwritable: AtomicBool,
    clock: SetClock,
}

#[async_trait]
impl Acts for Arc<Pretended> {
    fn status(&self) -> Status {
        self.status.lock().unwrap().clone()
    }

    fn ledger(&self) -> LedgerView {
        LedgerView::default()
    }

    fn gate(&self) -> Arc<Gate> {
        self.gate.clone()
    }

    fn explain(&self, question: &Question) -> Result<Explanation, String> {
        if !question.url.starts_with('/') {
            return Err("no URL".into());
        }
        Ok(Explanation {
            steps: vec![("path", question.url.clone())],
            issuer: None,
            route: Some("crm".into()),
            verdict: "forward",
            reason: None::<Reason>,
            detail: None,
            upstream_path: Some(question.url.clone()),
            upstream: Some("crm".into()),
            fields: vec![("X-Identity-Subject".into(), "alice".into())],
        })
    }

    fn revocations(&self) -> Vec<Revocation> {
        self.revoked.lock().unwrap().clone()
    }

    async fn revoke(&self, what: Revoked, issuer: Option<Arc<str>>) -> Result<Revocation, String> {
        let revocation = Revocation {
            what,
            issuer,
            cutoff: Timestamp::from_secs(1),
            expires_at: Timestamp::from_secs(2),
        };
        self.revoked.lock().unwrap().push(revocation.clone());
        // It counts, but may be forgotten.
        match self.unwritable.load(Ordering::SeqCst) {
            true => Err("the disk is full".into()),
            false => Ok(revocation),
        }
    }

    async fn sessions_of(&self, subject: &str) -> Result<Option<Vec<Session>>, String> {
        Ok((subject != "nobody's").then(Vec::new))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn verify_event(
        &self,
        token: &str,
        form: EventForm,
    ) -> Result<IssuerEvent, TokenFailure> {
        let revocations = Revocations::default();
        self.gate
            .verify_event(token, form, &revocations, self.now())
    }

    async fn reload(&self) -> Result<Reloaded, Busy> {
        Ok(self.reload.lock().unwrap().clone())
    }

    async fn distrust(
        &self,
        issuer: String,
        _: String,
    ) -> Result<Result<Distrusted, DistrustError>, Busy> {
        let distrusted = Distrusted {
            generation: 8,
            kept: true,
            known: true,
        };
        Ok((issuer == "main")
            .then_some(distrusted)
            .ok_or(DistrustError::IssuerUnknown))
    }
}

struct Fixture(Admin<Arc<Pretended>>, Arc<Pretended>, Arc<Telemetry>);

impl Fixture {
    fn acts(&self) -> &Pretended {
        &self.1
    }

    /// `fields` without a Host get the listener's address.
    async fn ask(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Response<Bytes> {
        let mut request = Request::builder().method(method).uri(path);
        if fields
            .iter()
            .all(|(name, _)| !matches!(*name, "host" | "x"))
        {
            request = request.header("host", ADDRESS);
        }
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        self.0.answer(&request).await
    }

    /// The status of a request that shows `token`, if it is any.
    async fn shown(&self, method: &str, path: &str, token: &str) -> u16 {
        self.status(method, path, &[("authorization", token)]).await
    }

    /// The status alone, of a request whose body makes sense.
    async fn status(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> u16 {
        let body = match path {
            "/api/revocations" => r#"{"session": "s1"}"#,
            "/admin/global-token-revocation" => {
                r#"{"sub_id": {"format": "iss_sub", "iss": "https://auth.example.com", "sub": "u"}}"#
            }
            "/api/explain" => r#"{"method": "GET", "url": "/"}"#,
            "/api/keys/distrust" => r#"{"issuer": "main", "kid": "k"}"#,
            _ => "{}",
        };
        let mut fields = fields.to_vec();
        fields.retain(|(name, value)| *name != "authorization" || !value.is_empty());
        fields.push(("content-type", "application/json"));
        self.ask(method, path, &fields, body)
            .await
            .status()
            .as_u16()
    }

    async fn json(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let fields = [
            ("authorization", TOKEN),
            ("content-type", "application/json"),
        ];
        let answer = self.ask(method, path, &fields, body).await;
        let value = serde_json::from_slice(answer.body()).unwrap();
        (answer.status().as_u16(), value)
    }
}

fn text(answer: &Response<Bytes>) -> String {
    String::from_utf8(answer.body().to_vec()).unwrap()
}

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1)
    }
}

fn admin(config: &str) -> Fixture {
    admin_of(gate_of(config))
}

fn admin_of(gate: Gate) -> Fixture {
    let issuer = IssuerStatus {
        name: "main".into(),
        source: KeyOrigin::Remote,
        keys: 2,
        age_s: Some(90),
        last_error: Some("connection refused".into()),
        state: IssuerState::Stale,
    };
    let status = Status {
        generation: 7,
        loaded_at_ms: 0,
        last_reload: Some(LastReload {
            at_ms: 0,
            outcome: ReloadOutcome::Rejected,
            text: "no such product `<crn>`".into(),
        }),
        issuers: vec![issuer],
        unresolved: Vec::new(),
        draining: false,
    };
    let reload = Reloaded {
        outcome: ReloadOutcome::Ok,
        generation: 8,
        text: "fault".into(),
    };
    let acts = Arc::new(Pretended {
        gate: Arc::new(gate),
        status: Mutex::new(status),
        reload: Mutex::new(reload),
        revoked: Mutex::default(),
        unwritable: AtomicBool::new(false),
        clock: SetClock::at(Timestamp::from_secs(NOW)),
    });
    let telemetry = Arc::new(Telemetry::start(Arc::new(Stopped), [0; 32]).unwrap());
    Fixture(Admin::new(acts.clone(), telemetry.clone()), acts, telemetry)
}
