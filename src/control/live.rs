//! A value that is replaced whole while others read it. The only `ArcSwap` of the house; knows nothing of what it holds.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;

/// A shared value that one writer replaces and many readers load without a lock.
pub struct Live<T>(ArcSwap<T>);

impl<T> Live<T> {
    /// Begins with `value`.
    pub fn new(value: Arc<T>) -> Self {
        Self(ArcSwap::new(value))
    }

    /// The value of this moment. It stays whole however long the caller keeps it.
    pub fn load(&self) -> Arc<T> {
        self.0.load_full()
    }

    /// Looks at the value of this moment without keeping it.
    pub fn look<R>(&self, at: impl FnOnce(&T) -> R) -> R {
        at(&self.0.load())
    }

    /// Replaces the value: whoever loads from now on gets `value`.
    pub fn publish(&self, value: Arc<T>) {
        self.0.store(value);
    }

    /// Whether `seen` is still the value of this moment.
    pub fn is_current(&self, seen: &Arc<T>) -> bool {
        Arc::ptr_eq(&self.0.load(), seen)
    }
}

impl<T> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Live(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Live;

    #[test]
    fn a_loaded_value_outlives_its_replacement() {
        let live = Live::new(Arc::new(1));
        let seen = live.load();
        live.publish(Arc::new(2));
        assert_eq!((*seen, *live.load()), (1, 2));
    }

    #[test]
    fn a_replaced_value_is_not_current() {
        let live = Live::new(Arc::new(1));
        let seen = live.load();
        assert!(live.is_current(&seen));
        live.publish(Arc::new(1));
        assert!(!live.is_current(&seen));
    }
}
