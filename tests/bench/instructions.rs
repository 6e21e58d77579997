//! How many instructions the core's steps take, a hundred times each, counted by callgrind. `instructions.py` runs it and
//! compares with `instructions.toml`. Signatures are left out: under callgrind they take other paths than on a processor.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "the macros write items of their own; the house is shared with another benchmark"
)]

mod house;

use std::hint::black_box;

use gungraun::prelude::*;
use house::House;
use tollgate::gate::Admission;
use tollgate::policy::{Host, RequestPath, RouteTable};
use tollgate::session::Revocations;
use tollgate::token::{Algorithm, BearerToken, Verified, Verifier};
use tollgate::wire::head::Http1Request;

/// How often each step is taken.
const TIMES: usize = 100;

// What is set up lives for ever: taking it down is no part of a step.
fn forever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

fn authorizations() -> &'static [String] {
    house::authorizations(Algorithm::EdDsa, TIMES).leak()
}

fn tokens() -> &'static [BearerToken<'static>] {
    let parse = |value: &'static String| BearerToken::parse(value.as_bytes()).expect("sound");
    let tokens: Vec<_> = authorizations().iter().map(parse).collect();
    tokens.leak()
}

fn heads() -> &'static [&'static [u8]] {
    house::heads(authorizations()).leak()
}

fn known() -> (&'static Verifier, &'static [BearerToken<'static>]) {
    let (verifier, tokens) = (forever(house::verifier(10_000)), tokens());
    for token in tokens {
        verifier.verify(*token, None, house::NOW).expect("good");
    }
    (verifier, tokens)
}

/// Tokens whose key nobody has, so that all is done but the signature.
fn strangers() -> (&'static Verifier, &'static [BearerToken<'static>]) {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"nobody's","typ":"at+jwt"}"#);
    let estrange = |token: &BearerToken<'_>| -> BearerToken<'static> {
        let token = std::str::from_utf8(token.as_bytes()).expect("text");
        let (_, rest) = token.split_once('.').expect("three parts");
        let token = format!("{header}.{rest}").leak();
        BearerToken::from_compact(token).expect("sound")
    };
    let tokens: Vec<_> = tokens().iter().map(estrange).collect();
    (forever(house::verifier(10_000)), tokens.leak())
}

type Requests = &'static [(Http1Request<'static>, Admission)];

/// A house where every caller has been before, and whose assertions are signed.
fn busy(revoked: usize) -> (&'static House, Requests) {
    let house = forever(House::new(10, revoked));
    let requests: Vec<_> = heads()
        .iter()
        .map(|head| {
            let request = house::read(head);
            let admission = house.admit(&request);
            house.forward(&request, &admission);
            (request, admission)
        })
        .collect();
    (house, requests.leak())
}

fn revoked(count: usize) -> (&'static Revocations, &'static [Verified]) {
    let (verifier, tokens) = known();
    let verify = |token: &BearerToken<'static>| verifier.verify(*token, None, house::NOW);
    let verified: Vec<_> = tokens.iter().flat_map(verify).collect();
    (forever(house::revocations(count)), verified.leak())
}

fn routes(count: usize) -> &'static (RouteTable, Host, RequestPath) {
    forever(house::table(count))
}

#[library_benchmark(setup = heads)]
fn head_parse(heads: &'static [&'static [u8]]) {
    for head in heads {
        black_box(house::read(black_box(head)));
    }
}

#[library_benchmark]
#[bench::plain("/r0/items/42?page=2")]
#[bench::escaped("/a/./b//c/../%7Euser/caf%C3%A9;v=1")]
fn path_canonicalise(target: &str) {
    for _ in 0..TIMES {
        let _ = black_box(RequestPath::parse(black_box(target)));
    }
}

#[library_benchmark(setup = authorizations)]
fn bearer_parse(authorizations: &'static [String]) {
    for authorization in authorizations {
        let _ = black_box(BearerToken::parse(black_box(authorization.as_bytes())));
    }
}

#[library_benchmark]
#[bench::known(setup = known)]
#[bench::up_to_the_signature(setup = strangers)]
fn verify((verifier, tokens): (&'static Verifier, &'static [BearerToken<'static>])) {
    for token in tokens {
        let _ = black_box(verifier.verify(black_box(*token), None, house::NOW));
    }
}

#[library_benchmark(setup = routes)]
#[bench::of_10(10)]
#[bench::of_10_000(10_000)]
fn route_lookup((table, host, path): &'static (RouteTable, Host, RequestPath)) {
    for _ in 0..TIMES {
        black_box(house::look_up(table, host, black_box(path)));
    }
}

// Of tokens that nobody has looked for since something was revoked. A doc comment is no attribute that the macro takes.
#[library_benchmark(setup = revoked)]
#[bench::of_0(0)]
#[bench::of_10_000(10_000)]
fn revocation_check((revocations, verified): (&'static Revocations, &'static [Verified])) {
    for verified in verified {
        black_box(revocations.find(black_box(verified), house::NOW));
    }
}

#[library_benchmark(setup = busy)]
#[bench::nothing_revoked(0)]
#[bench::revoked_10_000(10_000)]
fn gate_admit((house, requests): (&'static House, Requests)) {
    for (request, _) in requests {
        black_box(house.admit(black_box(request)));
    }
}

#[library_benchmark]
#[bench::assertion_cached(args = (0), setup = busy)]
fn forward_fields((house, requests): (&'static House, Requests)) {
    for (request, admission) in requests {
        black_box(house.forward(black_box(request), admission));
    }
}

library_benchmark_group!(
    name = core,
    benchmarks = [
        head_parse,
        path_canonicalise,
        bearer_parse,
        verify,
        route_lookup,
        revocation_check,
        gate_admit,
        forward_fields
    ]
);

main!(library_benchmark_groups = core);
