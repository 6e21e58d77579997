//! What the gate keeps to itself where it has a session side.

use std::path::{Path, PathBuf};

use super::house::{CONFIG, House};
use crate::config::{self, Files};
use crate::secret::Secret;
use crate::token::{Algorithm, SigningKey};

const SESSIONS: &str = r#"
[sessions]
issuer = "https://login.example.com"
audience = "https://api.example.com"
hosts = ["login.example.com"]
signing_keys = ["file:sign.pem"]
refresh_keys = ["file:refresh.key"]
[sessions.store]
kind = "memory"
[sessions.login_hook]
url = "http://127.0.0.1:9200/login"
[sessions.cookie]
origins = ["https://app.example.com"]
[sessions.clients.web]
type = "public"
transport = "cookie"
"#;

struct Keys;

impl Files for Keys {
    fn env(&self, name: &str) -> Result<Secret, String> {
        Err(format!("{name} is not set"))
    }
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        match path.extension().is_some_and(|end| end == "pem") {
            true => Ok(SigningKey::generate_pem(Algorithm::EdDsa)?
                .expose()
                .to_vec()),
            false => Ok("07".repeat(32).into_bytes()),
        }
    }
    fn resolve(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
}

fn house() -> House {
    let text = format!("{CONFIG}{SESSIONS}");
    let (read, _) = config::check(&text, &Keys).unwrap_or_else(|faults| panic!("{faults:#?}"));
    House::with(|config| *config = read)
}

#[test]
fn the_endpoints_answer_at_their_own_hosts_alone() {
    let house = house();
    for path in ["/auth/login", "/oauth/token", "/.well-known/jwks.json"] {
        for (host, expected) in [
            ("login.example.com", "answer"),
            ("LOGIN.example.com.:443", "answer"),
            ("api.example.com", "route_unknown"),
            ("a.login.example.com", "route_unknown"),
            ("127.0.0.1", "route_unknown"),
        ] {
            let word = house.word(path, &[("Host", host)]);
            assert_eq!(word, expected, "{path} at {host}");
        }
    }
}

#[test]
fn the_cookie_of_the_session_side_goes_to_no_upstream() {
    let house = house();
    let name = &house.gate.config().sessions.as_ref().unwrap().cookie;
    let name = name.as_ref().unwrap().name.clone();
    for (cookies, expected) in [
        (format!("{name}=tgr_x"), vec![]),
        (format!("{name} = tgr_x"), vec![]),
        (format!("a=1; {name}=tgr_x;b=2"), vec!["a=1; b=2"]),
    ] {
        let told = house.forwarded("/open/x", &[("Cookie", &cookies)], false);
        let told = told.iter().filter(|(name, _)| name == "Cookie");
        let told: Vec<&str> = told.map(|(_, value)| value.as_str()).collect();
        assert_eq!(told, expected, "{cookies}");
    }
}
