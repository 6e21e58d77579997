//! Who answers what the gate answers itself.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::acts::Wishes;
use super::sessions::SessionSide;
use crate::api::admin::Admin;
use crate::api::session::{Caller, SessionApi};
use crate::api::{cors, jwks};
use crate::config::model::Cors;
use crate::gate::{Endpoint, Gate};
use crate::proxy::{EndpointCaller, Endpoints};
use crate::token::Verified;
use crate::wire::{Field, RequestHead, Scheme, Version};

/// The gate's own endpoints.
pub(super) struct OwnEndpoints {
    pub(super) admin: Admin<Wishes>,
    pub(super) sessions: Option<Arc<SessionSide>>,
}

#[async_trait]
impl Endpoints for OwnEndpoints {
    async fn answer(
        &self,
        endpoint: Endpoint,
        request: Request<Bytes>,
        caller: EndpointCaller,
    ) -> Response<Bytes> {
        match endpoint {
            Endpoint::IdentityJwks => jwks::identity(&caller.gate),
            Endpoint::Preflight { policy, methods } => match caller.gate.config().cors.get(&policy)
            {
                Some(policy) => preflight(policy, &methods, &request),
                None => nothing(),
            },
            Endpoint::Session(endpoint) => match self.sessions(&caller) {
                Some(api) => {
                    let from = Caller {
                        address: caller.address,
                        request_id: &caller.request_id,
                    };
                    api.answer(endpoint, request, from).await
                }
                None => nothing(),
            },
        }
    }

    fn seen(&self, gate: &Gate, verified: &Verified) {
        if let Some(sessions) = &self.sessions {
            sessions.seen(gate.config(), verified);
        }
    }

    async fn admin(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.admin.answer(&request).await
    }
}

impl OwnEndpoints {
    fn sessions(&self, caller: &EndpointCaller) -> Option<Arc<SessionApi>> {
        self.sessions.as_ref()?.of(caller.gate.config())
    }
}

fn preflight(policy: &Cors, methods: &[Box<str>], request: &Request<Bytes>) -> Response<Bytes> {
    let fields = request.headers().iter();
    let fields: Vec<Field<'_>> = fields
        .map(|(name, value)| Field {
            name: name.as_str(),
            value: value.as_bytes(),
        })
        .collect();
    let head = RequestHead {
        version: Version::Http11,
        scheme: Scheme::Http,
        method: request.method().as_str(),
        target: request.uri().path(),
        authority: None,
        fields: &fields,
    };
    cors::preflight(policy, methods, &head)
}

/// An endpoint that this configuration does not have.
fn nothing() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
