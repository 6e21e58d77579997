//! `explain`: the serving walk with a recorder. It cannot drift because it is the same code.

use super::admit::Gate;
use super::forward::Hop;
use super::reason::Reason;
use super::trace::Recorder;
use super::verdict::Verdict;
use crate::session::Revocations;
use crate::wire::RequestHead;

/// One decision, step by step.
#[derive(Debug)]
pub struct Explanation {
    /// Each step that was passed, with what it saw.
    pub steps: Vec<(&'static str, String)>,
    /// The route, once it was found.
    pub route: Option<String>,
    /// `forward`, `shadow`, `answer` or `refuse`.
    pub verdict: &'static str,
    /// Why not.
    pub reason: Option<Reason>,
    /// For the operator.
    pub detail: Option<String>,
    /// The path that the upstream would get, with the query.
    pub upstream_path: Option<String>,
    /// The upstream's name.
    pub upstream: Option<String>,
    /// The exact fields that the upstream would get.
    pub fields: Vec<(String, String)>,
}

/// Walks one decision and keeps every step.
pub fn explain(
    gate: &Gate,
    head: &RequestHead<'_>,
    revocations: &Revocations,
    hop: &Hop<'_>,
) -> Explanation {
    let mut recorder = Recorder::default();
    let verdict = gate.admit(head, revocations, hop.now, &mut recorder);
    let mut explanation = Explanation {
        steps: recorder.steps,
        route: None,
        verdict: verdict.as_str(),
        reason: None,
        detail: None,
        upstream_path: None,
        upstream: None,
        fields: Vec::new(),
    };
    match verdict {
        Verdict::Forward(admission) => {
            gate.upstream_fields(&admission, head, hop, &mut |name, value| {
                explanation
                    .fields
                    .push((name.to_owned(), String::from_utf8_lossy(value).into_owned()));
            });
            explanation.route = Some(admission.permit.route().name.to_string());
            explanation.upstream = Some(admission.upstream.name.to_string());
            explanation.upstream_path = Some(admission.path.to_target());
            explanation.reason = admission.shadowed.as_ref().map(|refusal| refusal.reason);
            explanation.detail = admission
                .shadowed
                .map(|refusal| refusal.detail.into_owned());
        }
        Verdict::Answer(endpoint) => explanation.route = Some(endpoint.as_str().to_owned()),
        Verdict::Refuse(refusal) => {
            explanation.route = refusal.route.map(|route| route.name.to_string());
            explanation.reason = Some(refusal.reason);
            explanation.detail = Some(refusal.detail.into_owned());
        }
    }
    explanation
}
