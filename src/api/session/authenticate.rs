//! Lets a client prove itself, before any state is looked at (RFC 6749 §2.3).

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};

use super::api::SessionApi;
use super::assertion::LEEWAY;
use super::call::{Call, Content};
use super::clients::{Proof, check_secret, shown};
use super::failure::Failure;
use crate::config::model::{Client, ClientAuth, ClientKind};
use crate::session::{Event, Occasion, Use};

impl SessionApi {
    /// The client of a call, proven where it can keep a secret.
    ///
    /// # Errors
    /// [`Failure::ClientUnnamed`]; [`Failure::InvalidClient`], the same whatever was wrong; [`Failure::InvalidRequest`] when
    /// names disagree or two proofs are shown.
    pub(super) async fn client(
        &self,
        call: &Call<'_>,
        content: &Content,
    ) -> Result<Arc<Client>, Failure> {
        let (id, proof) = shown(call, content)?;
        let id = id.ok_or(Failure::ClientUnnamed)?;
        let client = self.clients.find(&id).ok_or(Failure::InvalidClient)?;
        match (&client.kind, proof) {
            (ClientKind::Public, Proof::None) => {}
            // Some clients send Basic with an empty secret until they are told not to.
            (ClientKind::Public, Proof::Secret(secret)) if secret.is_empty() => {}
            (ClientKind::Confidential(ClientAuth::Secret { sha256 }), Proof::Secret(secret)) => {
                check_secret(sha256, &secret)?;
            }
            (
                ClientKind::Confidential(ClientAuth::PrivateKeyJwt { .. }),
                Proof::Assertion(assertion),
            ) => self.check_assertion(client, &assertion, call).await?,
            _ => return Err(Failure::InvalidClient),
        }
        Ok(client.clone())
    }

    /// Checks a client's assertion and that it was never shown before.
    async fn check_assertion(
        &self,
        client: &Client,
        assertion: &str,
        call: &Call<'_>,
    ) -> Result<(), Failure> {
        let verified = self.clients.assertions.verify(client, assertion, call.now);
        let verified = verified.ok_or(Failure::InvalidClient)?;
        let id = verified.principal().token_id.as_deref();
        let id = id.ok_or(Failure::InvalidClient)?;
        let name = [client.id.as_bytes(), &[0], id.as_bytes()].concat();
        let digest = digest(&SHA256, &name);
        let digest = *digest
            .as_ref()
            .first_chunk()
            .expect("a digest has 32 bytes");
        // It verifies until its `exp` and the leeway are over; until then it is remembered.
        let until = verified
            .expires_at()
            .plus(LEEWAY)
            .plus(Duration::from_secs(60));
        match self.service.use_once(digest, until).await? {
            Use::First => Ok(()),
            Use::Again => {
                let occasion = Occasion {
                    client: Some(&client.id),
                    ..Occasion::default()
                };
                self.tell(Event::AssertionReplay, call, occasion);
                Err(Failure::InvalidClient)
            }
        }
    }
}
