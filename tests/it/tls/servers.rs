//! Servers that speak TLS: what is told of one whose certificate is not the one that is expected.

use super::House;
use crate::support::Gateway;

/// Requests within which each of two servers was asked.
const ASKED_MAX: usize = 100;

#[test]
fn the_diagnostics_say_why_a_server_is_passed_over_though_another_answers() {
    let (server, sound) = (House::one(), House::with(&["b.test"], "", &[]));
    let bundle = [&server, &sound].map(|house| &*house.authority.certificate);
    let config = format!(
        "[upstreams.app]\nservers = [\"{}\", \"{}\"]\n\
         tls = {{ name = \"b.test\", ca = \"file:ca.crt\" }}\n\
         [routes.all]\npath = \"/*\"\naccess = \"public\"\nupstream = \"app\"\n",
        server.gateway.public, sound.gateway.public
    );
    let gateway = Gateway::start(&config, &[("ca.crt", &bundle.concat())]);
    // Either of the two may be asked first.
    for _ in 0..ASKED_MAX {
        assert_eq!(gateway.get("/x", &["Connection: close"]).status, 200);
        if gateway.diagnostics().contains("takes no connection") {
            break;
        }
    }
    let line = gateway.told("takes no connection");
    let address = server.gateway.public.to_string();
    assert!(
        line.contains(&address) && line.contains("not valid for name"),
        "{line}"
    );
}
