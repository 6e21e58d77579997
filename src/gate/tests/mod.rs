//! The decision, asked with heads and tokens that have one thing wrong.

mod assertions;
mod correlation;
mod explained;
mod forwarding;
mod house;
mod requests;
mod revoked;
mod sessions;
mod verdicts;
