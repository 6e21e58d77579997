//! The JSON of one explained decision: the same for the admin API and for `tollgate explain --format json`.

use serde::Serialize;

use super::problem;
use crate::gate::Explanation;

/// One decision, step by step.
#[derive(Debug, Serialize)]
pub struct Explained<'e> {
    /// `forward`, `shadow`, `answer` or `refuse`.
    pub verdict: &'static str,
    /// Why not; on a shadow route why it would not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The status that a refusal has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// For the operator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'e str>,
    /// The route, or the gate's own endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<&'e str>,
    /// The issuer's name in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<&'e str>,
    /// What the upstream would get.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Forwarded<'e>>,
    /// Each step, with what it saw, up to where the walk ended.
    pub steps: Vec<Step<'e>>,
}

/// What the upstream would get.
#[derive(Debug, Serialize)]
pub struct Forwarded<'e> {
    /// Its name in the configuration.
    pub name: &'e str,
    /// The path, with the query.
    pub path: &'e str,
    /// The exact fields, in order; a name may stand twice.
    pub headers: Vec<Header<'e>>,
}

/// One field.
#[derive(Debug, Serialize)]
pub struct Header<'e> {
    /// Its name.
    pub name: &'e str,
    /// Its value.
    pub value: &'e str,
}

/// One step.
#[derive(Debug, Serialize)]
pub struct Step<'e> {
    /// What was asked.
    pub step: &'static str,
    /// What was found.
    pub saw: &'e str,
}

impl<'e> From<&'e Explanation> for Explained<'e> {
    fn from(explanation: &'e Explanation) -> Self {
        let refused = explanation
            .reason
            .filter(|_| explanation.verdict == "refuse");
        Self {
            verdict: explanation.verdict,
            reason: explanation.reason.map(|reason| reason.as_str()),
            status: refused.map(|reason| problem::row(reason).status.as_u16()),
            detail: explanation.detail.as_deref(),
            route: explanation.route.as_deref(),
            issuer: explanation.issuer.as_deref(),
            upstream: forwarded(explanation),
            steps: explanation
                .steps
                .iter()
                .map(|(step, saw)| Step { step, saw })
                .collect(),
        }
    }
}

fn forwarded(explanation: &Explanation) -> Option<Forwarded<'_>> {
    let fields = explanation.fields.iter();
    Some(Forwarded {
        name: explanation.upstream.as_deref()?,
        path: explanation.upstream_path.as_deref()?,
        headers: fields.map(|(name, value)| Header { name, value }).collect(),
    })
}
