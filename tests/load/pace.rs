//! How long normal requests take.

use std::time::{Duration, Instant};

use crate::support::{Client, Gateway};

/// Connections that ask one request after the other.
const CLIENTS: usize = 4;
/// Between two requests of one connection: a load that any machine carries, so that waiting is what is measured.
const PAUSE: Duration = Duration::from_millis(5);

/// The time below which 99 of 100 requests are answered, seen for `span`; for each gateway, in the same seconds, so that
/// what the machine does to one of them it does to all. Every answer must be a 200.
pub fn p99<const N: usize>(gateways: [&Gateway; N], bearer: &str, span: Duration) -> [Duration; N] {
    std::thread::scope(|scope| {
        let clients = gateways.map(|gateway| {
            [(); CLIENTS].map(|()| scope.spawn(|| times(gateway.client(), bearer, span)))
        });
        clients.map(|of_one| {
            let times = of_one.into_iter().map(|client| client.join().unwrap());
            let mut times: Vec<Duration> = times.flatten().collect();
            times.sort_unstable();
            times[times.len() * 99 / 100]
        })
    })
}

fn times(mut client: Client, bearer: &str, span: Duration) -> Vec<Duration> {
    let end = Instant::now() + span;
    let mut times = Vec::new();
    while Instant::now() < end {
        let began = Instant::now();
        let answer = client.get("/crm/x", &[bearer]);
        times.push(began.elapsed());
        assert_eq!(answer.status, 200, "{answer:?}");
        std::thread::sleep(PAUSE);
    }
    times
}
