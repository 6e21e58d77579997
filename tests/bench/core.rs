//! How long the core's steps take on this machine: `cargo bench --bench core`, or `… -- verify` for some of them.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot be set up has nothing to say"
)]

#[allow(dead_code, reason = "the house is shared with another benchmark")]
mod house;

use std::hint::black_box;

use divan::Bencher;
use house::House;
use tollgate::identity::IdentitySigner;
use tollgate::policy::RequestPath;
use tollgate::token::{Algorithm, BearerToken, Source, Verified};

fn main() {
    divan::main();
}

#[divan::bench]
fn head_parse(bencher: Bencher<'_, '_>) {
    let heads = house::heads(&house::authorizations(Algorithm::EdDsa, 1));
    bencher.bench(|| house::read(black_box(heads[0])));
}

#[divan::bench(args = ["/r0/items/42?page=2", "/a/./b//c/../%7Euser/caf%C3%A9;v=1"])]
fn path_canonicalise(target: &str) -> bool {
    RequestPath::parse(black_box(target)).is_ok()
}

#[divan::bench]
fn bearer_parse(bencher: Bencher<'_, '_>) {
    let authorization = house::authorizations(Algorithm::Rs256, 1).remove(0);
    bencher.bench(|| BearerToken::parse(black_box(authorization.as_bytes())));
}

/// Every check of a token that nobody has shown before.
#[divan::bench(args = ["RS256", "ES256", "EdDSA", "HS256"])]
fn verify_cold(bencher: Bencher<'_, '_>, algorithm: &str) {
    let algorithm = Algorithm::from_name(algorithm).unwrap();
    let verifier = house::verifier(0);
    let authorization = house::authorizations(algorithm, 1).remove(0);
    bencher.bench(|| {
        let token = BearerToken::parse(authorization.as_bytes()).unwrap();
        let verified = verifier.verify(token, None, house::NOW).unwrap();
        assert_eq!(verified.source(), Source::Signature);
    });
}

/// A token that was verified before, one of 1,000.
#[divan::bench]
fn verify_warm(bencher: Bencher<'_, '_>) {
    let verifier = house::verifier(10_000);
    let authorizations = house::authorizations(Algorithm::EdDsa, 1000);
    let verify = |authorization: &String| {
        let token = BearerToken::parse(authorization.as_bytes()).unwrap();
        verifier.verify(token, None, house::NOW).unwrap()
    };
    authorizations.iter().for_each(|known| drop(verify(known)));
    let mut callers = authorizations.iter().cycle();
    bencher
        .with_inputs(|| callers.next().unwrap())
        .bench_local_values(|caller| assert_eq!(verify(caller).source(), Source::Cache));
}

#[divan::bench(args = [10, 10_000])]
fn route_lookup(bencher: Bencher<'_, '_>, routes: usize) {
    let (table, host, path) = house::table(routes);
    bencher.bench(|| assert!(house::look_up(&table, &host, black_box(&path))));
}

/// Of a token that was looked for before: nothing was revoked since.
#[divan::bench(args = [0, 10_000, 1_000_000])]
fn revocation_check(bencher: Bencher<'_, '_>, revoked: usize) {
    let revocations = house::revocations(revoked);
    let authorization = house::authorizations(Algorithm::EdDsa, 1).remove(0);
    let token = BearerToken::parse(authorization.as_bytes()).unwrap();
    let verified = house::verifier(1).verify(token, None, house::NOW).unwrap();
    bencher.bench(|| revocations.find(black_box(&verified), house::NOW));
}

/// From a parsed head to the permit, one of 1,000 known callers.
#[divan::bench(args = [0, 1_000_000])]
fn gate_admit_warm(bencher: Bencher<'_, '_>, revoked: usize) {
    let house = House::new(10, revoked);
    let heads = house::heads(&house::authorizations(Algorithm::EdDsa, 1000));
    let requests: Vec<_> = heads.iter().map(|head| house::read(head)).collect();
    requests
        .iter()
        .for_each(|request| drop(house.admit(request)));
    let mut callers = requests.iter().cycle();
    bencher
        .with_inputs(|| callers.next().unwrap())
        .bench_local_values(|request| house.admit(request));
}

/// The fields that the upstream gets, with an assertion that was signed before.
#[divan::bench]
fn forward_fields(bencher: Bencher<'_, '_>) {
    let house = House::new(10, 0);
    let heads = house::heads(&house::authorizations(Algorithm::EdDsa, 1));
    let request = house::read(heads[0]);
    let admission = house.admit(&request);
    bencher.bench(|| house.forward(&request, &admission));
}

/// The identity headers alone, of a token that has its assertion, and of one that is signed for now.
#[divan::bench(args = ["cached", "signed"])]
fn assertion(bencher: Bencher<'_, '_>, how: &str) {
    let house = House::new(10, 0);
    let verifier = house::verifier(if how == "cached" { 1 } else { 0 });
    let authorization = house::authorizations(Algorithm::EdDsa, 1).remove(0);
    let signer = IdentitySigner::new(&house.gate.config().identity);
    let verified = || {
        let token = BearerToken::parse(authorization.as_bytes()).unwrap();
        verifier.verify(token, None, house::NOW).unwrap()
    };
    let app = "app".into();
    let put = |verified: Verified| {
        let mut bytes = 0;
        signer.put(&verified, &app, house::NOW, &mut |_: &str, value: &[u8]| {
            bytes += value.len();
        });
        bytes
    };
    put(verified());
    bencher.with_inputs(verified).bench_values(put);
}

/// Metrics and the access log's line of one request; the writer's thread is not counted.
#[cfg(feature = "server")]
#[divan::bench]
fn access_log_line(bencher: Bencher<'_, '_>) {
    use std::sync::Arc;
    use std::time::Duration;

    use tollgate::telemetry::{Diagnostics, Exchange, Telemetry};
    use tollgate::time::{Clock, Timestamp};

    #[derive(Debug)]
    struct Stopped;
    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            house::NOW
        }
    }

    let mut config = house::configuration(1);
    config.telemetry.access_log = tollgate::config::model::AccessLog::File("/dev/null".into());
    let telemetry = Telemetry::start(Arc::new(Stopped), [7; 32]).unwrap();
    telemetry.install(Diagnostics::Text).unwrap();
    telemetry.configure(&config).unwrap();
    let exchange = Exchange {
        listener: "public",
        request_id: "01890a5d-ac96-774b-bcce-b302099a8057",
        trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
        peer: "192.0.2.7",
        client: None,
        protocol: "HTTP/1.1",
        method: "GET",
        path: "/r0/items/42",
        host: "api.example.com",
        route: Some(&config.routes[0]),
        endpoint: None,
        status: 200,
        verdict: "forward",
        reason: None,
        shadowed: None,
        detail: "",
        issuer: Some("EdDSA"),
        subject: Some("user-000000000000000000000001"),
        pseudonym: None,
        at: house::NOW,
        upstream: Some("app"),
        server: Some("127.0.0.1:9000"),
        bytes_in: 0,
        bytes_out: 1024,
        duration: Duration::from_micros(150),
        upstream_duration: Some(Duration::from_micros(75)),
    };
    bencher.bench(|| telemetry.request(black_box(&exchange)));
}
