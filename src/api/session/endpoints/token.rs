//! `POST /oauth/token` (RFC 6749 §4.4, §6): for clients whose tokens travel in bodies. Cookies are not looked at.

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::api::session::answers::{access, json};
use crate::api::session::api::{SessionApi, SystemEntropy};
use crate::api::session::call::Call;
use crate::api::session::failure::{Chain, Failure};
use crate::api::session::form::Form;
use crate::api::session::origin;
use crate::config::model::{Client, ClientKind, Grant as GrantType, Transport};
use crate::session::{Event, Grant, Moment, Occasion};

impl SessionApi {
    pub(super) async fn token(&self, call: &Call<'_>) -> Result<Response<Bytes>, Failure> {
        self.limit_refreshes(call)?;
        let content = call.content().map_err(grantless)?;
        let form = content.form()?;
        let client = self.client(call, &content).await?;
        origin::check_body(&client, call)?;
        match form.require("grant_type")? {
            "refresh_token" => {
                // Whether a cookie's token came the wrong way is the session's to say: it tells the operator.
                if client.transport == Transport::Body {
                    check_grant(&client, GrantType::RefreshToken)?;
                }
                let token = form.require("refresh_token")?;
                let scope = form.find("scope")?;
                self.refresh(token, Some(&client), Transport::Body, scope, call)
                    .await
            }
            "client_credentials" => {
                check_grant(&client, GrantType::ClientCredentials)?;
                self.client_credentials(&client, form, call)
            }
            _ => Err(Failure::UnsupportedGrantType),
        }
    }

    /// A token for a client that speaks for itself; what it may do stands in the configuration. No refresh token.
    fn client_credentials(
        &self,
        client: &Client,
        form: &Form,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Failure> {
        if matches!(client.kind, ClientKind::Public) {
            return Err(Failure::UnauthorizedClient);
        }
        let products = client.products.iter();
        let mut grant = Grant {
            products: products
                .map(|product| product.as_str().to_owned())
                .collect(),
            scope: client.scopes.join(" "),
            ..Grant::default()
        };
        let asked = form.find("scope")?.unwrap_or_default();
        grant.scope = grant.narrowed(asked).ok_or(Failure::InvalidScope)?;
        let moment = Moment {
            committed_at: self.service.beginning(call.now),
            now: call.now,
        };
        let key = self.keys.signer(call.now)?;
        let minted = self
            .minter
            .mint_for_client(key, &client.id, &grant, moment, &SystemEntropy);
        let occasion = Occasion {
            client: Some(&client.id),
            ..Occasion::default()
        };
        self.tell(Event::ClientCredentials, call, occasion);
        Ok(json(StatusCode::OK, &access(&minted, &grant.scope)))
    }
}

/// A body that is too large can hold no grant: none is as long as that.
fn grantless(failure: Failure) -> Failure {
    match failure {
        Failure::TooLarge => Failure::InvalidGrant(Chain::Alive),
        other => other,
    }
}

/// Whether a client may open and refresh sessions, or ask for tokens of its own.
pub(super) fn check_grant(client: &Client, grant: GrantType) -> Result<(), Failure> {
    match client.grants.contains(&grant) {
        true => Ok(()),
        false => Err(Failure::UnauthorizedClient),
    }
}
