//! The addresses of a configuration: taken first, so that one which another process has is known before anything else
//! begins, and listened at last, so that nobody sees the process before it serves.

use std::net::{SocketAddr, TcpListener};

use super::refused::Refused;
use crate::config::Config;
use crate::proxy;

/// An address of the configuration, taken.
pub(super) struct Address {
    what: String,
    address: SocketAddr,
    pub(super) socket: TcpListener,
}

/// Every address that is served.
pub(super) struct Sockets {
    /// As many as there are listeners, in their order.
    pub(super) listeners: Vec<Address>,
    pub(super) admin: Option<Address>,
}

impl Sockets {
    /// Takes every address: one that another process has is known before anything else begins.
    pub(super) fn take(config: &Config) -> Result<Self, Refused> {
        let listeners = config.listeners.iter().map(|listener| {
            Address::take(format!("listeners.{}", listener.name), listener.address)
        });
        let admin = config.admin.as_ref();
        Ok(Self {
            listeners: listeners.collect::<Result<_, _>>()?,
            admin: admin
                .map(|admin| Address::take("admin".to_owned(), admin.address))
                .transpose()?,
        })
    }

    /// Listens at every one: nobody sees the process before, and nobody sees it ready before it is heard.
    pub(super) fn listen(&self) -> Result<(), Refused> {
        let mut all = self.listeners.iter().chain(&self.admin);
        all.try_for_each(Address::listen)
    }
}

impl Address {
    fn take(what: String, address: SocketAddr) -> Result<Self, Refused> {
        match proxy::take(address) {
            Ok(socket) => Ok(Self {
                what,
                address,
                socket,
            }),
            Err(error) => Err(Refused::Address {
                what,
                address,
                error,
            }),
        }
    }

    fn listen(&self) -> Result<(), Refused> {
        proxy::listen(&self.socket).map_err(|error| Refused::Address {
            what: self.what.clone(),
            address: self.address,
            error,
        })
    }
}
