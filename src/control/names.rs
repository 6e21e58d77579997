//! Where servers are: names resolved in the background, so that no request waits for a resolver. A name that cannot be
//! resolved keeps its last good addresses.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::keys::{jittered, retry};
use super::live::Live;
use crate::config::Config;
use crate::config::model::ServerAddress;

/// How often names are resolved again, give or take a tenth.
const REFRESH: Duration = Duration::from_secs(30);
/// How many addresses of one name are kept.
const ADDRESSES_MAX: usize = 64;

type Book = HashMap<ServerAddress, Arc<[SocketAddr]>>;

/// The addresses of every configured server.
#[derive(Debug)]
pub struct Names {
    book: Live<Book>,
    writer: Mutex<()>,
    nowhere: Arc<[SocketAddr]>,
}

impl Default for Names {
    fn default() -> Self {
        Self::new()
    }
}

impl Names {
    /// Knows no address yet.
    pub fn new() -> Self {
        Self {
            book: Live::new(Arc::default()),
            writer: Mutex::new(()),
            nowhere: Arc::new([]),
        }
    }

    /// Where `server` is, in the resolver's order; empty while nobody knows. Never waits.
    pub fn addresses(&self, server: &ServerAddress) -> Arc<[SocketAddr]> {
        if let ServerAddress::Ip(address) = server {
            return Arc::new([*address]);
        }
        let found = self.book.load().get(server).cloned();
        found.unwrap_or_else(|| self.nowhere.clone())
    }

    /// Resolves every name of `config`, each for at most `patience`, and says which have no address at all.
    /// Servers that `config` does not name stay in the book until [`Names::forget`].
    pub(super) async fn resolve(&self, config: &Config, patience: Duration) -> BTreeSet<String> {
        let servers = servers(config);
        let found = join_all(servers.iter().map(|server| lookup(server, patience))).await;
        let news = servers.iter().cloned().zip(found);
        self.merge(news.filter(|(_, addresses)| !addresses.is_empty()));
        let book = self.book.load();
        let lost = servers.iter().filter(|server| !book.contains_key(*server));
        lost.map(ToString::to_string).collect()
    }

    /// Drops the servers that `config` does not name.
    pub(super) fn forget(&self, config: &Config) {
        let _writing = self.writer.lock().expect("nobody panics while writing");
        let servers = servers(config);
        let mut book = Book::clone(&self.book.load());
        book.retain(|server, _| servers.contains(server));
        self.book.publish(Arc::new(book));
    }

    fn merge(&self, news: impl Iterator<Item = (ServerAddress, Vec<SocketAddr>)>) {
        let _writing = self.writer.lock().expect("nobody panics while writing");
        let mut book = Book::clone(&self.book.load());
        for (server, addresses) in news {
            book.insert(server, addresses.into());
        }
        self.book.publish(Arc::new(book));
    }
}

/// The pause before names are resolved again. After `failures` times in a row at which one had no address at all, it is a
/// second that doubles up to [`REFRESH`]: a server that is started behind the gateway is found soon.
pub(super) fn pause(failures: u32, chance: f64) -> Duration {
    match failures {
        0 => jittered(REFRESH, chance),
        failures => retry(failures, REFRESH, chance),
    }
}

fn servers(config: &Config) -> Vec<ServerAddress> {
    let mut servers: Vec<ServerAddress> = Vec::new();
    for upstream in config.upstreams.values() {
        for server in &upstream.servers {
            if !servers.contains(server) {
                servers.push(server.clone());
            }
        }
    }
    servers
}

async fn lookup(server: &ServerAddress, patience: Duration) -> Vec<SocketAddr> {
    let (host, port) = match server {
        ServerAddress::Ip(address) => return vec![*address],
        ServerAddress::Name { host, port } => (host, *port),
    };
    let looked_up = timeout(patience, tokio::net::lookup_host((&**host, port))).await;
    match looked_up {
        Ok(Ok(addresses)) => addresses.take(ADDRESSES_MAX).collect(),
        Ok(Err(error)) => {
            tracing::warn!(%server, %error, "cannot resolve the server's name");
            Vec::new()
        }
        Err(_) => {
            tracing::warn!(%server, "the resolver does not answer");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::pause;

    #[test]
    fn a_name_without_an_address_is_looked_up_soon_and_then_ever_more_seldom() {
        for (failures, secs) in [(0, 30), (1, 1), (2, 2), (5, 16), (6, 30), (u32::MAX, 30)] {
            let pause = pause(failures, 0.5).as_secs_f64();
            assert_eq!(pause.round() as u64, secs, "{failures}");
        }
    }
}
