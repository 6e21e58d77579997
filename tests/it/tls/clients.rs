//! Mutual TLS: only clients that the operator's bundle vouches for are heard.

use std::sync::Arc;

use super::certificates::Authority;
use super::{BOTH, House, client, get};

#[test]
fn a_client_without_the_right_certificate_is_not_heard() {
    let (ours, others) = (Authority::new("clients"), Authority::new("others"));
    let bundle = [("clients.pem", &*ours.certificate)];
    let house = House::with(&["a.test"], "client_ca = \"file:clients.pem\"", &bundle);
    let (right, wrong) = (ours.leaf("client"), others.leaf("client"));
    for version in BOTH {
        for (identity, is_heard) in [(None, false), (Some(&wrong), false), (Some(&right), true)] {
            let config = Arc::new(client(&house.authority, &[version], identity));
            // In 1.3 the client believes that it was taken until it reads.
            let answer = house
                .connect(&config, "a.test")
                .and_then(|mut tls| get(&mut tls));
            let heard = answer
                .as_ref()
                .is_ok_and(|text| text.starts_with("HTTP/1.1 200 "));
            assert_eq!(heard, is_heard, "{:?}: {answer:?}", version.version);
            assert!(heard || !answer.is_ok_and(|text| text.contains("HTTP/")));
        }
    }
    assert_eq!(house._upstream.count(), 2);
}
