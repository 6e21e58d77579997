//! The real gateway under load from other processes: slow connections, what they cost, and bodies that never end. A binary
//! of its own, so that nothing else of the tests runs meanwhile; one test at a time. The small counts run always, the full
//! ones with `./tests/run.sh --long`.

#![expect(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests read files, print figures, and panic where an assumption does not hold"
)]

mod bodies;
mod memory;
mod pace;
mod slow;
mod stream;
#[expect(
    dead_code,
    unused_imports,
    reason = "shared with the tests that measure nothing"
)]
#[path = "../it/support/mod.rs"]
mod support;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use support::Gateway;

/// How long the gateway may take to accept all connections of a test.
const ACCEPT_MAX: Duration = Duration::from_secs(60);

/// The machine for one test alone.
fn alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The resident memory of a process, in bytes.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kib.trim().parse::<u64>().unwrap() << 10
}

/// Open connections, as the gateway counts them.
fn connections(gateway: &Gateway) -> usize {
    gateway.metric("tollgate_connections", &["listener=\"public\""]) as usize
}

/// Waits until the gateway holds so many: the system opens connections for it before it takes them.
fn until_accepted(gateway: &Gateway, count: usize) {
    let deadline = Instant::now() + ACCEPT_MAX;
    while connections(gateway) < count {
        assert!(
            Instant::now() < deadline,
            "{} of {count}",
            connections(gateway)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}
