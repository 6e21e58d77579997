//! A stream does not outlive its token: watches `exp`, revocations and reloads while a stream lasts.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use super::edge::Edge;
use crate::gate::{Admission, Gate, Reason, Refusal, Silent, Verdict};
use crate::wire::RequestHead;

/// How often a stream is looked at: revocations and reloads end it within this time.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What a stream's right to go on depends on.
pub(super) struct Lifetime<'s> {
    pub(super) edge: &'s Edge,
    /// The gate that let the request pass.
    pub(super) gate: Arc<Gate>,
    pub(super) admission: &'s Admission,
    pub(super) head: &'s RequestHead<'s>,
}

impl Lifetime<'_> {
    /// Waits until the stream may not go on, and says why. Streams of public routes, and of routes whose streams may
    /// outlive their token, go on for ever.
    pub(super) async fn ended(&self) -> Refusal {
        let permit = &self.admission.permit;
        let Some(verified) = permit.verified() else {
            return pending().await;
        };
        if permit.route().handling.outlive {
            return pending().await;
        }
        let mut judged_by = self.gate.clone();
        loop {
            let left = verified.expires_at().since(self.edge.clock.now());
            pingora_timeout::sleep(left.min(LOOK_EVERY)).await;
            let now = self.edge.clock.now();
            if now >= verified.expires_at() {
                return Refusal::new(Reason::TokenExpired, "the stream outlived its token");
            }
            if let Some(by) = self.edge.revocations.find(verified, now) {
                return Refusal::new(Reason::TokenRevoked, by.as_str());
            }
            if !self.edge.gate.is_current(&judged_by) {
                judged_by = self.edge.gate.load();
                if let Some(refusal) = self.refused_by(&judged_by) {
                    return refusal;
                }
            }
        }
    }

    /// Why another gate would not let the request pass.
    fn refused_by(&self, gate: &Gate) -> Option<Refusal> {
        let now = self.edge.clock.now();
        match gate.admit(self.head, &self.edge.revocations, now, &mut Silent) {
            Verdict::Forward(_) => None,
            Verdict::Refuse(refusal) => Some(refusal),
            Verdict::Answer(_) => Some(Refusal::new(
                Reason::RouteUnknown,
                "the gate answers here now",
            )),
        }
    }
}
