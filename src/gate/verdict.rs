//! What a decision says: forward, answer, or refuse.

use std::sync::Arc;

use super::refusal::Refusal;
use crate::config::SessionEndpoint;
use crate::config::model::Upstream;
use crate::policy::{Permit, RequestPath};
use crate::token::Verified;

/// The answer to the one question.
#[derive(Debug)]
pub enum Verdict {
    /// It may pass.
    Forward(Admission),
    /// The gate itself answers.
    Answer(Endpoint),
    /// It may not pass.
    Refuse(Refusal),
}

/// Everything that forwarding needs. It holds a [`Permit`]: without one it cannot be made.
#[derive(Debug, Clone)]
pub struct Admission {
    /// The proof.
    pub permit: Permit,
    /// Where to.
    pub upstream: Arc<Upstream>,
    /// The path that was judged, after `strip_prefix`.
    pub path: RequestPath,
    /// The authority for `Host`, as the client gave it, checked.
    pub authority: Option<Box<str>>,
    /// On a shadow route, the refusal that was not enforced.
    pub shadowed: Option<Refusal>,
}

/// What the gate answers itself, on a public listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// What comes with `[sessions]`.
    Session(SessionEndpoint),
    /// `/.well-known/identity-jwks.json`
    IdentityJwks,
    /// A CORS preflight of a route that has a policy.
    Preflight {
        /// Name of the `[cors.NAME]`.
        policy: Arc<str>,
        /// The route's methods; empty means any.
        methods: Vec<Box<str>>,
    },
}

impl Verdict {
    /// Why not: the refusal, enforced or on a shadow route not.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refuse(refusal) => Some(refusal),
            Self::Forward(admission) => admission.shadowed.as_ref(),
            Self::Answer(_) => None,
        }
    }

    /// The genuine token of the request, whatever became of the request.
    pub fn verified(&self) -> Option<&Verified> {
        match self {
            Self::Forward(admission) => admission.permit.verified().or_else(|| {
                let shadowed = admission.shadowed.as_ref();
                shadowed.and_then(|refusal| refusal.verified.as_ref())
            }),
            Self::Refuse(refusal) => refusal.verified.as_ref(),
            Self::Answer(_) => None,
        }
    }

    /// The word of metric and log.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Forward(admission) if admission.shadowed.is_some() => "shadow",
            Self::Forward(_) => "forward",
            Self::Answer(_) => "answer",
            Self::Refuse(_) => "refuse",
        }
    }
}

const IDENTITY_JWKS: &str = "well_known.identity_jwks";
const PREFLIGHT: &str = "cors.preflight";

impl Endpoint {
    /// Whether `label` is one that [`Endpoint::as_str`] gives.
    pub fn is_label(label: &str) -> bool {
        [IDENTITY_JWKS, PREFLIGHT].contains(&label) || SessionEndpoint::is_label(label)
    }

    /// The route label of metric and log.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Session(endpoint) => endpoint.as_str(),
            Self::IdentityJwks => IDENTITY_JWKS,
            Self::Preflight { .. } => PREFLIGHT,
        }
    }
}

/// The connection that a request came by, as far as a decision or a header may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer<'p> {
    /// The address of the other end of the socket, as text: an IPv6 one without brackets.
    pub address: &'p str,
    /// Whether its `X-Forwarded-*` count (`trusted_proxies`).
    pub trusted: bool,
}
