//! The decision, asked with heads and tokens that have one thing wrong.

mod assertions;
mod explained;
mod forwarding;
mod house;
mod revoked;
mod verdicts;
