//! A request that somebody asks about: the words of a command line or of `/api/explain`, as a head that the gate reads.

use std::borrow::Cow;

use super::admit::Gate;
use super::bare;
use super::correlation::{RequestId, TraceContext};
use super::explain::{Explanation, explain};
use super::forward::Hop;
use super::line::split_absolute;
use super::verdict::Peer;
use crate::session::Revocations;
use crate::time::Timestamp;
use crate::wire::{Field, RequestHead, Scheme, Version};

/// A request that is only asked about.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// As on the wire.
    pub method: String,
    /// A URL, or a bare path: then the host is one that serves it, and the scheme what the listeners speak.
    pub url: String,
    /// Further fields.
    pub headers: Vec<(String, String)>,
    /// The token, without its scheme.
    pub token: Option<String>,
}

impl Question {
    /// Walks the decision. `entropy` makes the request id and the trace.
    pub fn explain(
        &self,
        gate: &Gate,
        revocations: &Revocations,
        now: Timestamp,
        entropy: [u128; 3],
    ) -> Explanation {
        let (scheme, authority, target) = self.split(gate);
        let bearer = self.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut fields = vec![Field {
            name: "Host",
            value: authority.as_bytes(),
        }];
        fields.extend(self.headers.iter().map(|(name, value)| Field {
            name,
            value: value.as_bytes(),
        }));
        fields.extend(bearer.iter().map(|value| Field {
            name: "Authorization",
            value: value.as_bytes(),
        }));
        let head = RequestHead {
            version: Version::Http11,
            scheme,
            method: &self.method,
            target: &target,
            authority: None,
            fields: &fields,
        };
        let [id, trace, parent] = entropy;
        let request_id = RequestId::of(&head, id);
        let hop = Hop {
            peer: Peer {
                address: "127.0.0.1",
                trusted: false,
            },
            client: None,
            request_id: request_id.as_str(),
            trace: &TraceContext::of(&head, [trace, parent]),
            now,
        };
        explain(gate, &head, revocations, &hop)
    }

    /// Scheme, authority and target, as a client sends them that is given the URL.
    fn split<'a>(&'a self, gate: &'a Gate) -> (Scheme, Cow<'a, str>, Cow<'a, str>) {
        if let Some((scheme, authority, target)) = split_absolute(&self.url) {
            return (scheme, Cow::Borrowed(authority), target);
        }
        let host = bare::host(gate, &self.method, &self.url);
        (bare::scheme(gate), host, Cow::Borrowed(&self.url))
    }
}
