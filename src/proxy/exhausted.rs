//! Whose trouble it is that there is no socket: the process's own, or the other end's; and how many files it keeps from
//! both, so that it can be asked and told what to do while others take all they get.

use std::io;
use std::os::fd::AsRawFd;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// What is the process's trouble and not the connection's (accept(2), socket(2)).
const EXHAUSTED: [Errno; 4] = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];

/// Whether the process can have no more sockets for now.
pub(super) fn is_exhausted(error: &io::Error) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| EXHAUSTED.contains(&errno))
}

/// Files that clients do not get: for servers, and the half of them that servers do not get either for the admin listener,
/// the configuration, keys, hooks and logs.
const SPARED_MAX: u64 = 128;

/// Numbers that sockets may have. A new one has the lowest that is free: at least as many are open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    clients: u64,
    servers: u64,
}

impl Shares {
    /// Those of this process, by the limit that it has now.
    pub(super) fn of_process() -> Self {
        Self::of(getrlimit(Resource::Nofile).current)
    }

    /// Of so many files, or of any number.
    fn of(allowed: Option<u64>) -> Self {
        let allowed = allowed.unwrap_or(u64::MAX);
        let spared = SPARED_MAX.min(allowed / 4);
        Self {
            clients: allowed - spared,
            servers: allowed - spared / 2,
        }
    }

    /// Whether a client may have this socket.
    pub(super) fn is_for_client(self, socket: &impl AsRawFd) -> bool {
        is_below(self.clients, socket)
    }

    /// Whether a server may have this socket.
    ///
    /// # Errors
    /// What the system says when there is none left.
    pub(super) fn for_server(self, socket: &impl AsRawFd) -> io::Result<()> {
        match is_below(self.servers, socket) {
            true => Ok(()),
            false => Err(Errno::MFILE.into()),
        }
    }
}

fn is_below(share: u64, socket: &impl AsRawFd) -> bool {
    u64::try_from(socket.as_raw_fd()).is_ok_and(|number| number < share)
}

#[cfg(test)]
mod tests {
    use super::Shares;

    #[test]
    fn clients_leave_files_to_servers_and_both_to_the_process() {
        for (allowed, clients, servers) in
            [(64, 48, 56), (1024, 896, 960), (65_536, 65_408, 65_472)]
        {
            let shares = Shares::of(Some(allowed));
            assert_eq!((shares.clients, shares.servers), (clients, servers));
        }
        assert!(Shares::of(None).clients > 1 << 60);
    }
}
