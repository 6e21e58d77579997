//! Tells the session side's events in metric and log.

use std::time::Duration;

use crate::session::{Event, Observer, Occasion, Transport};
use crate::telemetry::Telemetry;

impl Observer for Telemetry {
    fn session(&self, event: Event, occasion: &Occasion<'_>) {
        let transport = match occasion.transport {
            Some(Transport::Cookie) => "cookie",
            Some(Transport::Body) => "body",
            None => "none",
        };
        self.metrics().session_event(event.as_str(), transport);
        let session = occasion.session.map(tracing::field::display);
        let age_ms = occasion.age.map(|age| age.as_millis() as u64);
        let (client, behind) = (occasion.client, occasion.behind);
        let (event, request_id) = (event, occasion.request_id);
        if event.is_alarming() {
            tracing::warn!(
                event = event.as_str(),
                transport,
                session,
                client,
                behind,
                age_ms,
                request_id,
                "session event"
            );
        } else {
            tracing::debug!(
                event = event.as_str(),
                transport,
                session,
                client,
                behind,
                age_ms,
                request_id,
                "session event"
            );
        }
    }

    fn store(&self, operation: &'static str, took: Duration) {
        self.metrics().store_duration(operation, took);
    }

    fn revocations(&self, count: usize, lag: Duration) {
        self.metrics().revocations(count);
        self.metrics().revocation_lag(lag);
    }
}
