//! Advice that is followed to the letter: what was at fault is no longer.

use super::sessions::SESSIONS;
use super::support::{LISTENER, ROUTE, SOUND, found, inside, replaced, says, shown, with};

/// What is advised about the one fault of `text`.
fn advice(text: &str) -> String {
    let found = found(text);
    let faults: Vec<_> = found.iter().filter(|one| one.is_fault()).collect();
    let [fault] = faults.as_slice() else {
        panic!("{}", shown(text, &found));
    };
    fault.help.clone()
}

#[test]
fn a_table_to_add_is_named_as_it_is_written() {
    let without = |name: &str| {
        replaced("product = \"crm\"", &format!("product = \"{name}\""))
            .replace("[products.crm]", "")
    };
    for (name, table) in [
        ("crm", "[products.crm]"),
        ("crm.pro", "[products.\"crm.pro\"]"),
        ("urn:crm", "[products.\"urn:crm\"]"),
    ] {
        let text = without(name);
        assert_eq!(advice(&text), format!("add a table {table}"));
        says(&format!("{text}\n{table}"), &[]);
    }
}

#[test]
fn an_origin_that_no_browser_sends_is_told_the_one_that_they_send() {
    let check = |written: &str, sent: &str| {
        let policy = |origin: &str| {
            let cors =
                format!("[cors.app]\nheaders = [\"authorization\"]\norigins = [\"{origin}\"]");
            inside(ROUTE, "cors = \"app\"") + &cors
        };
        assert_eq!(
            advice(&policy(written)),
            format!("write what the browser sends: \"{sent}\""),
            "{written}"
        );
        says(&policy(sent), &[]);
    };
    check("https://app.example.com:443", "https://app.example.com");
    check("https://app.example.com:0443", "https://app.example.com");
    check("http://app.example.com:0080", "http://app.example.com");
    check(
        "http://app.example.com:08080",
        "http://app.example.com:8080",
    );
    check("https://App.example.com/x?y", "https://app.example.com");
    check("https://[2001:DB8:0::1]:443", "https://[2001:db8::1]");
    check("https://[::ffff:10.0.0.1]", "https://[::ffff:a00:1]");
    check("HTTPS://app.example.com", "https://app.example.com");
}

#[test]
fn a_name_with_a_dot_is_told_to_stand_in_quotes() {
    let check = |header: &str, quoted: &str| {
        let text = with(&format!("{header}\ntitle = \"Pro\""));
        assert_eq!(
            advice(&text),
            format!("a name with a dot stands in quotes: {quoted}")
        );
        says(&text.replace(header, quoted), &["product_unused"]);
    };
    check("[products.crm2.pro]", "[products.\"crm2.pro\"]");
    check("[products.crm.pro.max]", "[products.\"crm.pro.max\"]");
    let slip = with("[upstreams.crm.tsl]\nname = \"a\"");
    assert_eq!(advice(&slip), "did you mean `tls`?");
}

#[test]
fn sizes_out_of_range_are_told_the_ends_as_they_are_written() {
    let check = |key: &str, help: &str| {
        let with = |size: &str| inside(LISTENER, &format!("{key} = \"{size}\""));
        assert_eq!(advice(&with("9000000GiB")), help);
        for end in help.split('"').skip(1).step_by(2) {
            says(&with(end), &[]);
        }
    };
    check("header_bytes_max", "write \"256B\" to \"1MiB\"");
    check("body_bytes_max", "write \"0B\" to \"1024GiB\"");
}

#[test]
fn a_public_route_with_a_demand_on_the_token_may_say_authenticated() {
    let public = "access = \"public\"\nscopes = [\"a\"]";
    let text = replaced("product = \"crm\"", public);
    assert_eq!(
        advice(&text),
        "remove `scopes`, or write access = \"authenticated\""
    );
    says(
        &text.replace("public\"\n", "authenticated\"\n"),
        &["product_unused"],
    );
    let text = inside(ROUTE, "access = \"public\"");
    assert_eq!(advice(&text), "remove `product`, or the `access` word");
}

#[test]
fn a_route_over_the_gates_own_paths_is_told_what_takes_it_away() {
    let identity = "[identity]\nissuer = \"g\"\nsigning_key = \"file:identity.pem\"";
    let text = with(identity).replace("/crm/*", "/.well-known/*");
    assert_eq!(
        advice(&text),
        "choose another path: the gate's identity keys are there, whatever the host"
    );
    let text = SOUND.replace("/crm/*", "/auth/*") + SESSIONS;
    let help = advice(&text);
    assert!(help.ends_with("and name the route's in `hosts`"), "{help}");
    let own = "[sessions]\nhosts = [\"auth.example.com\"]";
    let text = text.replace("[sessions]", own);
    says(&text, &["endpoint_overlap"]);
    let named = format!("{ROUTE}\nhosts = [\"api.example.com\"]");
    says(&text.replace(ROUTE, &named), &[]);
}

#[test]
fn a_route_for_whatever_is_left_is_told_how_it_gets_every_path() {
    let text = SOUND.replace("/crm/*", "/*") + SESSIONS;
    let help = |text: &str| found(text)[0].help.clone();
    says(&text, &["endpoint_covered"]);
    assert!(help(&text).ends_with("and name the route's in `hosts`"));
    let own = "[sessions]\nhosts = [\"auth.example.com\"]";
    let text = text.replace("[sessions]", own);
    says(&text, &["endpoint_covered"]);
    let named = format!("{ROUTE}\nhosts = [\"api.example.com\"]");
    says(&text.replace(ROUTE, &named), &[]);
}
