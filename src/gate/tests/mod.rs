//! The decision, asked with heads and tokens that have one thing wrong.

mod forwarding;
mod house;
mod verdicts;
