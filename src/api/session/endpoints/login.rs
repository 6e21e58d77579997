//! `POST /auth/login`: the client's body goes to the identity service unchanged; its 200 begins a session, its 4xx goes back
//! as it is. The gate knows no password.

use bytes::Bytes;
use http::header::{self, HeaderName};
use http::{Response, StatusCode};

use super::token::check_grant;
use crate::api::answer;
use crate::api::session::answers::no_store;
use crate::api::session::api::{SessionApi, SystemEntropy};
use crate::api::session::call::Call;
use crate::api::session::failure::Failure;
use crate::api::session::origin;
use crate::api::session::said::{Said, Unusable, check_size};
use crate::config::model::{Client, Grant, Transport};
use crate::control::HookCall;
use crate::session::{Device, Event, NewSession, Occasion};
use crate::traffic::subscriber;

impl SessionApi {
    pub(super) async fn login(&self, call: &Call<'_>) -> Result<Response<Bytes>, Failure> {
        let rate = self.sessions().limits.login;
        let logins = &self.kept.limits.logins;
        logins.take(subscriber(call.from.address), rate, call.moment)?;
        let content = call.content()?;
        let client = self.client(call, &content).await?;
        self.check_page(&client, call)?;
        check_grant(&client, Grant::RefreshToken)?;
        let occasion = Occasion {
            transport: Some(client.transport),
            client: Some(&client.id),
            ..Occasion::default()
        };
        let key = self.keys.signer(call.now)?;
        let answer = match self.ask_login(&client, call).await {
            Ok(answer) => answer,
            Err(failure) => {
                self.tell(Event::HookUnavailable, call, occasion);
                return Err(failure);
            }
        };
        if answer.status() != StatusCode::OK {
            self.tell(Event::LoginRefused, call, occasion);
            return Ok(passed_on(&answer));
        }
        let (said, subject) = named(&answer).map_err(|fault| {
            self.tell(Event::HookUnavailable, call, occasion);
            unusable(&fault, call)
        })?;
        let new = self.new_session(&client, subject, &said, call);
        let opened = self.service.open(new, call.now, &SystemEntropy).await;
        let opened = opened.map_err(|_| {
            self.tell(Event::StoreUnavailable, call, occasion);
            Failure::Unavailable
        })?;
        let session = Some(opened.session.id);
        self.tell(
            Event::Login,
            call,
            Occasion {
                session,
                ..occasion
            },
        );
        Ok(self.tokens_of(&opened, key))
    }

    /// Which pages may call as this client.
    fn check_page(&self, client: &Client, call: &Call<'_>) -> Result<(), Failure> {
        match (client.transport, &self.sessions().cookie) {
            (Transport::Cookie, Some(cookie)) => origin::check_cookie(cookie, call),
            (Transport::Cookie, None) => Err(origin::other_origin()),
            (Transport::Body, _) => origin::check_body(client, call),
        }
    }

    /// The identity service's answer, if it is one that counts.
    async fn ask_login(
        &self,
        client: &Client,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Failure> {
        let hook = self.hooks.login.as_ref().ok_or(Failure::NotFound)?;
        let request_id = call.from.request_id.as_str();
        let address = call.from.address.to_canonical().to_string();
        let (user_agent, label) = (call.note(&header::USER_AGENT, 1024), label(call));
        let told = HookCall {
            fields: &[
                ("x-tollgate-request-id", request_id),
                ("x-tollgate-client-id", &client.id),
                ("x-tollgate-client-ip", &address),
                ("x-tollgate-device-label", &label),
                ("user-agent", &user_agent),
            ],
            content_type: call
                .field(&header::CONTENT_TYPE)?
                .unwrap_or("application/json"),
            now: call.now,
        };
        match hook.call(call.request.body().clone(), &told).await {
            Ok(answer) if answer.status() == StatusCode::OK || is_word_to_user(answer.status()) => {
                Ok(answer)
            }
            Ok(answer) => {
                tracing::warn!(status = %answer.status(), request_id, "the login hook failed");
                Err(Failure::Unavailable)
            }
            Err(error) => {
                tracing::warn!(%error, request_id, "the login hook failed");
                Err(Failure::Unavailable)
            }
        }
    }

    fn new_session(
        &self,
        client: &Client,
        subject: String,
        said: &Said,
        call: &Call<'_>,
    ) -> NewSession {
        let sessions = self.sessions();
        let idle = client.idle_lifetime.unwrap_or(sessions.idle_lifetime);
        let absolute = client
            .absolute_lifetime
            .unwrap_or(sessions.absolute_lifetime);
        let (idle_lifetime, absolute_lifetime) = said.shorten(idle, absolute);
        let mut grant = said.grant();
        grant.auth_time.get_or_insert(call.now.as_secs());
        NewSession {
            subject: subject.into(),
            client: (*client.id).into(),
            transport: client.transport,
            grant,
            handle: said.refresh_handle.clone(),
            idle_lifetime,
            absolute_lifetime,
            context: call.context(),
            device: Device {
                label: label(call).into(),
                user_agent: call.note(&header::USER_AGENT, 256).into(),
                address: call.from.address.to_canonical().to_string().into(),
            },
            live_max: sessions.sessions_per_subject_max,
        }
    }
}

/// What the identity service says, and of whom.
fn named(answer: &Response<Bytes>) -> Result<(Said, String), Unusable> {
    let said = Said::parse(answer)?;
    said.check()?;
    let subject = said.named()?.to_owned();
    check_size(&subject, &said.grant())?;
    Ok((said, subject))
}

fn unusable(fault: &Unusable, call: &Call<'_>) -> Failure {
    let request_id = call.from.request_id.as_str();
    tracing::error!(%fault, request_id, "the login hook gave an unusable answer");
    match fault {
        Unusable::Malformed(_) => Failure::Unavailable,
        Unusable::Overreaching(_) => Failure::HookBroken,
    }
}

/// What the identity service says to the user: status, body and what describes it. Never a cookie.
fn passed_on(answer: &Response<Bytes>) -> Response<Bytes> {
    let mut response = answer::empty(answer.status());
    for name in [
        header::CONTENT_TYPE,
        header::CONTENT_ENCODING,
        header::RETRY_AFTER,
    ] {
        if let Some(value) = answer.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    *response.body_mut() = answer.body().clone();
    no_store(response)
}

/// Whether a status speaks of the login and not of the call: steps and refusals, not faults between the two services.
fn is_word_to_user(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 401 | 403 | 409 | 422 | 429)
}

fn label(call: &Call<'_>) -> String {
    call.note(&DEVICE_LABEL, 64)
}

const DEVICE_LABEL: HeaderName = HeaderName::from_static("x-device-label");

#[cfg(test)]
mod tests {
    use super::*;

    /// No coding is asked for, but a server may have one all the same: a body without the word for it is noise.
    #[test]
    fn what_goes_to_the_user_is_described_as_the_identity_service_did() {
        let answer = Response::builder()
            .status(401)
            .header("content-type", "application/json")
            .header("content-encoding", "gzip")
            .header("retry-after", "7")
            .header("set-cookie", "a=b")
            .body(Bytes::from_static(b"zipped"))
            .unwrap();
        let passed = passed_on(&answer);
        let told = |name: &str| {
            passed
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(told("content-type"), Some("application/json"));
        assert_eq!(told("content-encoding"), Some("gzip"));
        assert_eq!(told("retry-after"), Some("7"));
        assert_eq!(told("set-cookie"), None);
        assert_eq!(
            (passed.status().as_u16(), &**passed.body()),
            (401, &b"zipped"[..])
        );
    }
}
