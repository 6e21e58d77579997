//! `explain`: the serving walk with a recorder. It cannot drift because it is the same code.

use serde::Serialize;

use super::admit::Gate;
use super::forward::Hop;
use super::refusal::Refusal;
use super::trace::Recorder;
use super::verdict::{Admission, Verdict};
use crate::session::Revocations;
use crate::wire::RequestHead;

/// One decision, step by step.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// `forward`, `shadow`, `answer` or `refuse`.
    pub verdict: &'static str,
    /// Why not.
    pub reason: Option<&'static str>,
    /// For the operator.
    pub detail: Option<String>,
    /// The route, once it was found.
    pub route: Option<String>,
    /// The issuer's name in the configuration, once it was found.
    pub issuer: Option<String>,
    /// Each step that was passed, with what it saw.
    pub steps: Vec<Step>,
    /// What the upstream would get.
    pub upstream: Option<UpstreamRequest>,
}

/// One step of a decision.
#[derive(Debug, Serialize)]
pub struct Step {
    /// Its name.
    pub step: &'static str,
    /// What it saw.
    pub saw: String,
}

/// What an upstream would get.
#[derive(Debug, Serialize)]
pub struct UpstreamRequest {
    /// Its name in the configuration.
    pub name: String,
    /// The request target.
    pub target: String,
    /// The exact end-to-end fields, in order.
    pub headers: Vec<(String, String)>,
}

/// Walks one decision and keeps every step.
pub(super) fn explain(
    gate: &Gate,
    head: &RequestHead<'_>,
    revocations: &Revocations,
    hop: &Hop<'_>,
) -> Explanation {
    let mut recorder = Recorder::default();
    let verdict = gate.admit(head, revocations, hop.now, &mut recorder);
    let mut explanation = Explanation {
        verdict: verdict.as_str(),
        reason: None,
        detail: None,
        route: None,
        issuer: None,
        steps: recorder
            .steps
            .into_iter()
            .map(|(step, saw)| Step { step, saw })
            .collect(),
        upstream: None,
    };
    match verdict {
        Verdict::Forward(admission) => {
            let verified = admission.permit.verified();
            explanation.route = Some(admission.permit.route().name.to_string());
            explanation.issuer =
                verified.map(|verified| verified.principal().issuer_name.to_string());
            explanation.upstream = Some(upstream_request(gate, &admission, head, hop));
            if let Some(refusal) = admission.shadowed {
                explanation.refused(refusal);
            }
        }
        Verdict::Answer(endpoint) => explanation.route = Some(endpoint.as_str().to_owned()),
        Verdict::Refuse(refusal) => explanation.refused(refusal),
    }
    explanation
}

impl Explanation {
    fn refused(&mut self, refusal: Refusal) {
        self.reason = Some(refusal.reason.as_str());
        self.detail = Some(refusal.detail.into_owned());
        self.route = refusal.route.map(|route| route.name.to_string());
        self.issuer = refusal.issuer_name.map(|name| name.to_string());
    }
}

fn upstream_request(
    gate: &Gate,
    admission: &Admission,
    head: &RequestHead<'_>,
    hop: &Hop<'_>,
) -> UpstreamRequest {
    let mut headers = Vec::new();
    if let Some(authority) = &admission.authority {
        headers.push(("Host".to_owned(), authority.to_string()));
    }
    gate.upstream_fields(admission, head, hop, &mut |name, value| {
        headers.push((name.to_owned(), String::from_utf8_lossy(value).into_owned()));
    });
    UpstreamRequest {
        name: admission.upstream.name.to_string(),
        target: admission.path.to_target(),
        headers,
    }
}
