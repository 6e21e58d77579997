//! How `explain` listens in: the serving walk calls a [`Trace`] at each step, and the silent one compiles to nothing.

/// Hears what each step of a decision saw.
pub trait Trace {
    /// One step; `saw` is only called by a listener.
    fn step(&mut self, name: &'static str, saw: impl FnOnce() -> String);
}

/// Hears nothing: the serving path.
#[derive(Debug)]
pub struct Silent;

impl Trace for Silent {
    fn step(&mut self, _: &'static str, _: impl FnOnce() -> String) {}
}

/// Keeps every step.
#[derive(Debug, Default)]
pub struct Recorder {
    /// Name and what was seen, in order.
    pub steps: Vec<(&'static str, String)>,
}

impl Trace for Recorder {
    fn step(&mut self, name: &'static str, saw: impl FnOnce() -> String) {
        self.steps.push((name, saw()));
    }
}
