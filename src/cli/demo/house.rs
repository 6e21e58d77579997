//! The demo's folder: keys made for it alone, and the configuration that a reader may copy.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::super::private_keys::write_private;
use crate::control;
use crate::token::{Algorithm, SigningKey};

/// A temporary folder; gone when dropped.
#[derive(Debug)]
pub(super) struct House {
    folder: PathBuf,
    pub(super) admin_token: String,
}

/// Where the demo's servers listen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses {
    pub(super) public: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) crm: SocketAddr,
    pub(super) billing: SocketAddr,
    pub(super) identity: SocketAddr,
}

impl House {
    /// Makes the folder with fresh keys in it and writes the configuration.
    pub(super) fn build(addresses: &Addresses) -> anyhow::Result<Self> {
        let admin_token = hex(&control::fresh::<16>());
        let folder =
            std::env::temp_dir().join(format!("tollgate-demo-{}", hex(&control::fresh::<8>())));
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let house = Self {
            folder,
            admin_token,
        };
        house.write("sign.pem", pem(Algorithm::Es256)?.expose())?;
        house.write("identity.pem", pem(Algorithm::EdDsa)?.expose())?;
        house.write("refresh.key", hex(&control::fresh::<32>()).as_bytes())?;
        house.write("hook.secret", hex(&control::fresh::<32>()).as_bytes())?;
        house.write("admin.token", house.admin_token.as_bytes())?;
        house.write("gateway.toml", configuration(addresses).as_bytes())?;
        Ok(house)
    }

    /// The configuration's path.
    pub(super) fn config(&self) -> PathBuf {
        self.folder.join("gateway.toml")
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        write_private(&self.folder.join(name), bytes)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _nothing_more_to_do = std::fs::remove_dir_all(&self.folder);
    }
}

fn pem(algorithm: Algorithm) -> anyhow::Result<crate::secret::Secret> {
    SigningKey::generate_pem(algorithm).map_err(anyhow::Error::msg)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn configuration(addresses: &Addresses) -> String {
    let Addresses {
        public,
        admin,
        crm,
        billing,
        identity,
    } = addresses;
    format!(
        r#"[server]
state_dir = "state"

[listeners.public]
address = "{public}"

[admin]
address = "{admin}"
token = "file:admin.token"

[identity]
issuer = "http://{public}"
signing_key = "file:identity.pem"

[telemetry]
access_log = "file:access.log"

[products.crm]
title = "CRM"

[products.billing]
title = "Billing"
upgrade_url = "https://example.com/pricing/billing"

[upstreams.crm]
servers = ["{crm}"]

[upstreams.billing]
servers = ["{billing}"]

[routes.crm]
path = "/crm/*"
product = "crm"
upstream = "crm"

[routes.billing]
path = "/billing/*"
product = "billing"
upstream = "billing"

[routes.hello]
path = "/hello"
access = "public"
upstream = "crm"

[sessions]
issuer = "http://{public}"
audience = "http://{public}"
signing_keys = ["file:sign.pem"]
refresh_keys = ["file:refresh.key"]

[sessions.store]
kind = "sqlite"
path = "sessions.db"

[sessions.login_hook]
url = "http://{identity}/login"
secret = "file:hook.secret"

[sessions.claims_hook]
url = "http://{identity}/claims"
secret = "file:hook.secret"

[sessions.clients.mobile]
type = "public"
transport = "body"
"#
    )
}
