//! A target: refused, or its own canonical form, in which no server finds a segment to resolve.

use tollgate::policy::{Host, RequestPath};

pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(host) = Host::parse(&text) {
        assert_eq!(Host::parse(host.as_str()), Ok(host));
    }
    let Ok(path) = RequestPath::parse(&text) else {
        return;
    };
    assert_eq!(RequestPath::parse(path.target()).as_ref(), Ok(&path));
    assert!(path.target().bytes().all(|byte| byte.is_ascii_graphic()));
    for reading in [path.decoded()].into_iter().chain(path.other_readings()) {
        let mut segments = reading.split('/').skip(1).peekable();
        while let Some(segment) = segments.next() {
            assert!(segment != "." && segment != ".." && !segment.contains('\\'));
            assert!(!segment.is_empty() || segments.peek().is_none());
        }
    }
    for (at, _) in path.as_str().match_indices('/') {
        if let Ok(rest) = path.without_prefix(&path.as_str()[..at]) {
            assert!(path.target().ends_with(rest.target()) || rest.as_str() == "/");
        }
    }
}
