//! Who answers what the gate answers itself.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::acts::Wishes;
use crate::api::admin::Admin;
use crate::api::{cors, jwks};
use crate::config::model::Cors;
use crate::gate::Endpoint;
use crate::proxy::{EndpointCaller, Endpoints};
use crate::wire::{Field, RequestHead, Scheme, Version};

/// The gate's own endpoints.
pub(super) struct OwnEndpoints {
    pub(super) admin: Admin<Wishes>,
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
            Endpoint::IdentityJwks => jwks::identity(&caller.gate, request.method()),
            Endpoint::Preflight { policy, methods } => match caller.gate.config().cors.get(&policy)
            {
                Some(policy) => preflight(policy, &methods, &request),
                None => nothing(),
            },
            _ => nothing(),
        }
    }

    async fn admin(&self, request: Request<Bytes>, _caller: EndpointCaller) -> Response<Bytes> {
        self.admin.answer(&request).await
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
