//! Refreshing: `POST /auth/refresh` by cookie, and what it shares with the grant of `/oauth/token`.

use bytes::Bytes;
use http::Response;

use crate::api::session::api::{SessionApi, SystemEntropy};
use crate::api::session::call::Call;
use crate::api::session::failure::{Chain, Failure};
use crate::api::session::hooks::AskHook;
use crate::api::session::{cookie, origin};
use crate::config::model::{Client, ClientKind, Transport};
use crate::session::{Refresh, RefreshError, Rotation, Session};
use crate::traffic::subscriber;

impl SessionApi {
    pub(super) async fn refresh_by_cookie(
        &self,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Failure> {
        self.limit_refreshes(call)?;
        let cookie = self.sessions().cookie.as_ref().ok_or(Failure::NotFound)?;
        origin::check_cookie(cookie, call)?;
        let content = call.content()?;
        let client = match self.client(call, &content).await {
            Ok(client) => Some(client),
            // The cookie speaks for its client.
            Err(Failure::ClientUnnamed) => None,
            Err(failure) => return Err(failure),
        };
        let token = cookie::read(cookie, call)?;
        let token = token.ok_or(Failure::InvalidRequest("no refresh cookie"))?;
        self.refresh(token, client.as_deref(), Transport::Cookie, None, call)
            .await
    }

    /// Refreshes with a token of either transport.
    pub(super) async fn refresh(
        &self,
        token: &str,
        client: Option<&Client>,
        transport: Transport,
        scope: Option<&str>,
        call: &Call<'_>,
    ) -> Result<Response<Bytes>, Failure> {
        let terms = |session: &Session| {
            let known = self.clients.find(&session.client);
            // Without a name nobody proved to be a confidential client.
            let proven =
                known.filter(|known| client.is_some() || matches!(known.kind, ClientKind::Public));
            let proven = proven.ok_or(RefreshError::Refused(Rotation::OtherClient))?;
            Ok(self.terms(proven))
        };
        let address = call.from.address.to_canonical().to_string();
        let refresh = Refresh {
            token,
            client: client.map(|client| &*client.id),
            transport,
            scope,
            terms: &terms,
            context: call.context(),
            address: &address,
            now: call.now,
            request_id: call.from.request_id.as_str(),
        };
        let claims = AskHook::new(&self.hooks, &self.service, call);
        let key = self.keys.signer(call.now)?;
        let refreshed = self
            .service
            .refresh(&refresh, &claims, &SystemEntropy)
            .await;
        let refreshed = refreshed.map_err(failure)?;
        Ok(self.tokens_of(&refreshed, key))
    }

    /// Takes one call of the caller's address.
    pub(super) fn limit_refreshes(&self, call: &Call<'_>) -> Result<(), Failure> {
        let rate = self.sessions().limits.refresh;
        let caller = subscriber(call.from.address);
        self.kept.limits.refreshes.take(caller, rate, call.moment)
    }
}

/// What a client hears of a refresh that failed.
fn failure(error: RefreshError) -> Failure {
    match error {
        RefreshError::Forged | RefreshError::Unknown | RefreshError::Denied => {
            Failure::InvalidGrant(Chain::Dead)
        }
        RefreshError::Refused(Rotation::Exhausted) => Failure::TooMany(1),
        RefreshError::Refused(Rotation::OtherClient | Rotation::OtherTransport) => {
            Failure::InvalidGrant(Chain::Alive)
        }
        RefreshError::Refused(_) => Failure::InvalidGrant(Chain::Dead),
        RefreshError::ScopeRefused => Failure::InvalidScope,
        RefreshError::ClaimsUnavailable | RefreshError::Store(_) | RefreshError::KeyGone => {
            Failure::Unavailable
        }
    }
}
