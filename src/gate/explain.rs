//! `explain`: the serving walk with a recorder. It cannot drift because it is the same code.

use super::admit::Gate;
use super::forward::Hop;
use super::reason::Reason;
use super::refusal::Refusal;
use super::trace::{Recorder, Trace};
use super::verdict::{Admission, Verdict};
use crate::config::model::Listener;
use crate::session::Revocations;
use crate::wire::head::{Framing, HeadError, HeadLimits, REQUEST_FIELDS_MAX, parse_request};
use crate::wire::{RequestHead, Scheme};

/// One decision, step by step.
#[derive(Debug, Default)]
pub struct Explanation {
    /// Each step, with what it saw, up to where the walk ended.
    pub steps: Vec<(&'static str, String)>,
    /// The route, or the gate's own endpoint, once it was found.
    pub route: Option<String>,
    /// The issuer's name in the configuration, once it was found.
    pub issuer: Option<String>,
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
pub(super) fn explain(
    gate: &Gate,
    head: &RequestHead<'_>,
    revocations: &Revocations,
    hop: &Hop<'_>,
) -> Explanation {
    let mut recorder = Recorder::default();
    let listener = listener(gate, head.scheme, &mut recorder);
    let verdict = match read(listener, head) {
        Ok(framing) => {
            let verdict = gate.admit(head, revocations, hop.now, &mut recorder);
            with_body(listener, framing, verdict)
        }
        Err(error) => Verdict::Refuse(error.into()),
    };
    let mut explanation = Explanation {
        steps: recorder.steps,
        verdict: verdict.as_str(),
        ..Explanation::default()
    };
    match verdict {
        Verdict::Forward(admission) => {
            explanation.forwarded(gate, &admission, head, hop);
            if let Some(refusal) = admission.shadowed {
                explanation.refused(refusal);
            }
        }
        Verdict::Answer(endpoint) => explanation.route = Some(endpoint.as_str().to_owned()),
        Verdict::Refuse(refusal) => explanation.refused(refusal),
    }
    explanation
}

/// The listener by whose limits the request is judged: of those that serve, the first that speaks `scheme`, else the first.
/// Where that is a choice, it is told.
fn listener<'g>(gate: &'g Gate, scheme: Scheme, trace: &mut impl Trace) -> Option<&'g Listener> {
    let listeners = gate.config().listeners.iter().map(|listener| &**listener);
    let serving: Vec<_> = listeners.filter(|listener| !listener.redirects()).collect();
    let is_meant = |listener: &&&Listener| listener.scheme() == scheme;
    let meant = serving.iter().filter(is_meant).count();
    let found = *serving.iter().find(is_meant).or(serving.first())?;
    if meant > 1 {
        trace.step("listener", || {
            format!(
                "{}, the first of {meant} for {}",
                found.name,
                scheme.as_str()
            )
        });
    }
    Some(found)
}

/// A body that says it is over its limit is refused as that, as on the way: after what cannot be read, before all else.
fn with_body(listener: Option<&Listener>, framing: Framing, verdict: Verdict) -> Verdict {
    let route = match &verdict {
        Verdict::Refuse(refusal) if refusal.reason <= Reason::BodyTooLarge => return verdict,
        Verdict::Refuse(refusal) => refusal.route.as_ref(),
        Verdict::Forward(admission) => Some(admission.permit.route()),
        Verdict::Answer(_) => None,
    };
    let of_route = route.and_then(|route| route.handling.body_bytes_max);
    let limit = of_route.or(listener.map(|listener| listener.body_bytes_max));
    match (framing, limit) {
        (Framing::Length(length), Some(limit)) if length > limit => {
            let refusal = Refusal::new(Reason::BodyTooLarge, "the body is over its limit");
            Verdict::Refuse(match route {
                Some(route) => refusal.on(route),
                None => refusal,
            })
        }
        _ => verdict,
    }
}

/// The framing of these words, if they are a head at all, by the codec that serves.
fn read(listener: Option<&Listener>, head: &RequestHead<'_>) -> Result<Framing, HeadError> {
    let mut bytes = format!("{} {} HTTP/1.1\r\n", head.method, head.target).into_bytes();
    for field in head.fields {
        bytes.extend([field.name.as_bytes(), b": ", field.value, b"\r\n"].concat());
    }
    bytes.extend(b"\r\n");
    let limits = HeadLimits {
        bytes_max: listener.map_or(usize::MAX, |listener| listener.header_bytes_max),
        fields_max: REQUEST_FIELDS_MAX,
    };
    let (read, _) = parse_request(&bytes, limits)?.ok_or(HeadError::TooLarge)?;
    let is_same = (read.method, read.target) == (head.method, head.target)
        && read.fields.len() == head.fields.len();
    if is_same {
        Ok(read.framing)
    } else {
        Err(HeadError::Malformed("a line end where none may be"))
    }
}

impl Explanation {
    fn refused(&mut self, refusal: Refusal) {
        self.reason = Some(refusal.reason);
        self.detail = Some(refusal.detail.into_owned());
        self.route = refusal.route.map(|route| route.name.to_string());
        self.issuer = refusal.issuer_name.map(|name| name.to_string());
    }

    fn forwarded(
        &mut self,
        gate: &Gate,
        admission: &Admission,
        head: &RequestHead<'_>,
        hop: &Hop<'_>,
    ) {
        let verified = admission.permit.verified();
        self.route = Some(admission.permit.route().name.to_string());
        self.issuer = verified.map(|verified| verified.principal().issuer_name.to_string());
        self.upstream = Some(admission.upstream.name.to_string());
        self.upstream_path = Some(admission.path.to_target());
        if let Some(authority) = &admission.authority {
            self.fields.push(("Host".to_owned(), authority.to_string()));
        }
        gate.upstream_fields(admission, head, hop, &mut |name: &str, value: &[u8]| {
            self.fields
                .push((name.to_owned(), String::from_utf8_lossy(value).into_owned()));
        });
    }
}
