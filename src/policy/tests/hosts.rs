//! Hosts: one spelling each.

use crate::policy::Host;

#[test]
fn a_host_has_one_spelling_or_is_refused() {
    let long_label = "a".repeat(64);
    let long_name = format!("{}a", "ab.".repeat(84) + "a");
    let rows = [
        ("example.com", Some("example.com")),
        ("Example.COM", Some("example.com")),
        ("example.com:8080", Some("example.com")),
        ("example.com.", Some("example.com")),
        ("example.com.:80", Some("example.com")),
        ("localhost", Some("localhost")),
        ("a_b-c.example", Some("a_b-c.example")),
        ("xn--caf-dma.example", Some("xn--caf-dma.example")),
        ("127.0.0.1", Some("127.0.0.1")),
        ("127.0.0.1:9000", Some("127.0.0.1")),
        ("[::1]", Some("[::1]")),
        ("[::1]:8080", Some("[::1]")),
        ("[0:0:0:0:0:0:0:1]", Some("[::1]")),
        ("[2001:DB8::1]", Some("[2001:db8::1]")),
        ("1password.com", Some("1password.com")),
        ("", None),
        (":80", None),
        (".", None),
        ("..", None),
        ("example.com..", None),
        (".example.com", None),
        ("a..b", None),
        ("user@example.com", None),
        ("user:pass@example.com", None),
        ("example.com:", None),
        ("example.com:0", None),
        ("example.com:65536", None),
        ("example.com:+80", None),
        ("example.com:80:80", None),
        ("example.com:http", None),
        ("example.com:000080", None),
        ("example.com/", None),
        ("example.com?a", None),
        ("example.com#a", None),
        ("example.com\\a", None),
        ("example com", None),
        ("example.com ", None),
        ("exa\tmple.com", None),
        ("exa%6dple.com", None),
        ("café.example", None),
        ("a,b", None),
        ("a;b", None),
        ("*.example.com", None),
        ("::1", None),
        ("[::1", None),
        ("[::1]]", None),
        ("[::1]x", None),
        ("[::1%25eth0]", None),
        ("[127.0.0.1]", None),
        ("[]", None),
        ("127.1", None),
        ("2130706433", None),
        ("0x7f.0.0.1", None),
        ("0x7f000001", None),
        ("127.0.0.01", None),
        ("256.0.0.1", None),
        ("1.2.3.4.5", None),
        (&long_label, None),
        (&long_name, None),
    ];
    for (authority, expected) in rows {
        let host = Host::parse(authority).ok();
        assert_eq!(host.as_ref().map(Host::as_str), expected, "{authority:?}");
        if let Some(host) = host {
            assert_eq!(Host::parse(host.as_str()), Ok(host), "{authority:?}");
        }
    }
}
