//! stub
/// x
pub(crate) struct Refresher;
/// x
pub(crate) struct Surroundings;
