//! `POST /oauth/introspect` (RFC 7662): tells a confidential client what a token is. A refresh token is told to its own
//! client alone. To see an access token here is to see it at the edge: the reply that carried it arrived.

use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::api::session::answers::json;
use crate::api::session::api::SessionApi;
use crate::api::session::call::Call;
use crate::api::session::failure::Failure;
use crate::api::session::origin;
use crate::config::model::{Client, ClientKind};
use crate::session::{Found, REFRESH_TOKEN_PREFIX, RefreshError};
use crate::token::Verified;

impl SessionApi {
    pub(super) async fn introspect(&self, call: &Call<'_>) -> Result<Response<Bytes>, Failure> {
        self.limit_refreshes(call)?;
        let content = call.content()?;
        let form = content.form()?;
        let client = self.client(call, &content).await?;
        if matches!(client.kind, ClientKind::Public) {
            return Err(Failure::InvalidClient);
        }
        origin::check_body(&client, call)?;
        let token = form.require("token")?;
        let told = if token.starts_with(REFRESH_TOKEN_PREFIX) {
            self.tell_refresh_token(token, &client, call).await?
        } else {
            self.tell_access_token(token, call)
        };
        let told = told.unwrap_or_else(|| json!({ "active": false }));
        Ok(json(StatusCode::OK, &told))
    }

    fn tell_access_token(&self, token: &str, call: &Call<'_>) -> Option<Value> {
        let verified = self.tokens.find(token, call.now)?;
        self.seen(&verified);
        Some(told(&verified, self.sessions().audience.as_ref()))
    }

    async fn tell_refresh_token(
        &self,
        token: &str,
        client: &Client,
        call: &Call<'_>,
    ) -> Result<Option<Value>, Failure> {
        let Found { token, session, .. } = match self.service.find(token).await {
            Ok(found) => found,
            Err(RefreshError::Store(error)) => return Err(error.into()),
            Err(_) => return Ok(None),
        };
        let theirs = *session.client == *client.id;
        let newest = token.generation() >= session.generation;
        let live = newest && self.service.is_live(&session, call.now);
        Ok((theirs && live).then(|| {
            json!({
                "active": true,
                "client_id": session.client,
                "sub": session.subject,
                "sid": session.id.to_string(),
                "scope": session.grant.scope,
                "exp": session.expires_at().as_secs(),
            })
        }))
    }
}

fn told(verified: &Verified, audience: &str) -> Value {
    let principal = verified.principal();
    let products: Vec<&str> = principal.products.iter().collect();
    let mut told = json!({
        "active": true,
        "token_type": "Bearer",
        "iss": *principal.issuer,
        "sub": principal.subject,
        "aud": audience,
        "exp": verified.expires_at().as_secs(),
        "products": products,
    });
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            told[name] = value;
        }
    };
    say("iat", verified.issued_at().map(|at| json!(at.as_secs())));
    say("jti", principal.token_id.as_ref().map(|id| json!(id)));
    say("sid", principal.session.as_ref().map(|sid| json!(sid)));
    say("client_id", principal.client.as_ref().map(|id| json!(id)));
    say(
        "tenant",
        principal.tenant.as_ref().map(|tenant| json!(tenant)),
    );
    let scopes = principal.scopes.as_ref();
    say("scope", scopes.map(|scopes| json!(scopes.as_str())));
    told
}
