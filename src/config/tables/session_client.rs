//! `[sessions.clients.NAME]`: who may open and refresh sessions, and how they prove themselves.

use std::sync::Arc;

use super::issuer_keys::key_set;
use super::read::{origin, scope};
use super::route_access::known_products;
use crate::config::model::{Client, ClientAuth, ClientKind, Grant, Transport};
use crate::config::names::Known;
use crate::config::table::Table;
use crate::config::units::hex;
use crate::config::value::Value;

/// Reads every `[sessions.clients.NAME]`.
pub(super) fn clients<'w>(sessions: &Table<'w>, known: &Known<'w>) -> Vec<Arc<Client>> {
    let tables = sessions.named("clients", "sessions.clients.NAME");
    if tables.is_empty() {
        let message = "there is no client: nobody can open a session";
        sessions.warn(
            "clients",
            "clients_missing",
            message,
            "add a table [sessions.clients.web]",
        );
    }
    // A word at fault may have been meant for "cookie".
    let is_by_body = |table: &Table<'w>| match table.peek(&["transport"]) {
        Some(transport) => transport == "body",
        None => !table.has("transport"),
    };
    if sessions.has("cookie") && !tables.is_empty() && tables.iter().all(is_by_body) {
        let message = "no client has transport = \"cookie\": this table is for none of them";
        let help = "write transport = \"cookie\" for the web client, or remove the table";
        sessions.warn("cookie", "cookie_unused", message, help);
    }
    let read = tables
        .iter()
        .filter_map(|table| client(table, sessions, known));
    read.map(Arc::new).collect()
}

fn client<'w>(table: &Table<'w>, sessions: &Table<'_>, known: &Known<'w>) -> Option<Client> {
    const TRANSPORTS: [(&str, Transport); 2] =
        [("cookie", Transport::Cookie), ("body", Transport::Body)];
    const GRANTS: [(&str, Grant); 2] = [
        ("refresh_token", Grant::RefreshToken),
        ("client_credentials", Grant::ClientCredentials),
    ];
    let kind = kind(table);
    let grants = table.read_or("grants", vec![Grant::RefreshToken], |value| {
        value.some(|grant| grant.word(&GRANTS))
    });
    let client = Client {
        id: table.name.into(),
        transport: table.read_or("transport", Transport::Body, |value| {
            value.word(&TRANSPORTS)
        }),
        origins: table.read_or("origins", Vec::new(), |value| value.list(origin)),
        products: table.read_or("products", Vec::new(), |value| known_products(value, known)),
        scopes: table.read_or("scopes", Vec::new(), |value| value.list(scope)),
        lost_reply_window: table.read("lost_reply_window", Value::duration),
        idle_lifetime: table.read("idle_lifetime", Value::span),
        absolute_lifetime: table.read("absolute_lifetime", Value::span),
        grants,
        kind: kind?,
    };
    check_transport(table, sessions, &client);
    check_grants(table, sessions, &client);
    Some(client)
}

fn kind(table: &Table<'_>) -> Option<ClientKind> {
    #[derive(Clone, Copy, PartialEq)]
    enum Word {
        Public,
        Confidential,
    }
    const TYPES: [(&str, Word); 2] = [
        ("public", Word::Public),
        ("confidential", Word::Confidential),
    ];
    let help = "write type = \"public\" for browsers and apps, type = \"confidential\" for servers";
    let word = table.need("type", help, |value| value.word(&TYPES));
    let proofs = ["auth", "secret_sha256", "jwks_file"].map(|key| table.take(key));
    match word? {
        Word::Confidential => auth(table, proofs).map(ClientKind::Confidential),
        Word::Public => {
            for value in proofs.into_iter().flatten() {
                let message = "a public client cannot keep a secret";
                value.refuse::<()>(
                    "client_conflict",
                    message,
                    "remove it, or write type = \"confidential\"",
                );
            }
            Some(ClientKind::Public)
        }
    }
}

