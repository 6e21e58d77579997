//! What a file of certificates holds is judged while the configuration is checked: by `check` and before anything serves.

use std::path::Path;
use std::process::{Command, Output};

use super::certificates::Authority;

/// PEM around what is no certificate.
const EMPTY: &str = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";

#[test]
fn a_certificate_that_cannot_serve_is_a_fault_before_anything_serves() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new("the gateway's");
    let (a, b) = (authority.leaf("a.test"), authority.leaf("b.test"));
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    for (name, text) in [
        ("a.crt", &*a.certificate),
        ("a.key", &a.key),
        ("b.crt", &b.certificate),
        ("b.key", &b.key),
        ("ca.crt", &authority.certificate),
        ("empty.crt", EMPTY),
        ("behind.crt", &format!("{}{EMPTY}", a.certificate)),
    ] {
        write(name, text);
    }
    let pair = "certificate = \"file:a.crt\"\nkey = \"file:a.key\"\n";
    let rows = [
        (format!("{pair}client_ca = \"file:ca.crt\"\n"), "", None),
        ("certificate = \"file:a.crt\"\nkey = \"file:b.key\"\n".into(), "", Some(4)),
        (
            "certificate = [\"file:b.crt\", \"file:a.crt\"]\nkey = [\"file:b.key\", \"file:b.key\"]\n".into(),
            "",
            Some(4),
        ),
        ("certificate = \"file:empty.crt\"\nkey = \"file:a.key\"\n".into(), "", Some(3)),
        ("certificate = \"file:behind.crt\"\nkey = \"file:a.key\"\n".into(), "", Some(3)),
        (format!("{pair}client_ca = \"file:empty.crt\"\n"), "", Some(5)),
        (
            String::new(),
            "tls = { name = \"app\", ca = \"file:empty.crt\" }\n",
            Some(5),
        ),
    ];
    for (listener, upstream, line) in rows {
        let config = format!(
            "[listeners.public]\naddress = \"127.0.0.1:0\"\n{listener}[upstreams.app]\n\
             servers = [\"127.0.0.1:1\"]\n{upstream}[routes.all]\npath = \"/*\"\n\
             access = \"public\"\nupstream = \"app\"\n"
        );
        write("gateway.toml", &config);
        let checked = tollgate("check", folder.path());
        let told = String::from_utf8(checked.stdout).unwrap();
        let Some(line) = line else {
            assert_eq!(checked.status.code(), Some(0), "{config}\n{told}");
            continue;
        };
        let place = format!("gateway.toml:{line}:");
        assert_eq!(checked.status.code(), Some(1), "{config}\n{told}");
        assert!(
            told.contains(&place) && told.contains("fault[file_invalid]"),
            "{config}\n{told}"
        );
        let started = tollgate("run", folder.path());
        let told = String::from_utf8(started.stderr).unwrap();
        assert_eq!(started.status.code(), Some(1), "{config}\n{told}");
        assert!(told.contains(&place), "{config}\n{told}");
    }
}

fn tollgate(command: &str, folder: &Path) -> Output {
    Command::new("timeout")
        .args(["10", env!("CARGO_BIN_EXE_tollgate"), command, "--config"])
        .arg(folder.join("gateway.toml"))
        .output()
        .unwrap()
}
