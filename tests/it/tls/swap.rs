//! Certificates that are replaced while clients shake hands.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustls::HandshakeKind;
use rustls::client::Resumption;

use super::certificates::Leaf;
use super::{BOTH, House, client, get};

/// The new certificate is served within this time.
const SERVED_WITHIN: Duration = Duration::from_secs(2);
const SWAPS: usize = 5;
const CLIENTS: usize = 4;

/// Puts a certificate and its key in the place of the old ones, as tools do: each by a rename.
fn replace(house: &House, leaf: &Leaf) {
    let folder = house.gateway.folder.path();
    for (name, text) in [("a.test.key", &leaf.key), ("a.test.crt", &leaf.certificate)] {
        fs::write(folder.join("new"), text).unwrap();
        fs::rename(folder.join("new"), folder.join(name)).unwrap();
    }
}

#[test]
fn a_new_certificate_is_served_at_once_and_no_handshake_fails() {
    let house = House::one();
    let mut config = house.client();
    // Every handshake is a whole one.
    config.resumption = Resumption::disabled();
    let config = Arc::new(config);
    let (over, shaken) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let tls = house.connect(&config, "a.test");
                    tls.unwrap_or_else(|error| panic!("a handshake failed: {error}"));
                    shaken.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for swap in 0..SWAPS {
            let leaf = house.authority.leaf("a.test");
            let before = shaken.load(Ordering::Relaxed);
            replace(&house, &leaf);
            let began = Instant::now();
            loop {
                let tls = house.connect(&config, "a.test").unwrap();
                if tls.conn.peer_certificates().unwrap()[0] == leaf.chain()[0] {
                    break;
                }
                let waited = began.elapsed();
                over.store(waited > SERVED_WITHIN, Ordering::Relaxed);
                assert!(
                    waited <= SERVED_WITHIN,
                    "swap {swap}: the old one after {waited:?}"
                );
            }
            assert!(shaken.load(Ordering::Relaxed) > before, "clients go on");
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(shaken.load(Ordering::Relaxed) > CLIENTS * SWAPS);
}

#[test]
fn tickets_outlive_a_reload_and_not_their_certificate() {
    let house = House::one();
    let reload = || {
        let told = house.gateway.admin_post("/api/reload", "{}");
        assert_eq!(told.status, 200, "{}", told.text());
    };
    for version in BOTH {
        let config = Arc::new(client(&house.authority, &[version], None));
        let kind = || {
            let mut tls = house.connect(&config, "a.test").unwrap();
            let kind = tls.conn.handshake_kind();
            assert!(get(&mut tls).unwrap().starts_with("HTTP/1.1 200 "));
            kind
        };
        let (full, resumed) = (Some(HandshakeKind::Full), Some(HandshakeKind::Resumed));
        assert_eq!(kind(), full, "{:?}", version.version);
        reload();
        assert_eq!(kind(), resumed, "{:?}", version.version);
        replace(&house, &house.authority.leaf("a.test"));
        reload();
        assert_eq!(kind(), full, "{:?}", version.version);
    }
}
