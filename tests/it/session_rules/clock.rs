//! A clock that the test sets: the real binary, with another time of day (`tests/clients/clock.c`).

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::support::{client_file, now, output};

/// The time of day of one gateway.
pub struct TestClock {
    file: File,
    moved_ms: AtomicI64,
    variables: Vec<(&'static str, PathBuf)>,
}

impl TestClock {
    pub fn new(folder: &Path) -> Self {
        let (library, path) = (folder.join("clock.so"), folder.join("clock"));
        let mut compile = Command::new("cc");
        compile
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library);
        output(compile.arg(client_file("clock.c")));
        let file = File::create(&path).unwrap();
        let clock = Self {
            file,
            moved_ms: AtomicI64::new(0),
            variables: vec![("LD_PRELOAD", library), ("TEST_CLOCK", path)],
        };
        clock.shift(0);
        clock
    }

    /// What the gateway needs in its environment to see this clock.
    pub fn variables(&self) -> Vec<(&'static str, PathBuf)> {
        self.variables.clone()
    }

    /// Moves the clock at once, either way.
    pub fn shift(&self, seconds: i64) {
        let moved = self.moved_ms.fetch_add(seconds * 1000, Ordering::SeqCst) + seconds * 1000;
        self.file.write_all_at(&moved.to_ne_bytes(), 0).unwrap();
    }

    /// Seconds since the epoch, as the gateway sees them.
    pub fn now(&self) -> u64 {
        now().saturating_add_signed(self.moved_ms.load(Ordering::SeqCst) / 1000)
    }
}
