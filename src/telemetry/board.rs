//! The board on which every metric hangs, in Prometheus' text format. Knows none of them.

use prometheus::core::Collector;
use prometheus::{Registry, TextEncoder};

/// Shows what hangs on it.
#[derive(Debug, Default)]
pub(super) struct Board {
    registry: Registry,
    heads: Vec<Head>,
}

/// What is told of a metric before its series.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    /// As the format names it: `counter`, `gauge` or `histogram`.
    pub(super) kind: &'static str,
}

impl Board {
    pub(super) fn hang(&mut self, head: Head, series: impl Collector + 'static) {
        self.registry
            .register(Box::new(series))
            .expect("every metric has its own name");
        self.heads.push(head);
    }

    /// All of them. The library leaves out those that have no series yet; here they have their head, so that whoever
    /// writes an alarm finds every name from the start.
    pub(super) fn render(&self) -> String {
        let shown = self.registry.gather();
        let mut text = String::new();
        TextEncoder::new()
            .encode_utf8(&shown, &mut text)
            .expect("series are named and typed alike");
        for Head { name, help, kind } in &self.heads {
            if !shown.iter().any(|family| family.name() == *name) {
                text += &format!("# HELP {name} {help}\n# TYPE {name} {kind}\n");
            }
        }
        text
    }
}
