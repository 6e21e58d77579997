//! Whose trouble it is that there is no socket: the process's own, or the other end's.

use std::io;

use rustix::io::Errno;

/// What is the process's trouble and not the connection's (accept(2), socket(2)).
const EXHAUSTED: [Errno; 4] = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];

/// Whether the process can have no more sockets for now.
pub(super) fn is_exhausted(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| EXHAUSTED.contains(&errno))
}
