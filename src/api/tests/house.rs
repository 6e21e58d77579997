//! A gate from a text, for every test of the room.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http::Response;

use crate::api::problem::{Asked, Dialect};
use crate::config::{Config, Files, check};
use crate::gate::{Gate, RequestId};
use crate::secret::Secret;
use crate::token::{KeyRing, VerifiedTokens};

pub(super) fn asked(request_id: &RequestId) -> Asked<'_> {
    Asked {
        request_id,
        host: Some("api.example.com"),
        origin: None,
        dialect: Dialect::Http,
    }
}

pub(super) fn id() -> RequestId {
    RequestId::fresh(7)
}

pub(in crate::api) fn field(answer: &Response<Bytes>, name: &str) -> String {
    let mut values = answer.headers().get_all(name).iter();
    let first = values
        .next()
        .map(|value| value.to_str().unwrap().to_owned());
    assert!(values.next().is_none(), "{name} stands twice");
    first.unwrap_or_default()
}

pub(super) fn gate() -> Gate {
    gate_of(CONFIG)
}

/// The gate of a configuration whose issuer has no keys.
pub(in crate::api) fn gate_of(text: &str) -> Gate {
    gate_with(text, &KeyRing::default())
}

pub(in crate::api) fn gate_with(text: &str, keys: &KeyRing) -> Gate {
    let (config, _) = check(text, &NoFiles).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let verified = Arc::new(VerifiedTokens::new(16, [0; 32]));
    Gate::assemble(Arc::<Config>::new(config), keys, verified)
}

struct NoFiles;

impl Files for NoFiles {
    fn env(&self, _: &str) -> Result<Secret, String> {
        Ok(Secret::new(b"0123456789abcdef".to_vec()))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Err(format!("there is no file {}", path.display()))
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        path.into()
    }
}

pub(in crate::api) const CONFIG: &str = r#"
[listeners.public]
address = "127.0.0.1:8080"

[admin]
address = "127.0.0.1:9901"
token = "env:ADMIN_TOKEN"
hosts = ["gate.internal"]

[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
discovery = true

[products.crm]
title = "CRM"
upgrade_url = "https://example.com/pricing/crm"

[upstreams.crm]
servers = ["127.0.0.1:9101"]

[cors.app]
origins = ["https://app.example.com"]
headers = ["Authorization", "Content-Type"]

[routes.crm]
path = "/crm/*"
product = "crm"
upstream = "crm"
cors = "app"
"#;
