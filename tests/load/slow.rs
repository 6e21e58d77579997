//! Thousands of slow connections: normal requests do not wait for them, and each is closed by its deadline.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::pace::p99;
use crate::support::{Gateway, Issuer, Process, Upstream, client_file, free_address, python};
use crate::{alone, connections, resident, until_accepted};

/// How much slower normal requests may be among slow connections.
const FACTOR: u32 = 3;
/// What is never called slow: a few turns of the scheduler, where gateway, load and upstream share two cores.
const FLOOR: Duration = Duration::from_millis(50);
/// How much later than its deadline the last connection may be seen closed: the load is one thread of Python, and a gateway
/// without optimisation writes thousands of refusals in the same second.
const LATE_MAX: Duration = Duration::from_secs(5);
/// The most memory that a connection costs which has said nothing, in bytes.
const IDLE_BYTES_MAX: u64 = 8 << 10;

/// How large a run is.
struct Size {
    /// Connections of one kind alone.
    alone: usize,
    /// Connections of each kind at once.
    each: usize,
    /// The deadline of all of them.
    deadline: Duration,
    /// How long normal requests are watched.
    watched: Duration,
}

fn gateway(upstream: &Upstream, sink: &str, issuer: &Issuer, deadline: Duration) -> Gateway {
    let config = format!(
        r#"
[listeners.public]
address = "ADDRESS"
header_timeout = "{secs}s"
body_timeout = "{secs}s"
idle_timeout = "{secs}s"

[issuers.main]
issuer = "https://auth.example.com"
audiences = ["https://api.example.com"]
algorithms = ["ES256"]
jwks_file = "jwks.json"

[products.crm]

[upstreams.app]
servers = ["{app}"]
[upstreams.sink]
servers = ["{sink}"]
connect_timeout = "30s"

[routes.crm]
path = "/crm/*"
product = "crm"
upstream = "app"
[routes.slow]
path = "/slow"
access = "public"
upstream = "sink"
"#,
        secs = deadline.as_secs(),
        app = upstream.address,
    );
    Gateway::start(&config, &[("jwks.json", &issuer.jwks())])
}

fn check(size: &Size) {
    let _machine = alone();
    let (upstream, issuer) = (Upstream::start(), Issuer::new("https://auth.example.com"));
    let sink = free_address().to_string();
    let gateway = gateway(&upstream, &sink, &issuer, size.deadline);
    let bearer = issuer.bearer();
    // Another one, on which nothing lies: what it shows in the same seconds is the quiet figure on this machine.
    let spare = self::gateway(&upstream, &sink, &issuer, size.deadline);
    // The first requests of a process pay for what the others find.
    p99([&gateway, &spare], &bearer, Duration::from_secs(1));
    let quiet = p99([&gateway, &spare], &bearer, size.watched);
    println!("nothing held: p99 {quiet:?}");

    let (alone, each) = (size.alone, size.each);
    let runs = [
        vec![("idle", alone)],
        vec![("header", alone)],
        vec![("body", alone)],
        vec![("idle", each), ("header", each), ("body", each)],
    ];
    for run in runs {
        let before = resident(gateway.pid());
        let mut load = Process::start(
            Command::new(python())
                .arg(client_file("hold.py"))
                .args([&gateway.public.to_string(), &sink])
                .args(run.iter().map(|(kind, count)| format!("{kind}={count}"))),
        );
        let count: usize = run.iter().map(|(_, count)| count).sum();
        until_accepted(&gateway, count);
        let held = Instant::now();
        let grown = resident(gateway.pid()).saturating_sub(before);
        let [among, quiet] = p99([&gateway, &spare], &bearer, size.watched);
        let still = connections(&gateway);
        let ended: serde_json::Value = serde_json::from_str(&load.line()).expect("a result");
        let lasted = held.elapsed();
        let per_connection = grown / u64::try_from(count).unwrap();
        println!(
            "{run:?}: p99 {among:?}, quiet {quiet:?}, {per_connection} bytes a connection, \
             the last was closed after {lasted:?}: {ended}"
        );
        assert!(
            still >= count,
            "{still} of {count} were held to the end of the watch"
        );
        assert!(
            among <= FLOOR.max(quiet * FACTOR),
            "{run:?}: {among:?}, quiet {quiet:?}"
        );
        assert!(lasted <= size.deadline + LATE_MAX, "{run:?}: {lasted:?}");
        for (kind, count) in &run {
            assert_closed(&ended[kind], kind, *count);
        }
        if run.len() == 1 && run[0].0 == "idle" {
            assert!(per_connection <= IDLE_BYTES_MAX, "{per_connection} bytes");
        }
    }
}

fn assert_closed(ended: &serde_json::Value, kind: &str, count: usize) {
    assert_eq!(ended["closed"], count, "{kind}");
    // An idle connection is closed without a word, a slow request is told so.
    let told = if kind == "idle" { "" } else { "408" };
    assert_eq!(ended["statuses"][told], count, "{kind}: {ended}");
}

#[test]
fn hundreds_of_slow_connections_starve_nobody() {
    check(&Size {
        alone: 500,
        each: 300,
        deadline: Duration::from_secs(8),
        watched: Duration::from_secs(2),
    });
}

#[test]
#[ignore = "five minutes, and 20,000 open files in one process"]
fn thousands_of_slow_connections_starve_nobody() {
    check(&Size {
        alone: 5000,
        each: 3000,
        deadline: Duration::from_secs(60),
        watched: Duration::from_secs(10),
    });
}
