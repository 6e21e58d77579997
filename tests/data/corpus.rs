//! Reads the corpora beside this file, rows of `verdict | bytes | note`, and those of the fuzz targets. Knows their
//! format and nothing of HTTP.

/// One row of a corpus.
#[derive(Debug)]
pub(crate) struct Row {
    /// What is expected.
    pub(crate) verdict: &'static str,
    /// What is sent.
    pub(crate) bytes: Vec<u8>,
    /// What it tries.
    pub(crate) note: &'static str,
}

/// All rows of a corpus; empty lines and lines that begin with `#` are left out.
pub(crate) fn rows(text: &'static str) -> Vec<Row> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| match line.split(" | ").collect::<Vec<_>>()[..] {
            [verdict, bytes, note] => Row {
                verdict,
                bytes: unescape(bytes),
                note,
            },
            _ => panic!("not `verdict | bytes | note`: {line}"),
        })
        .collect()
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let taken = match escape.as_bytes().first() {
            Some(b'r') => push(&mut bytes, b'\r'),
            Some(b'n') => push(&mut bytes, b'\n'),
            Some(b't') => push(&mut bytes, b'\t'),
            Some(b'0') => push(&mut bytes, 0),
            Some(b'p') => push(&mut bytes, b'|'),
            Some(b'\\') => push(&mut bytes, b'\\'),
            Some(b'x') => {
                let byte = u8::from_str_radix(&escape[1..3], 16);
                push(&mut bytes, byte.expect("two digits behind \\x")) + 2
            }
            Some(b'{') => {
                let end = escape.find('}').expect("an end of the repetition");
                let (times, what) = escape[1..end].split_once(' ').expect("times and what");
                let times = times.parse().expect("how many times");
                bytes.extend(unescape(what).repeat(times));
                end + 1
            }
            _ => panic!("an unknown escape: {text}"),
        };
        rest = &escape[taken..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

fn push(bytes: &mut Vec<u8>, byte: u8) -> usize {
    bytes.push(byte);
    1
}

/// Hands every file of the fuzz corpus of `target` to `check`; there is at least one.
#[expect(
    clippy::disallowed_methods,
    reason = "files are what a replay is about"
)]
pub(crate) fn replay(target: &str, check: impl Fn(&[u8])) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fuzz/corpus");
    let files = std::fs::read_dir(format!("{folder}/{target}")).expect("a corpus");
    let mut seen = 0;
    for file in files {
        let path = file.expect("an entry").path();
        check(&std::fs::read(path).expect("a readable file"));
        seen += 1;
    }
    assert!(seen > 0, "the corpus of {target} is empty");
}
