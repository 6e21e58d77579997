//! Handles that the identity service gave at a refresh that then failed. It may understand no earlier one by now, and take who
//! still shows it for a thief; so the next refresh shows them. They outlive configurations and end with the process.

use quick_cache::sync::Cache;

use super::id::TimedId;

/// Handles that no session keeps yet, by session and the generation that they were given to. Bounded: the one unused for
/// longest makes room.
pub struct Unkept(Cache<(TimedId, u64), String>);

impl std::fmt::Debug for Unkept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unkept")
    }
}

impl Default for Unkept {
    fn default() -> Self {
        Self(Cache::new(HANDLES_MAX))
    }
}

impl Unkept {
    pub(super) fn find(&self, session: TimedId, generation: u64) -> Option<String> {
        self.0.get(&(session, generation))
    }

    pub(super) fn note(&self, session: TimedId, generation: u64, given: &str) {
        self.0.insert((session, generation), given.to_owned());
    }

    /// Forgets what the store keeps by now.
    pub(super) fn forget(&self, session: TimedId, generation: u64) {
        self.0.remove(&(session, generation));
    }
}

/// Sessions that one outage of the store catches at their refresh.
const HANDLES_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::{TimedId, Unkept};

    #[test]
    fn what_the_store_keeps_is_forgotten_and_nothing_else() {
        let unkept = Unkept::default();
        let session = TimedId::parse("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
        unkept.note(session, 1, "a");
        unkept.note(session, 2, "b");
        unkept.forget(session, 1);
        assert_eq!(unkept.find(session, 1), None);
        assert_eq!(unkept.find(session, 2).as_deref(), Some("b"));
    }
}
