//! Tells the session side's events in metric and log.

use std::time::Duration;

use crate::session::{Event, Observer, Occasion, Transport, Weight};
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
        let Occasion {
            client,
            behind,
            why,
            request_id,
            ..
        } = *occasion;
        let event_name = event.as_str();
        match event.weight() {
            Weight::Routine => {}
            Weight::Refusal => tracing::info!(
                event = event_name,
                transport,
                session,
                client,
                behind,
                why,
                age_ms,
                request_id,
                "session event"
            ),
            Weight::Alarm => tracing::warn!(
                event = event_name,
                transport,
                session,
                client,
                behind,
                why,
                age_ms,
                request_id,
                "session event"
            ),
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
