//! Large bodies in both directions: they arrive whole, and the gateway holds only what is on its way.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::stream::{BLOCK_BYTES, Body, content_length, read_head, upstream};
use crate::support::Gateway;
use crate::{alone, resident};

/// How fast a steady body comes, in bytes a second.
const RATE: u64 = 10_000_000;
/// How much a gateway may grow while steady bodies pass.
const GROWTH_MAX: u64 = 20_000_000;
/// What comes before memory is looked at: the first buffers.
const WARM: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(100);

fn gateway() -> Gateway {
    let config = format!(
        "[listeners.public]\naddress = \"ADDRESS\"\nbody_bytes_max = \"2GiB\"\n\
         [upstreams.app]\nservers = [\"{}\"]\n\
         [routes.all]\npath = \"/*\"\naccess = \"public\"\nupstream = \"app\"\n",
        upstream()
    );
    Gateway::start(&config, &[])
}

/// Waits until `sent` bytes are due.
fn keep_pace(began: Instant, sent: u64, rate: Option<u64>) {
    let Some(rate) = rate else { return };
    let due = Duration::from_secs_f64(sent as f64 / rate as f64);
    std::thread::sleep(due.saturating_sub(began.elapsed()));
}

/// Sends a body and returns its hash, and the hash that the upstream saw.
fn upload(gateway: &Gateway, length: u64, rate: Option<u64>) -> (String, String) {
    let mut stream = TcpStream::connect(gateway.public).unwrap();
    write!(
        stream,
        "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
    )
    .unwrap();
    let (mut body, mut hasher) = (Body::new(length), blake3::Hasher::new());
    let (began, mut sent) = (Instant::now(), 0);
    while let Some(block) = body.next() {
        stream.write_all(block).unwrap();
        hasher.update(block);
        sent += block.len() as u64;
        keep_pace(began, sent, rate);
    }
    let mut reader = BufReader::new(stream);
    let head = read_head(&mut reader).expect("an answer");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let mut seen = vec![0; usize::try_from(content_length(&head)).unwrap()];
    std::io::Read::read_exact(&mut reader, &mut seen).unwrap();
    (
        hasher.finalize().to_hex().to_string(),
        String::from_utf8(seen).unwrap(),
    )
}

/// Reads a body and returns its hash, and what it must be.
fn download(gateway: &Gateway, length: u64, rate: Option<u64>) -> (String, String) {
    let mut stream = TcpStream::connect(gateway.public).unwrap();
    write!(stream, "GET /{length} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut reader = BufReader::with_capacity(BLOCK_BYTES, stream);
    let head = read_head(&mut reader).expect("an answer");
    assert_eq!(content_length(&head), length, "{head}");
    let (mut body, mut expected) = (Body::new(length), blake3::Hasher::new());
    while let Some(block) = body.next() {
        expected.update(block);
    }
    let (began, mut seen, mut hasher) = (Instant::now(), 0, blake3::Hasher::new());
    let mut block = vec![0; BLOCK_BYTES];
    while seen < length {
        let came = std::io::Read::read(&mut reader, &mut block).unwrap();
        assert!(came > 0, "the body ended at {seen}");
        hasher.update(&block[..came]);
        seen += came as u64;
        keep_pace(began, seen, rate);
    }
    let hex = |hasher: blake3::Hasher| hasher.finalize().to_hex().to_string();
    (hex(hasher), hex(expected))
}

fn check_steady(span: Duration) {
    let _machine = alone();
    let gateway = gateway();
    let over = AtomicBool::new(false);
    let length = RATE * span.as_secs();
    let (least, most) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| {
            std::thread::sleep(WARM);
            let first = resident(gateway.pid());
            let mut seen = (first, first);
            while !over.load(Ordering::Relaxed) {
                let now = resident(gateway.pid());
                seen = (seen.0.min(now), seen.1.max(now));
                std::thread::sleep(LOOK_EVERY);
            }
            seen
        });
        let up = scope.spawn(|| upload(&gateway, length, Some(RATE)));
        let down = scope.spawn(|| download(&gateway, length, Some(RATE)));
        let (up, down) = (up.join(), down.join());
        over.store(true, Ordering::Relaxed);
        for (sent, seen) in [up.unwrap(), down.unwrap()] {
            assert_eq!(sent, seen);
        }
        looking.join().unwrap()
    });
    println!("{length} bytes each way: {least} to {most} bytes resident");
    assert!(most - least < GROWTH_MAX, "from {least} to {most}");
}

#[test]
fn steady_bodies_leave_memory_flat() {
    check_steady(Duration::from_secs(5));
}

#[test]
#[ignore = "a minute"]
fn steady_bodies_leave_memory_flat_for_a_minute() {
    check_steady(Duration::from_secs(60));
}

fn check_whole(length: u64) {
    let _machine = alone();
    let gateway = gateway();
    let before = resident(gateway.pid());
    let began = Instant::now();
    for (sent, seen) in [
        upload(&gateway, length, None),
        download(&gateway, length, None),
    ] {
        assert_eq!(sent, seen);
    }
    let grown = resident(gateway.pid()).saturating_sub(before);
    println!(
        "{length} bytes up and down in {:?}, {grown} bytes more resident",
        began.elapsed()
    );
    assert!(grown < GROWTH_MAX, "{grown}");
}

#[test]
fn a_large_body_arrives_whole_in_both_directions() {
    check_whole(64 << 20);
}

#[test]
#[ignore = "2 GB pass the gateway"]
fn a_gigabyte_arrives_whole_in_both_directions() {
    check_whole(1 << 30);
}
