//! How many connections a listener has, all together and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::traffic::subscriber;

/// Counts open connections.
#[derive(Debug, Default)]
pub(super) struct Caps {
    open: Mutex<Open>,
}

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) all: usize,
    pub(super) per_address: usize,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One open connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    caps: Arc<Caps>,
    address: IpAddr,
}

impl Caps {
    /// A place for one more connection from `address`, if there is one.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr, most: Most) -> Option<Place> {
        let address = subscriber(address);
        let mut open = self.open();
        let from_here = open.by_address.get(&address).copied().unwrap_or(0);
        if open.all >= most.all || from_here >= most.per_address {
            return None;
        }
        open.all += 1;
        open.by_address.insert(address, from_here + 1);
        Some(Place {
            caps: self.clone(),
            address,
        })
    }

    /// The counts are sound even if a thread panicked: every change is one call.
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.caps.open();
        open.all -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Caps, Most};

    #[test]
    fn one_address_cannot_take_every_place() {
        let caps = Arc::new(Caps::default());
        let most = Most {
            all: 3,
            per_address: 2,
        };
        let (here, there) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = caps.enter(here, most).unwrap();
        let _second = caps.enter(here, most).unwrap();
        assert!(caps.enter(here, most).is_none());
        let _third = caps.enter(there, most).unwrap();
        assert!(caps.enter(there, most).is_none(), "the listener is full");
        drop(first);
        assert!(caps.enter(there, most).is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let caps = Arc::new(Caps::default());
        let most = Most {
            all: 9,
            per_address: 1,
        };
        let _place = caps.enter("2001:db8::1".parse().unwrap(), most).unwrap();
        assert!(
            caps.enter("2001:db8::ffff:2".parse().unwrap(), most)
                .is_none()
        );
        assert!(
            caps.enter("2001:db8:0:1::1".parse().unwrap(), most)
                .is_some()
        );
    }
}
