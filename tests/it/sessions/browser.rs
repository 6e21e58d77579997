//! A real browser: what a page keeps, what it cannot see, and what other pages get.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::house::House;
use crate::support::{client_file, free_address, output};

/// Lets Chromium run the driver on a page of `app`, which alone may use the cookie. Returns what the driver says was so.
fn browse(app: &str, same_site: &str) -> String {
    let pages = free_address().port();
    let origin = format!("https://{app}:{pages}");
    let (certificate, key) = certificate();
    let files = [("tls.crt", certificate.as_str()), ("tls.key", key.as_str())];
    let house = House::furnished(&files, |config| {
        let tls = "address = \"ADDRESS\"\ncertificate = \"file:tls.crt\"\nkey = \"file:tls.key\"";
        let cors = format!(
            "[cors.app]\norigins = [\"{origin}\"]\nheaders = [\"authorization\"]\n[routes.crm]\ncors = \"app\""
        );
        config
            .replace("address = \"ADDRESS\"", tls)
            .replace("[routes.crm]", &cors)
            .replace(
                "origins = [\"https://app.example.com\"]",
                &format!("origins = [\"{origin}\"]\nsame_site = \"{same_site}\""),
            )
    });
    let folder = house.gateway.folder.path();
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    output(
        Command::new("timeout")
            .args(["120", "node"])
            .arg(client_file("sessions/browser.mjs"))
            .args([house.gateway.public.port(), pages].map(|port| port.to_string()))
            .args([folder.join("tls.crt"), folder.join("tls.key")])
            .arg(app),
    )
}

/// A browser takes a small machine whole.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A certificate that the browser is told not to check: names and ports are what this is about.
fn certificate() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let names = vec!["*.example.com".to_owned()];
    let certificate = rcgen::CertificateParams::new(names).unwrap();
    let certificate = certificate.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[test]
fn a_page_of_the_same_site_stays_logged_in_and_shows_nobody_its_token() {
    assert_eq!(
        browse("app.example.com", "strict"),
        "logged in\n\
         cookie __Secure-tollgate_rt Strict whole\n\
         reloaded, and in a second tab\n\
         hostile pages got nothing\n\
         logged out in both tabs\n"
    );
}

#[test]
fn a_page_of_another_site_stays_logged_in_with_a_partitioned_cookie() {
    assert_eq!(
        browse("app.other.example", "none"),
        "logged in\n\
         cookie __Secure-tollgate_rt None partitioned\n\
         reloaded, and in a second tab\n\
         hostile pages got nothing\n\
         logged out in both tabs\n"
    );
}
