//! The single writer of the world: reload, keys, names. Whatever changes what requests are judged by is an event for one
//! task, which puts a new [`Gate`](crate::gate::Gate) together and publishes it whole, so a reload and a key rotation
//! can never publish over each other.
//!
//! ```text
//! let world = World::start(path, clock, telemetry).await?; // loads, restores, fetches (≤ 2 s): generation 1
//! world.gate()          Arc<Live<Gate>>                    // what requests load
//! world.keys()          Arc<Keys>                          // what they ask for unknown keys
//! world.names()         Arc<Names>                         // where servers are
//! world.certificates()  Arc<Live<Certificates>>            // what listeners show
//! world.hooks()         Arc<Live<HookClients>>             // whom sessions ask
//! world.board()         Arc<Board>                         // /readyz, /api/status
//! world.ledger()        Arc<Ledger>                        // what became of every key
//! world.handle()        Handle                             // /api/reload, /api/keys/distrust
//! world.keep().await;                                      // writes down what a restart must know
//! world.run(shutdown).await;                               // drives it all until `shutdown` ends
//! ```

mod causes;
mod certificates;
mod clock;
mod entropy;
mod event;
mod fetchers;
mod files;
mod hook;
mod key_record;
mod keys;
mod ledger;
mod live;
mod load;
mod names;
mod state;
mod status;
mod surroundings;
#[cfg(test)]
mod tests;
mod trust;
mod watch;
mod world;
mod writer;

pub use causes::with_causes;
pub use certificates::{Certificate, Certificates, ListenerCertificates};
pub use clock::SystemClock;
pub use entropy::{fresh, gather_entropy};
pub use event::{Busy, DistrustError, Distrusted, Handle, Reloaded};
pub use files::{DiskFiles, FILE_BYTES_MAX, Readings};
pub use hook::{HookCall, HookClient, HookClients, HookError};
pub use key_record::KeyRecord;
pub use keys::Keys;
pub use ledger::{Ledger, LedgerView};
pub use live::Live;
pub use load::{LoadError, Loaded, Source, load};
pub use names::Names;
pub use status::{Board, IssuerState, IssuerStatus, KeyOrigin, LastReload, ReloadOutcome, Status};
pub use trust::client as client_tls;
pub use world::World;
pub use writer::StartError;
