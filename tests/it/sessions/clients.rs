//! Clients that nobody changed for this gateway, and the requests of Go's `golang.org/x/oauth2`.

use std::process::Command;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::house::{FORM, House, SECRET, post, text};
use crate::support::{client_file, output, python};

/// A house whose issuer is the address that it answers on.
fn house() -> House {
    House::with(|config| config.replace("https://auth.example.com", "http://ADDRESS"))
}

/// Runs a driver of `tests/clients/sessions`, which checks for itself, and returns what it says it has done.
fn drive(program: impl AsRef<std::ffi::OsStr>, driver: &str) -> String {
    let house = house();
    output(
        Command::new(program)
            .arg(client_file("sessions").join(driver))
            .arg(format!("http://{}", house.gateway.public))
            .arg(house.partner_key()),
    )
}

#[test]
fn openid_client_is_served() {
    assert_eq!(
        drive("node", "by-openid-client.mjs"),
        "refresh and revoke oidc\n\
         refresh and revoke oauth2\n\
         client credentials client_secret_basic\n\
         client credentials client_secret_post\n\
         client credentials private_key_jwt\n\
         a wrong secret is refused\n"
    );
}

#[test]
fn oauth4webapi_is_served() {
    assert_eq!(
        drive("node", "by-oauth4webapi.mjs"),
        "refresh and revoke\nclient credentials and introspection\n"
    );
}

#[test]
fn oidc_client_ts_is_served() {
    assert_eq!(
        drive("node", "by-oidc-client-ts.mjs"),
        "renewed twice\nrevoked\n"
    );
}

#[test]
fn authlib_is_served() {
    assert_eq!(
        drive(python(), "by_authlib.py"),
        "refresh and revoke\n\
         client credentials client_secret_basic\n\
         client credentials client_secret_post\n\
         client credentials private_key_jwt for the endpoint\n\
         client credentials private_key_jwt for the issuer\n"
    );
}

#[test]
fn requests_oauthlib_is_served() {
    assert_eq!(
        drive(python(), "by_requests_oauthlib.py"),
        "refresh and revoke\nclient credentials\n"
    );
}

#[test]
fn jose_and_pyjwt_verify_access_tokens_by_the_published_keys() {
    assert_eq!(drive("node", "by-jose.mjs"), "verified\n");
    assert_eq!(drive(python(), "by_pyjwt.py"), "verified\n");
}

/// How `golang.org/x/oauth2` shows its client: in the header first and, after any failure, in the parameters.
#[derive(Clone, Copy)]
enum Style {
    Header,
    Params,
}

/// A request of `internal.RetrieveToken`: parameters in the order of their names, `Authorization` only in the one style.
fn go(style: Style, client: &str, secret: &str, parameters: &[(&str, &str)]) -> String {
    let mut parameters = parameters.to_vec();
    let pair = BASE64_STANDARD.encode(format!("{client}:{secret}"));
    let basic = format!("Authorization: Basic {pair}");
    let mut fields = vec!["User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip"];
    match style {
        Style::Header => fields.push(&basic),
        Style::Params => parameters.push(("client_id", client)),
    }
    if matches!(style, Style::Params) && !secret.is_empty() {
        parameters.push(("client_secret", secret));
    }
    parameters.sort_unstable();
    let body: Vec<String> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    post("/oauth/token", &fields, FORM, &body.join("&"))
}

#[test]
fn go_refreshes_in_whichever_style_it_tries_first() {
    let house = house();
    let ask = |request: String| {
        let mut client = house.gateway.client();
        client.send(request);
        client.answer_to("POST").expect("an answer")
    };
    let mut token = text(&house.login(), "refresh_token").to_owned();
    for style in [Style::Header, Style::Params] {
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", &*token)];
        let answer = ask(go(style, "mobile", "", &parameters));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.field("content-type"), Some("application/json"));
        let successor = text(&answer.json(), "refresh_token").to_owned();
        assert_ne!(successor, token);
        token = successor;
    }
    for style in [Style::Header, Style::Params] {
        let parameters = [("grant_type", "client_credentials"), ("scope", "crm.read")];
        let answer = ask(go(style, "backend", SECRET, &parameters));
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(house.api(text(&answer.json(), "access_token")), 200);
    }
}

#[test]
fn go_that_lost_the_answer_or_was_refused_asks_again_with_the_same_token() {
    let house = house();
    let basic = format!(
        "Authorization: Basic {}",
        BASE64_STANDARD.encode(format!("backend:{SECRET}"))
    );
    let login = house.post("/auth/login", &[&basic], "application/json", "{}");
    let login = login.json();
    let token = text(&login, "refresh_token");
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let ask = |style, secret| {
        let mut client = house.gateway.client();
        client.send(go(style, "backend", secret, &parameters));
        client.answer_to("POST").expect("an answer")
    };
    let refused = ask(Style::Header, "not-the-secret");
    assert_eq!(refused.status, 401, "{refused:?}");
    assert_eq!(refused.json()["error"], "invalid_client");
    let lost = ask(Style::Header, SECRET).json();
    let again = ask(Style::Params, SECRET).json();
    assert_eq!(text(&again, "refresh_token"), text(&lost, "refresh_token"));
    assert_ne!(text(&again, "refresh_token"), token);
    assert_eq!(house.api(text(&again, "access_token")), 200);
}
