//! May this caller use this route? Reads the one canonical path, finds the most specific route, compares what the
//! route requires with what the caller is proven to hold. Knows no socket and no header but what it is handed;
//! a [`Permit`] is born here and nowhere else.

mod decide;
mod escapes;
mod host;
mod path;
mod requirement;
mod route;
mod table;

pub use decide::{Caller, Denial, Pass, Permit, decide};
pub use host::Host;
pub use path::{PathError, RequestPath};
pub use requirement::Requirement;
pub use route::{Handling, HostPattern, Methods, Mode, PathPattern, Route};
pub use table::{Found, RouteTable, Tie};

#[cfg(test)]
mod tests;
