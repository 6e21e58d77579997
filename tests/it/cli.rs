//! What the commands say to a person: on a terminal, in a pipe, and about what is not as they need it.

use std::fs;
use std::process::{Command, Output, Stdio};

use serde_json::json;

use crate::support::{Issuer, free_address, output};

const TOLLGATE: &str = env!("CARGO_BIN_EXE_tollgate");

fn tollgate(arguments: &[&str], folder: &tempfile::TempDir) -> Output {
    let mut command = Command::new(TOLLGATE);
    command.args(arguments).current_dir(folder);
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn check_is_coloured_on_a_terminal_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gateway.toml"), "oops = 1\n").unwrap();
    let on_terminal = |variable: &str| {
        let script = format!("{variable} '{TOLLGATE}' check || true");
        output(
            Command::new("script")
                .args(["-qec", &script, "/dev/null"])
                .env_remove("NO_COLOR")
                .env("TERM", "xterm")
                .current_dir(&folder),
        )
    };
    assert!(on_terminal("").contains("\x1b[1;31mfault[key_unknown]\x1b[0m"));
    for variable in ["NO_COLOR=1", "TERM=dumb"] {
        let said = on_terminal(variable);
        assert!(
            said.contains("fault[key_unknown]") && !said.contains('\x1b'),
            "{said}"
        );
    }
    let piped = tollgate(&["check"], &folder);
    assert!(!piped.stdout.contains(&0x1b) && piped.stdout.starts_with(b"gateway.toml:1:1: fault"));
}

#[test]
fn an_address_that_cannot_be_listened_on_is_told_of_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free_address().port();
    for (address, hint) in [
        (
            taken.local_addr().unwrap().to_string(),
            "another process has it",
        ),
        // TEST-NET-1 (RFC 5737): no machine has it.
        (
            format!("192.0.2.1:{port}"),
            "no interface of this machine has it",
        ),
    ] {
        let config = format!("[listeners.public]\naddress = \"{address}\"\n");
        fs::write(folder.path().join("gateway.toml"), config).unwrap();
        let refused = tollgate(&["run"], &folder);
        assert_eq!(refused.status.code(), Some(1));
        let said = stderr(&refused);
        assert!(said.contains(&address) && said.contains(hint), "{said}");
    }
}

#[test]
fn a_key_in_another_format_is_told_how_to_convert_it() {
    let folder = tempfile::tempdir().unwrap();
    let sec1 = "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n";
    fs::write(folder.path().join("sec1.pem"), sec1).unwrap();
    let refused = tollgate(&["key", "show", "sec1.pem"], &folder);
    assert_eq!(refused.status.code(), Some(2));
    let said = stderr(&refused);
    assert!(said.contains("openssl pkcs8 -topk8 -nocrypt"), "{said}");
}

#[test]
fn the_token_commands_end_with_yes_or_no() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &["token", "mint", "--key", "absent.pem"][..],
        &["token", "mint", "--key", ".", "--claims", "[]"],
        &["token", "inspect", "x"],
        &["token", "verify", "--config", "absent.toml", "x.y.z"],
    ] {
        let refused = tollgate(arguments, &folder);
        assert_eq!(refused.status.code(), Some(1), "{arguments:?}");
        assert!(!stderr(&refused).is_empty() && refused.stdout.is_empty());
    }
}

#[test]
fn a_reader_that_goes_away_early_changes_no_exit_code_and_is_told_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gateway.toml"), "oops = 1\n").unwrap();
    for (arguments, code) in [
        (&["check"][..], 1),
        (&["check", "--format", "json"], 1),
        (&["key", "generate"], 0),
    ] {
        let into = |out: Stdio| {
            let mut command = Command::new(TOLLGATE);
            command.args(arguments).current_dir(&folder).stdout(out);
            command.output().unwrap()
        };
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let unread = into(writer.into());
        let ended = (unread.status.code(), stderr(&unread));
        assert_eq!(ended, (Some(code), String::new()), "{arguments:?}");
        let full = into(fs::File::create("/dev/full").unwrap().into());
        assert_eq!(full.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&full).contains("standard output: No space left"));
    }
}

#[test]
fn explain_names_the_issuer_of_a_refused_token_and_the_provider_that_is_silent() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = Issuer::new("https://auth.example.com");
    let house = "[listeners.public]\naddress = \"127.0.0.1:1\"\n[upstreams.app]\nservers = [\"127.0.0.1:1\"]\n\
                 [routes.app]\npath = \"/*\"\naccess = \"authenticated\"\nupstream = \"app\"\n[issuers.main]\n\
                 issuer = \"https://auth.example.com\"\naudiences = [\"https://api.example.com\"]\n\
                 algorithms = [\"ES256\"]\n";
    let explain = |keys: &str, token: &str| {
        fs::write(
            folder.path().join("gateway.toml"),
            format!("{house}{keys}\n"),
        )
        .unwrap();
        let explained = tollgate(&["explain", "GET", "/x", "--token", token], &folder);
        assert_eq!(explained.status.code(), Some(1), "{explained:?}");
        let walk = String::from_utf8_lossy(&explained.stdout).into_owned();
        (walk, stderr(&explained))
    };
    fs::write(folder.path().join("jwks.json"), issuer.jwks()).unwrap();
    let stranger = Issuer::new("https://auth.example.com").token(json!({}));
    let (walk, _) = explain("jwks_file = \"jwks.json\"", &stranger);
    assert!(
        walk.contains("issuer      main\nverdict     refuse  key_unknown"),
        "{walk}"
    );
    let silent = format!("jwks_url = \"http://{}/jwks\"", free_address());
    let (walk, said) = explain(&silent, &stranger);
    assert!(walk.contains("issuer_unavailable"), "{walk}");
    assert!(
        said.contains("issuer main: ") && said.contains("Connection refused"),
        "{said}"
    );
}

#[test]
fn a_backup_overwrites_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[listeners.public]\naddress = \"127.0.0.1:1\"\n[sessions]\nissuer = \"https://a.example\"\n\
                  audience = \"https://b.example\"\nsigning_keys = [\"file:sign.pem\"]\nrefresh_keys = [\"file:key\"]\n\
                  [sessions.login_hook]\nurl = \"http://127.0.0.1:1/\"\n[sessions.clients.app]\ntype = \"public\"\n";
    let written = [
        ("gateway.toml", config.to_owned()),
        ("key", "0".repeat(64)),
        ("taken.db", "mine".to_owned()),
    ];
    for (name, text) in written {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let made = tollgate(&["key", "generate", "--out", "sign.pem"], &folder);
    assert!(made.status.success(), "{}", stderr(&made));
    let refused = tollgate(&["sessions", "backup", "taken.db"], &folder);
    assert_eq!(refused.status.code(), Some(2));
    let said = stderr(&refused);
    assert!(said.contains("taken.db exists already"), "{said}");
    let kept = fs::read_to_string(folder.path().join("taken.db")).unwrap();
    assert_eq!(kept, "mine");
}

#[test]
fn a_demo_whose_port_is_taken_names_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = tollgate(&["demo", "--port", &port, "--admin-port", "0"], &folder);
    assert_eq!(refused.status.code(), Some(1));
    let said = stderr(&refused);
    assert!(
        said.contains("tollgate demo --port 0 --admin-port 0"),
        "{said}"
    );
}
