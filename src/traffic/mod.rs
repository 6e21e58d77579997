//! Which server of an upstream takes the next request, whether a body comes fast enough, and who is counted as one. Knows
//! requests in flight, refused connections and bytes as numbers; opens no socket, reads no clock, draws no entropy.

mod balance;
mod pace;
mod subscriber;

pub use balance::{Candidate, Standing, choose};
pub use pace::Pace;
pub use subscriber::subscriber;
