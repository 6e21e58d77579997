//! What a load has to know of answers: where one ends, whether it was a 200, and how long all of them took.

use std::time::Instant;

#[derive(Debug)]
pub struct Tally {
    began: Instant,
    pub bad: u64,
    pub latencies: Vec<u32>,
}

impl Tally {
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            bad: 0,
            latencies: Vec::new(),
        }
    }

    pub fn add(&mut self, since: Instant, status_is_200: bool) {
        self.bad += u64::from(!status_is_200);
        self.latencies.push(since.elapsed().as_micros() as u32);
    }

    pub fn line(&mut self) -> String {
        let micros = self.began.elapsed().as_micros();
        self.latencies.sort_unstable();
        let count = self.latencies.len();
        let at = |part: f64| self.latencies.get((count as f64 * part) as usize);
        let [p50, p99] = [0.5, 0.99].map(|part| at(part).copied().unwrap_or(0));
        format!("{count} {} {micros} {p50} {p99}", self.bad)
    }
}

/// One answer as it comes; it must have a Content-Length.
#[derive(Default)]
pub struct Answer {
    bytes: Vec<u8>,
    /// Status and whole length, once the head is there.
    head: Option<(bool, usize)>,
    is_whole: bool,
}

impl Answer {
    /// Whether it was a 200, once the answer is whole; then the next may come.
    pub fn take(&mut self, bytes: &[u8]) -> Option<bool> {
        if std::mem::take(&mut self.is_whole) {
            self.bytes.clear();
        }
        self.bytes.extend_from_slice(bytes);
        if self.head.is_none() {
            let end = self.bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
            self.head = Some(read_head(&self.bytes[..end]));
        }
        let (ok, length) = self.head?;
        if self.bytes.len() < length {
            return None;
        }
        self.head = None;
        self.is_whole = true;
        Some(ok)
    }

    /// The answer that [`Self::take`] found whole, until more is taken.
    pub fn whole(&self) -> &[u8] {
        &self.bytes
    }
}

fn read_head(head: &[u8]) -> (bool, usize) {
    let text = std::str::from_utf8(head).expect("a head in ASCII");
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().expect("a length"))
    });
    let length = length.expect("an answer with a Content-Length");
    (text.starts_with("HTTP/1.1 200"), head.len() + 4 + length)
}