/// How a confidential client proves itself; `None` when it does not say so or is at fault.
fn auth(table: &Table<'_>, [auth, secret, jwks]: [Option<Value<'_>>; 3]) -> Option<ClientAuth> {
    #[derive(Clone, Copy)]
    enum Word {
        Secret,
        PrivateKeyJwt,
    }
    const WORDS: [(&str, Word); 2] = [
        ("private_key_jwt", Word::PrivateKeyJwt),
        ("secret", Word::Secret),
    ];
    let help =
        "write auth = \"private_key_jwt\" with jwks_file, or auth = \"secret\" with secret_sha256";
    let Some(auth) = auth else {
        return table.refuse("key_missing", "a confidential client needs `auth`", help);
    };
    let word = auth.word(&WORDS)?;
    let [own, other] = match word {
        Word::PrivateKeyJwt => ["jwks_file", "secret_sha256"],
        Word::Secret => ["secret_sha256", "jwks_file"],
    };
    if table.has(own) && table.has(other) {
        let message = format!("the client proves itself with `{own}`, not with `{other}`");
        let help = "remove it, or write the `auth` that it is for";
        table.warn(other, "key_without_effect", message, help);
    }
    match word {
        Word::PrivateKeyJwt => match jwks {
            Some(value) => Some(ClientAuth::PrivateKeyJwt {
                jwks: Arc::new(key_set(&value, &ClientAuth::ALGORITHMS)?),
            }),
            None => auth.refuse(
                "key_missing",
                "`private_key_jwt` needs `jwks_file` beside it",
                help,
            ),
        },
        Word::Secret => match secret {
            Some(value) => Some(ClientAuth::Secret {
                sha256: digest(&value)?,
            }),
            None => auth.refuse(
                "key_missing",
                "`secret` needs `secret_sha256` beside it",
                help,
            ),
        },
    }
}

fn digest(value: &Value<'_>) -> Option<[u8; 32]> {
    let help = "draw a secret of 256 bits and write its digest: `printf %s SECRET | sha256sum`";
    let text = value.text()?;
    if text.eq_ignore_ascii_case(DIGEST_OF_NOTHING) {
        let message = "`secret_sha256` is the digest of an empty secret, which everybody knows";
        return value.refuse("digest_invalid", message, help);
    }
    hex(text.as_bytes())
        .and_then(|bytes| bytes.try_into().ok())
        .or_else(|| {
            let message = "`secret_sha256` is not 64 hexadecimal digits";
            value.refuse("digest_invalid", message, help)
        })
}

/// What a digest is of when the variable that should hold the secret is not set.
const DIGEST_OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn check_transport(table: &Table<'_>, sessions: &Table<'_>, client: &Client) {
    if client.transport != Transport::Cookie {
        return;
    }
    if !sessions.has("cookie")
        && let Some(value) = table.take("transport")
    {
        let message = "a cookie client needs the table [sessions.cookie]";
        value.refuse::<()>(
            "key_missing",
            message,
            "add [sessions.cookie] with the origins of its front ends",
        );
    }
    if let Some(value) = table.take("origins") {
        let message = "the origins of cookie clients stand in [sessions.cookie]";
        value.refuse::<()>(
            "client_conflict",
            message,
            "move them there, or write transport = \"body\"",
        );
    }
}

fn check_grants(table: &Table<'_>, sessions: &Table<'_>, client: &Client) {
    let by_credentials = client.grants.contains(&Grant::ClientCredentials);
    if by_credentials
        && matches!(client.kind, ClientKind::Public)
        && let Some(value) = table.take("grants")
    {
        let message = "client_credentials is for confidential clients (RFC 6749 §4.4)";
        value.refuse::<()>(
            "client_conflict",
            message,
            "write type = \"confidential\" with auth = \"private_key_jwt\"",
        );
    }
    if !by_credentials {
        for key in ["products", "scopes"]
            .into_iter()
            .filter(|key| table.has(key))
        {
            let message =
                format!("`{key}` is for the client's own tokens, and it may ask for none");
            table.warn(
                key,
                "key_without_effect",
                message,
                "add \"client_credentials\" to `grants`, or remove it",
            );
        }
    }
    if client.grants.contains(&Grant::RefreshToken) && !sessions.has("login_hook") {
        let message = "nobody can log in through this client: there is no [sessions.login_hook]";
        let help = "add [sessions.login_hook], or write grants = [\"client_credentials\"]";
        table.warn("", "login_hook_missing", message, help);
    }
}
