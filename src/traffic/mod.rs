//! Which server of an upstream takes the next request, and whether a body comes fast enough. Knows requests in flight,
//! refused connections and bytes as numbers; opens no socket, reads no clock, draws no entropy.

mod balance;
mod pace;

pub use balance::{Candidate, Standing, choose};
pub use pace::Pace;
