//! TLS of a listener, as clients meet it: by the real binary, over sockets.

mod certificates;
mod checked;
mod clients;
mod handshakes;
mod refusals;
mod servers;
mod swap;

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use crate::support::{Gateway, Upstream};
use certificates::{Authority, Leaf};

type Tls = StreamOwned<ClientConnection, TcpStream>;

const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];
/// Longer than any deadline that a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A gateway that speaks TLS, and who vouches for it.
struct House {
    gateway: Gateway,
    authority: Authority,
    _upstream: Upstream,
}

impl House {
    /// A house with a certificate for each of `names`; `listener` are more keys of its listener, `files` lie beside.
    fn with(names: &[&str], listener: &str, files: &[(&str, &str)]) -> Self {
        let (upstream, authority) = (Upstream::start(), Authority::new("the gateway's"));
        let leaves: Vec<(String, Leaf)> = names
            .iter()
            .map(|name| ((*name).to_owned(), authority.leaf(name)))
            .collect();
        let listed = |ending: &str| {
            let files = names.iter().map(|name| format!("\"file:{name}.{ending}\""));
            files.collect::<Vec<_>>().join(", ")
        };
        let config = format!(
            "[listeners.public]\naddress = \"ADDRESS\"\ncertificate = [{}]\nkey = [{}]\n{listener}\n\
             [upstreams.app]\nservers = [\"{}\"]\n\
             [routes.all]\npath = \"/*\"\naccess = \"public\"\nupstream = \"app\"\n",
            listed("crt"),
            listed("key"),
            upstream.address
        );
        let mut all: Vec<(String, &str)> = Vec::new();
        for (name, leaf) in &leaves {
            all.push((format!("{name}.crt"), &leaf.certificate));
            all.push((format!("{name}.key"), &leaf.key));
        }
        all.extend(files.iter().map(|(name, text)| ((*name).to_owned(), *text)));
        let all: Vec<(&str, &str)> = all.iter().map(|(name, text)| (&**name, *text)).collect();
        Self {
            gateway: Gateway::start(&config, &all),
            authority,
            _upstream: upstream,
        }
    }

    fn one() -> Self {
        Self::with(&["a.test"], "", &[])
    }

    /// A client that trusts this house.
    fn client(&self) -> ClientConfig {
        client(&self.authority, &BOTH, None)
    }

    fn connect(&self, client: &Arc<ClientConfig>, name: &str) -> io::Result<Tls> {
        connect(self.gateway.public, client, name)
    }
}

/// A client that trusts `authority` and shows `identity`.
fn client(
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
    identity: Option<&Leaf>,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    match identity {
        None => builder.with_no_client_auth(),
        Some(leaf) => builder
            .with_client_auth_cert(leaf.chain(), leaf.private())
            .unwrap(),
    }
}

/// Connects and shakes hands.
fn connect(address: SocketAddr, client: &Arc<ClientConfig>, name: &str) -> io::Result<Tls> {
    let tcp = TcpStream::connect(address)?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(client.clone(), name).unwrap();
    let mut tls = StreamOwned::new(connection, tcp);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    Ok(tls)
}

/// One GET over HTTP/1.1, and all that is answered.
fn get(tls: &mut Tls) -> io::Result<String> {
    ask(
        tls,
        b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    )
}

/// Sends bytes and reads to the end. An end without farewell is an end.
fn ask(tls: &mut Tls, bytes: &[u8]) -> io::Result<String> {
    tls.write_all(bytes)?;
    tls.flush()?;
    let mut told = Vec::new();
    match tls.read_to_end(&mut told) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(String::from_utf8_lossy(&told).into_owned()),
    }
}
