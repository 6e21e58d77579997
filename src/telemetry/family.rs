//! One metric with labels: a bounded map from label values to series. Knows how Prometheus wants series collected;
//! knows none of our metrics.
//!
//! The library's own vectors find a series by a hash over its label values without separators, so that the labels
//! (`a`, `bc`) and (`ab`, `c`) meet in one series. Here the values themselves are the key.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntGauge, Opts};

/// What a series can be made of.
pub(super) trait Series: Collector + Clone {
    /// Its type in Prometheus' text format.
    const KIND: &'static str;

    /// A fresh one at zero.
    fn begin(opts: Opts) -> prometheus::Result<Self>;
}

impl Series for IntCounter {
    const KIND: &'static str = "counter";

    fn begin(opts: Opts) -> prometheus::Result<Self> {
        Self::with_opts(opts)
    }
}

impl Series for IntGauge {
    const KIND: &'static str = "gauge";

    fn begin(opts: Opts) -> prometheus::Result<Self> {
        Self::with_opts(opts)
    }
}

impl Series for Gauge {
    const KIND: &'static str = "gauge";

    fn begin(opts: Opts) -> prometheus::Result<Self> {
        Self::with_opts(opts)
    }
}

impl Series for Histogram {
    const KIND: &'static str = "histogram";

    fn begin(opts: Opts) -> prometheus::Result<Self> {
        Self::with_opts(HistogramOpts::from(opts).buckets(BUCKETS_SECONDS.to_vec()))
    }
}

/// All series of one metric with `N` labels.
#[derive(Debug)]
pub(super) struct Family<M, const N: usize> {
    name: &'static str,
    help: &'static str,
    labels: [&'static str; N],
    desc: Desc,
    series: RwLock<BTreeMap<[Box<str>; N], M>>,
}

impl<M: Series, const N: usize> Family<M, N> {
    pub(super) fn new(name: &'static str, help: &'static str, labels: [&'static str; N]) -> Self {
        let names = labels.iter().map(ToString::to_string).collect();
        let desc = Desc::new(name.into(), help.into(), names, Default::default());
        Self {
            name,
            help,
            labels,
            desc: desc.expect("the name and the labels are literals"),
            series: RwLock::default(),
        }
    }

    /// The series of these label values. Allocates: what runs for every request keeps its series.
    pub(super) fn with(&self, values: [&str; N]) -> M {
        let key = values.map(Box::from);
        if let Some(series) = self.read().get(&key) {
            return series.clone();
        }
        let mut all = self.series.write().unwrap_or_else(PoisonError::into_inner);
        all.entry(key).or_insert_with(|| self.begin(values)).clone()
    }

    /// The series of these label values, if there is one.
    pub(super) fn find(&self, values: [&str; N]) -> Option<M> {
        self.read().get(&values.map(Box::from)).cloned()
    }

    /// All series, in the order of their label values.
    pub(super) fn all(&self) -> Vec<([Box<str>; N], M)> {
        let all = self.read();
        all.iter()
            .map(|(values, series)| (values.clone(), series.clone()))
            .collect()
    }

    /// Drops every series whose label values `keeps` does not like.
    pub(super) fn retain(&self, keeps: impl Fn(&[Box<str>; N]) -> bool) {
        let mut all = self.series.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|values, _| keeps(values));
    }

    fn begin(&self, values: [&str; N]) -> M {
        let labels = self.labels.iter().zip(values);
        let opts = labels.fold(Opts::new(self.name, self.help), |opts, (name, value)| {
            opts.const_label(*name, value)
        });
        M::begin(opts).expect("the name and the labels are literals")
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<[Box<str>; N], M>> {
        self.series.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the board holds of a family.
pub(super) struct Shelf<M, const N: usize>(pub(super) std::sync::Arc<Family<M, N>>);

impl<M: Series, const N: usize> Collector for Shelf<M, N> {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.0.desc]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let series = self.0.read();
        let mut families = series.values().flat_map(Collector::collect);
        let Some(mut whole) = families.next() else {
            return Vec::new();
        };
        let rest = families.flat_map(|mut family| family.take_metric());
        let metrics = whole.take_metric().into_iter().chain(rest).collect();
        whole.set_metric(metrics);
        vec![whole]
    }
}

/// Upper bounds of every histogram: from a cache hit to a slow upstream. Each costs memory in every series.
const BUCKETS_SECONDS: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];
