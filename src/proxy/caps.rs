//! How many connections a listener has, all together and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts open connections.
#[derive(Debug)]
pub(super) struct Caps {
    all_max: usize,
    per_address_max: usize,
    open: Mutex<Open>,
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
    pub(super) fn new(all_max: usize, per_address_max: usize) -> Arc<Self> {
        Arc::new(Self {
            all_max,
            per_address_max,
            open: Mutex::default(),
        })
    }

    /// A place for one more connection from `address`, if there is one.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = household(address);
        let mut open = self.open();
        let from_here = open.by_address.get(&address).copied().unwrap_or(0);
        if open.all >= self.all_max || from_here >= self.per_address_max {
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

/// Whoever has an IPv6 address has the /64 around it.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::Caps;

    #[test]
    fn one_address_cannot_take_every_place() {
        let caps = Caps::new(3, 2);
        let (here, there) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = caps.enter(here).unwrap();
        let _second = caps.enter(here).unwrap();
        assert!(caps.enter(here).is_none());
        let _third = caps.enter(there).unwrap();
        assert!(caps.enter(there).is_none(), "the listener is full");
        drop(first);
        assert!(caps.enter(there).is_some());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let caps = Caps::new(9, 1);
        let _place = caps.enter("2001:db8::1".parse().unwrap()).unwrap();
        assert!(caps.enter("2001:db8::ffff:2".parse().unwrap()).is_none());
        assert!(caps.enter("2001:db8:0:1::1".parse().unwrap()).is_some());
    }
}
