//! `POST /oauth/revoke` (RFC 7009): a client gives a token back. A refresh token, of whatever generation, ends its session;
//! an access token ends alone. What is not the client's to give back is answered alike and left alone.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::json;

use crate::api::session::answers::json;
use crate::api::session::api::SessionApi;
use crate::api::session::call::Call;
use crate::api::session::failure::Failure;
use crate::api::session::origin;
use crate::config::model::{Client, Transport};
use crate::session::{
    Event, OWN_ISSUER, Occasion, REFRESH_TOKEN_PREFIX, RefreshError, Revocation, Revoked,
};

impl SessionApi {
    pub(super) async fn revoke(&self, call: &Call<'_>) -> Result<Response<Bytes>, Failure> {
        self.limit_refreshes(call)?;
        let content = call.content()?;
        let form = content.form()?;
        let client = self.client(call, &content).await?;
        origin::check_body(&client, call)?;
        let token = form.require("token")?;
        if token.starts_with(REFRESH_TOKEN_PREFIX) {
            self.return_refresh_token(token, &client, call).await?;
        } else {
            self.return_access_token(token, &client, call).await?;
        }
        Ok(json(StatusCode::OK, &json!({})))
    }

    async fn return_refresh_token(
        &self,
        token: &str,
        client: &Client,
        call: &Call<'_>,
    ) -> Result<(), Failure> {
        let session = match self.service.find(token).await {
            Ok(found) => found.session,
            Err(RefreshError::Store(error)) => return Err(error.into()),
            Err(_) => return Ok(()),
        };
        let occasion = Occasion {
            transport: Some(session.transport),
            session: Some(session.id),
            client: Some(&client.id),
            ..Occasion::default()
        };
        if *session.client != *client.id {
            self.tell(Event::ClientMismatch, call, occasion);
        } else if session.transport != Transport::Body {
            self.tell(Event::TransportMismatch, call, occasion);
        } else {
            self.service.give_back(session.id, call.now).await?;
            self.tell(Event::Returned, call, occasion);
        }
        Ok(())
    }

    /// Keeps a revocation of the operator, and ends the sessions that it names.
    ///
    /// # Errors
    /// A text for the operator: it counts in this process, but a restart may forget it.
    pub async fn deny(&self, revocation: &Revocation) -> Result<(), String> {
        let kept = self.service.deny(revocation.clone()).await;
        kept.map_err(|error| {
            format!("{error}: this counts here already, but a restart may forget it until the store has it")
        })
    }

    async fn return_access_token(
        &self,
        token: &str,
        client: &Client,
        call: &Call<'_>,
    ) -> Result<(), Failure> {
        let Some(verified) = self.tokens.find(token, call.now) else {
            return Ok(());
        };
        // Whoever gives it back got the reply that carried it.
        self.seen(&verified);
        let principal = verified.principal();
        let theirs = principal.client.as_deref() == Some(&*client.id);
        let Some(id) = principal.token_id.as_deref().filter(|_| theirs) else {
            return Ok(());
        };
        let revocation = Revocation {
            what: Revoked::Token(id.into()),
            issuer: Some(OWN_ISSUER.into()),
            cutoff: call.now,
            expires_at: verified.expires_at().plus(LEEWAY),
        };
        self.service.deny(revocation).await?;
        let occasion = Occasion {
            client: Some(&client.id),
            ..Occasion::default()
        };
        self.tell(Event::Returned, call, occasion);
        Ok(())
    }
}

/// A token verifies a little beyond its `exp`, and clocks differ.
const LEEWAY: std::time::Duration = std::time::Duration::from_secs(60);
