//! The most specific route, found the slow way: every route is looked at, and the best one wins.

/// A route as the oracle knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) host: &'static str,
    pub(super) path: &'static str,
    pub(super) methods: &'static [&'static str],
}

/// What the oracle finds: a rule by its place, the methods of a known path, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    Rule(usize),
    Allowed(Vec<&'static str>),
    Unknown,
}

pub(super) fn find(rules: &[Rule], host: &str, segments: &[&str], method: &str) -> Fate {
    let candidates = rules.iter().enumerate().filter_map(|(at, rule)| {
        Some((
            (host_rank(rule.host, host)?, path_rank(rule.path, segments)?),
            at,
        ))
    });
    let candidates: Vec<_> = candidates.collect();
    let Some(best) = candidates.iter().map(|(rank, _)| rank).min() else {
        return Fate::Unknown;
    };
    let of_path: Vec<usize> = candidates
        .iter()
        .filter(|(rank, _)| rank == best)
        .map(|(_, at)| *at)
        .collect();
    let named = of_path
        .iter()
        .find(|at| rules[**at].methods.contains(&method));
    let any = of_path.iter().find(|at| rules[**at].methods.is_empty());
    match named.or(any) {
        Some(at) => Fate::Rule(*at),
        None => {
            let mut allowed: Vec<_> = of_path
                .iter()
                .flat_map(|at| rules[*at].methods)
                .copied()
                .collect();
            allowed.sort_unstable();
            Fate::Allowed(allowed)
        }
    }
}

/// Whether two rules match the same requests with neither more specific.
pub(super) fn tie(a: &Rule, b: &Rule) -> bool {
    let shape = |rule: &Rule| -> Vec<String> {
        let parts = rule.path.split('/');
        parts
            .map(|part| {
                if part.starts_with('{') {
                    "{}".into()
                } else {
                    part.into()
                }
            })
            .collect()
    };
    let overlap = match (a.methods, b.methods) {
        ([], []) => true,
        ([], _) | (_, []) => false,
        (a, b) => a.iter().any(|method| b.contains(method)),
    };
    a.host == b.host && shape(a) == shape(b) && overlap
}

/// The segments of a path, as this house counts them: the root has none.
pub(super) fn segments(path: &str) -> Vec<&str> {
    match path {
        "/" => Vec::new(),
        _ => path.split('/').skip(1).collect(),
    }
}

/// The smaller the more specific: exact, then the longest wildcard, then any.
fn host_rank(pattern: &str, host: &str) -> Option<usize> {
    match pattern.strip_prefix('*') {
        _ if pattern.is_empty() => Some(usize::MAX),
        None => (pattern == host).then_some(0),
        Some(suffix) => host.ends_with(suffix).then(|| 1000 - suffix.len()),
    }
}

/// The smaller the more specific, compared segment by segment: literal, parameter, the end, all below.
fn path_rank(pattern: &str, segments_of_path: &[&str]) -> Option<Vec<u8>> {
    let (head, below) = match pattern.strip_suffix("/*") {
        Some(head) => (head, true),
        None => (pattern, false),
    };
    let parts = if head.is_empty() {
        Vec::new()
    } else {
        segments(head)
    };
    let fits =
        parts.len() == segments_of_path.len() || (below && parts.len() < segments_of_path.len());
    let ranks = parts.iter().zip(segments_of_path).map(|(part, segment)| {
        if part.starts_with('{') {
            (!segment.is_empty()).then_some(1)
        } else {
            (part == segment).then_some(0)
        }
    });
    let ranks: Option<Vec<u8>> = ranks.chain([Some(if below { 3 } else { 2 })]).collect();
    ranks.filter(|_| fits)
}
