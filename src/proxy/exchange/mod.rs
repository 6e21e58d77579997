//! One exchange with a server, once there is a link: both bodies at once, what passes of the answer's head, a switch to
//! another protocol, and everything that may end it by time.

mod converse;
mod deadlines;
mod lifetime;
mod passing;
mod switch;
mod upload;

pub(super) use converse::exchange;
pub(super) use deadlines::time_is_up;
#[cfg(test)]
pub(super) use upload::LISTENS_MAX;
