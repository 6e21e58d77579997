//! What the gate answers itself.

use super::house::{House, NEVER, PANIC, Upstream, status};
use crate::gate::Reason;

fn config(listener: &str, more: &str) -> String {
    format!(
        "[listeners.public]\naddress = \"127.0.0.1:0\"\n{listener}\n\
         [upstreams.up]\nservers = [\"127.0.0.1:9\"]\n\
         [routes.all]\npath = \"/*\"\naccess = \"public\"\nupstream = \"up\"\n{more}\n"
    )
}

#[tokio::test]
async fn browsers_are_sent_to_https_and_tokens_are_refused() {
    let house = House::of(&config("redirect_to_https = true", "")).await;
    for (request, code, seen) in [
        (
            "GET /a/b?c=d HTTP/1.1\r\nHost: a.test:80\r\n\r\n",
            "308",
            "location: https://a.test/a/b?c=d\r\n",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n",
            "400",
            "request_ambiguous",
        ),
        (
            "GET /?access_token=x HTTP/1.1\r\nHost: a\r\n\r\n",
            "400",
            "request_ambiguous",
        ),
        (
            "GET /?a=b&access%5Ftoken=x HTTP/1.1\r\nHost: a\r\n\r\n",
            "400",
            "request_ambiguous",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Protocol: chat, bearer.x\r\n\r\n",
            "400",
            "request_ambiguous",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b; __Secure-tollgate_rt=tgr_x\r\n\r\n",
            "400",
            "request_ambiguous",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nCookie: rt= tgr_x\r\n\r\n",
            "400",
            "request_ambiguous",
        ),
        (
            "GET /?my_access_token=x HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\n\r\n",
            "308",
            "location: https://a/?my_access_token=x\r\n",
        ),
        ("GET / HTTP/1.1\r\n\r\n", "400", "request_malformed"),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            "400",
            "request_ambiguous",
        ),
        (
            "GET //evil.test/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "400",
            "request_ambiguous",
        ),
    ] {
        let mut client = house.client().await;
        client
            .say(request.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"))
            .await;
        let answer = client.rest().await;
        assert_eq!(status(&answer), code, "{request}");
        assert!(answer.contains(seen), "{answer}");
    }
}

#[tokio::test]
async fn a_preflight_is_answered_and_never_forwarded() {
    let cors = "cors = \"app\"\n[cors.app]\norigins = [\"https://app.test\"]";
    let house = House::of(&config("", cors)).await;
    let mut client = house.client().await;
    client
        .say("OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://app.test\r\nAccess-Control-Request-Method: PUT\r\nContent-Length: 4\r\n\r\nbody")
        .await;
    // The endpoints of this house echo what they are asked.
    let answer = client.until("\r\n\r\nbody").await;
    assert_eq!(status(&answer), "200");
}

#[tokio::test]
async fn a_body_that_no_endpoint_will_read_is_not_waited_for() {
    let cors = "cors = \"app\"\n[cors.app]\norigins = [\"https://app.test\"]";
    let house = House::of(&config("body_bytes_max = \"1KiB\"", cors)).await;
    for expect in ["", "Expect: 100-continue\r\n"] {
        let mut client = house.client().await;
        client
            .say(format!("OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://app.test\r\nAccess-Control-Request-Method: PUT\r\n{expect}Content-Length: 1025\r\n\r\n"))
            .await;
        let answer = client.until("\"body_too_large\"").await;
        assert_eq!(status(&answer), "413", "{answer}");
    }
    assert_eq!(house.refusals(Reason::BodyTooLarge), 2);
}

/// A preflight, but for the empty line.
const PREFLIGHT: &str = "OPTIONS /x HTTP/1.1\r\nHost: a\r\nOrigin: https://app.test\r\nAccess-Control-Request-Method: PUT\r\n";

#[tokio::test]
async fn what_an_endpoint_waits_for_has_an_end() {
    for (listener, server, body, code) in [
        ("request_timeout = \"300ms\"", "", "half", "408"),
        ("", "[server]\ndrain = \"300ms\"", "half", "503"),
        ("", "[server]\ndrain = \"300ms\"", NEVER, "503"),
    ] {
        let more =
            format!("cors = \"app\"\n[cors.app]\norigins = [\"https://app.test\"]\n{server}");
        let house = House::of(&config(listener, &more)).await;
        let mut client = house.client().await;
        let length = NEVER.len();
        client
            .say(format!("{PREFLIGHT}Content-Length: {length}\r\n\r\n{body}"))
            .await;
        while house.edge.in_flight() == 0 {
            tokio::task::yield_now().await;
        }
        house.edge.drain();
        let answer = client.rest().await;
        assert_eq!(status(&answer), code, "{answer}");
        assert_eq!(house.edge.cut(), usize::from(code == "503"));
    }
}

#[tokio::test]
async fn an_endpoint_that_panics_is_answered_and_told_of() {
    let cors = "cors = \"app\"\n[cors.app]\norigins = [\"https://app.test\"]";
    let house = House::of(&config("", cors)).await;
    let mut client = house.client().await;
    client
        .say(format!("{PREFLIGHT}Content-Length: 5\r\n\r\n{PANIC}"))
        .await;
    let answer = client.until("\"overloaded\"").await;
    assert_eq!(status(&answer), "503");
    client.until("}").await;
    client.say(format!("{PREFLIGHT}\r\n")).await;
    assert_eq!(status(&client.head().await), "200");
    assert_eq!(house.refusals(Reason::Overloaded), 1);
}

#[tokio::test]
async fn an_answer_that_is_made_while_a_stop_comes_says_so() {
    let cors = "cors = \"app\"\n[cors.app]\norigins = [\"https://app.test\"]";
    let house = House::of(&config("", cors)).await;
    let mut client = house.client().await;
    client
        .say(format!("{PREFLIGHT}Content-Length: 4\r\n\r\nbo"))
        .await;
    while house.edge.in_flight() == 0 {
        tokio::task::yield_now().await;
    }
    house.edge.drain();
    client.say("dy").await;
    let answer = client.until("\r\n\r\nbody").await;
    assert!(answer.contains("Connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn answers_of_a_route_with_a_policy_carry_it() {
    let upstream = Upstream::start().await;
    let cors = "cors = \"app\"\n[cors.app]\norigins = [\"https://app.test\"]";
    let text = config("", cors).replace("127.0.0.1:9", &upstream.address.to_string());
    let house = House::of(&text).await;
    let mut client = house.client().await;
    client
        .say("GET /x HTTP/1.1\r\nHost: a\r\nOrigin: https://app.test\r\n\r\n")
        .await;
    let (_server, _) = upstream
        .answer("HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 0\r\n\r\n")
        .await;
    let head = client.head().await;
    assert!(
        head.contains("access-control-allow-origin: https://app.test\r\n"),
        "{head}"
    );
    assert!(!head.contains('*'), "{head}");
}

#[tokio::test]
async fn what_the_gate_says_itself_has_a_date() {
    let house = House::of(&config("", "")).await;
    let mut client = house.client().await;
    client.say("GET //a HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.rest().await;
    assert_eq!(status(&answer), "400", "{answer}");
    assert!(answer.contains("\r\nDate: "), "{answer}");
}
