//! Notes that access tokens of a generation were seen, once each: whoever shows one got the reply that carried it, so the
//! tail of its predecessor closes.

use super::api::SessionApi;
use crate::session::{OWN_ISSUER, TimedId};
use crate::token::Verified;

impl SessionApi {
    /// To be told of every access token that was accepted. Returns at once; the store hears of a generation once, and if it
    /// does not, again with the next token a while later.
    pub fn seen(&self, verified: &Verified) {
        let principal = verified.principal();
        if *principal.issuer_name != *OWN_ISSUER {
            return;
        }
        let session = principal.session.as_deref().and_then(TimedId::parse);
        // The first generation has no predecessor.
        let generation = verified.generation().filter(|generation| *generation > 0);
        let (Some(session), Some(generation)) = (session, generation) else {
            return;
        };
        let seen = &self.kept.seen;
        let known = seen.last.get(&session);
        if known.is_some_and(|last| generation <= last) || seen.rests() {
            return;
        }
        seen.last.insert(session, generation);
        let (seen, service) = (seen.clone(), self.service.clone());
        tokio::spawn(async move {
            if service.confirm(session, generation).await.is_err() {
                seen.last.remove(&session);
                seen.rest();
            }
        });
    }
}
