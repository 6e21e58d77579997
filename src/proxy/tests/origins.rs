//! Whose request an upstream hears that it is.

use super::house::{House, Upstream};

/// What an upstream is told of a request with `fields`, whose peer is a trusted proxy like all of 10.0.0.0/8.
async fn check(fields: &str, expected: &str) {
    let upstream = Upstream::start().await;
    let trusted = "trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"]";
    let house = House::before(upstream.address, trusted, "").await;
    let mut client = house.client().await;
    client
        .say(format!("GET /x HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
        .await;
    let told = upstream.accept().await.head().await;
    let real = format!("\r\nX-Real-IP: {expected}\r\n");
    assert!(told.contains(&real), "{fields}: {told}");
}

#[tokio::test]
async fn the_client_behind_proxies_is_the_last_address_that_is_none_of_them() {
    for (chain, expected) in [
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("2001:DB8::9, 10.0.0.2, 10.0.0.1", "2001:db8::9"),
        ("10.0.0.2, 10.0.0.1", "10.0.0.2"),
        ("unknown, 10.0.0.1", "10.0.0.1"),
        ("203.0.113.9:50123, 10.0.0.2:443", "203.0.113.9"),
        ("[2001:db8::9]:50123, 10.0.0.2", "2001:db8::9"),
        ("[2001:db8::9]", "2001:db8::9"),
        ("[203.0.113.9], 10.0.0.2", "10.0.0.2"),
        ("[fe80::9%1]:80, 10.0.0.2", "10.0.0.2"),
        ("fe80::9%1, 10.0.0.2", "10.0.0.2"),
        ("unknown", "127.0.0.1"),
        (" , ,", "127.0.0.1"),
    ] {
        check(&format!("X-Forwarded-For: {chain}\r\n"), expected).await;
    }
    let twice = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 10.0.0.2\r\n";
    check(twice, "203.0.113.9").await;
    check("", "127.0.0.1").await;
}
