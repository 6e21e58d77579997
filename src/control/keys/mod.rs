//! Keys of remote issuers: fetched in the background, one task an issuer, so that the outage of one provider is nobody
//! else's and never a request's. A request that meets an unknown key may wait for a fetch, shortly ([`Keys::wanted`]).

mod discovery;
mod fetch;
mod flight;
mod held;
mod kept;
mod pace;
mod refresher;
mod source;

pub use flight::Keys;
pub(super) use flight::{Flight, Flights};
pub(super) use held::Holding;
pub(super) use pace::{jittered, retry};
pub(super) use refresher::Refresher;
