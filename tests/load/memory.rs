//! What a connection costs that waits for nothing in particular.

use std::process::Command;

use crate::support::{Gateway, Process, Upstream, client_file, free_address, python};
use crate::{alone, resident, until_accepted};

/// Connections that are opened first, so that what the process needs once is not counted.
const WARM: usize = 200;
const COUNTED: usize = 1000;

fn check(kind: &str, bytes_max: u64) {
    let _machine = alone();
    let upstream = Upstream::start();
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let tls = "certificate = \"file:tls.crt\"\nkey = \"file:tls.key\"\n";
    let config = format!(
        "[listeners.public]\naddress = \"ADDRESS\"\n{}\
         [upstreams.app]\nservers = [\"{}\"]\n\
         [routes.all]\npath = \"/*\"\naccess = \"public\"\nupstream = \"app\"\n",
        if kind.starts_with("tls-") { tls } else { "" },
        upstream.address
    );
    let files = [
        ("tls.crt", &*certificate),
        ("tls.key", &*key.serialize_pem()),
    ];
    let gateway = Gateway::start(&config, &files);
    let hold = |count: usize, all: usize| {
        let held = Process::start(
            Command::new(python())
                .arg(client_file("hold.py"))
                .args([gateway.public.to_string(), free_address().to_string()])
                .arg(format!("{kind}={count}")),
        );
        until_accepted(&gateway, all);
        held
    };
    let _warm = hold(WARM, WARM);
    let before = resident(gateway.pid());
    let _counted = hold(COUNTED, WARM + COUNTED);
    let grown = resident(gateway.pid()).saturating_sub(before);
    let each = grown / u64::try_from(COUNTED).unwrap();
    println!("{kind}: {each} bytes a connection");
    assert!(each <= bytes_max, "{kind}: {each} bytes a connection");
}

#[test]
fn a_connection_that_has_said_nothing_costs_little() {
    check("idle", 8 << 10);
}

#[test]
fn a_connection_that_was_served_and_waits_costs_little() {
    check("served", 6 << 10);
}

#[test]
fn an_encrypted_connection_that_was_served_and_waits_costs_little() {
    check("tls-served", 24 << 10);
}
