//! A gateway of a test's own, and both ends around it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::config::model::KeySource;
use crate::config::{self, Config, Files};
use crate::control::{Certificates, DiskFiles, Keys, Live, Names, SystemClock};
use crate::gate::{Endpoint, Gate, Reason};
use crate::proxy::{Edge, EndpointCaller, Endpoints, Plane, Role, World};
use crate::secret::Secret;
use crate::session::Revocations;
use crate::telemetry::Telemetry;
use crate::time::{Clock, Timestamp};
use crate::token::{KeyRing, VerifiedTokens};

/// No step of a test takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A gateway on a port of its own.
pub(super) struct House {
    pub(super) address: SocketAddr,
    pub(super) edge: Arc<Edge>,
    pub(super) clock: Arc<FastClock>,
    pub(super) stop: watch::Sender<bool>,
}

/// The time of day, and as much later as a test says.
pub(super) struct FastClock {
    system: SystemClock,
    ahead_millis: AtomicU64,
}

impl FastClock {
    /// Lets `span` pass at once.
    pub(super) fn pass(&self, span: Duration) {
        let millis = u64::try_from(span.as_millis()).unwrap();
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let ahead = Duration::from_millis(self.ahead_millis.load(Ordering::Relaxed));
        self.system.now().plus(ahead)
    }
}

/// Answers with what it was asked, but never to [`NEVER`], nor to [`PANIC`].
struct Echo;

/// What no endpoint of a house has an answer to.
pub(super) const NEVER: &str = "never";

/// What no endpoint of a house survives.
pub(super) const PANIC: &str = "panic";

#[async_trait]
impl Endpoints for Echo {
    async fn answer(
        &self,
        _: Endpoint,
        request: Request<Bytes>,
        _: EndpointCaller,
    ) -> Response<Bytes> {
        if request.body() == NEVER {
            std::future::pending::<()>().await;
        }
        assert_ne!(request.body(), PANIC, "a test asks for it");
        Response::new(request.into_body())
    }

    async fn admin(&self, request: Request<Bytes>) -> Response<Bytes> {
        Response::new(Bytes::from(format!(
            "{} {}",
            request.method(),
            request.uri()
        )))
    }
}

/// The shared secret of the issuer `main`.
pub(super) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

/// Of an upstream whose servers are to say something before there is a connection.
pub(super) const SILENT_TLS: &str = "tls = { name = \"localhost\" }\nconnect_timeout = \"1m\"";

/// Files of a test's own folder; `env:HS` is the shared secret.
struct Folder<'f>(&'f Path);

impl Files for Folder<'_> {
    fn env(&self, _: &str) -> Result<Secret, String> {
        Ok(Secret::new(SECRET.to_vec()))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        DiskFiles::beside(&self.0.join("gateway.toml"), Timestamp::default()).read(path)
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        self.0.join(path)
    }
}

/// The gate of a configuration, and what its listeners show.
pub(super) fn gate(text: &str, folder: &Path) -> (Arc<Gate>, Certificates) {
    let files = Folder(folder);
    let (config, _) = config::check(text, &files).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let shown = Certificates::read(&config, &files).unwrap();
    let mut keys = KeyRing::default();
    for issuer in &config.issuers {
        if let KeySource::Fixed(set) = &issuer.keys {
            keys.insert(issuer.terms.name.clone(), set.clone());
        }
    }
    let verified = Arc::new(VerifiedTokens::new(16, [0; 32]));
    let gate = Gate::assemble(Arc::<Config>::new(config), &keys, verified);
    (Arc::new(gate), shown)
}

impl House {
    /// Public routes to `upstream`; `listener` and `more` are lines of the configuration.
    pub(super) async fn before(upstream: SocketAddr, listener: &str, more: &str) -> Self {
        Self::of(&format!(
            "[listeners.public]\naddress = \"127.0.0.1:0\"\n{listener}\n\
             [upstreams.up]\nservers = [\"{upstream}\"]\n{more}\n\
             [routes.all]\npath = \"/*\"\naccess = \"public\"\nupstream = \"up\"\n"
        ))
        .await
    }

    /// Serves the first listener of a configuration.
    pub(super) async fn of(text: &str) -> Self {
        Self::within(text, Path::new("/nowhere")).await
    }

    /// The same, with files in `folder`.
    pub(super) async fn within(text: &str, folder: &Path) -> Self {
        // The same provider wherever a test begins.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (gate, shown) = gate(text, folder);
        let gate = Arc::new(Live::new(gate));
        let clock = Arc::new(FastClock {
            system: SystemClock::new(),
            ahead_millis: AtomicU64::new(0),
        });
        let edge = Arc::new(Edge::new(World {
            revocations: Arc::new(Revocations::default()),
            keys: Arc::new(Keys::new(gate.clone())),
            names: Arc::new(Names::new()),
            telemetry: Arc::new(Telemetry::start(clock.clone(), [0; 32]).unwrap()),
            endpoints: Arc::new(Echo),
            clock: clock.clone(),
            gate,
        }));
        let config = edge.gate.load().config().clone();
        let metrics = edge.telemetry.metrics();
        metrics.configure(&config, clock.now());
        let listener = config.listeners[0].clone();
        let shown = Arc::new(Live::new(Arc::new(shown)));
        let plane = Arc::new(Plane::new(listener, Role::Public, edge.clone(), &shown));
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                let (stream, peer) = socket.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (plane, stopped) = (plane.clone(), stopped.clone());
                tokio::spawn(async move { plane.connection(stream, peer, stopped).await });
            }
        });
        Self {
            address,
            edge,
            clock,
            stop,
        }
    }

    /// How often a request was refused for `reason`.
    pub(super) fn refusals(&self, reason: Reason) -> u64 {
        let counted = self.edge.telemetry.metrics().refusals();
        let of_it = counted.into_iter().find(|(of, _)| *of == reason);
        of_it.map_or(0, |(_, count)| count)
    }

    /// A new connection.
    pub(super) async fn client(&self) -> Wire {
        Wire::to(self.address).await
    }
}

/// One end of a connection, byte by byte.
pub(super) struct Wire {
    pub(super) tcp: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    pub(super) async fn to(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    pub(super) fn over(tcp: TcpStream) -> Self {
        tcp.set_nodelay(true).unwrap();
        Self {
            tcp,
            read: Vec::new(),
        }
    }

    pub(super) async fn say(&mut self, text: impl AsRef<[u8]>) {
        self.tcp.write_all(text.as_ref()).await.unwrap();
    }

    /// Says that nothing more will come.
    pub(super) async fn hush(&mut self) {
        self.tcp.shutdown().await.unwrap();
    }

    /// Reads up to and including `end`.
    pub(super) async fn until(&mut self, end: &str) -> String {
        loop {
            let found = self
                .read
                .windows(end.len())
                .position(|seen| seen == end.as_bytes());
            if let Some(at) = found {
                let rest = self.read.split_off(at + end.len());
                return text(std::mem::replace(&mut self.read, rest));
            }
            assert!(
                self.more().await > 0,
                "the end came after {:?}",
                text(self.read.clone())
            );
        }
    }

    /// Reads a head.
    pub(super) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await
    }

    /// Reads so many bytes.
    pub(super) async fn exactly(&mut self, count: usize) -> String {
        while self.read.len() < count {
            assert!(self.more().await > 0, "the end came early");
        }
        let rest = self.read.split_off(count);
        text(std::mem::replace(&mut self.read, rest))
    }

    /// Reads to the end of the connection.
    pub(super) async fn rest(&mut self) -> String {
        while self.more().await > 0 {}
        text(std::mem::take(&mut self.read))
    }

    /// The same, as bytes.
    pub(super) async fn bytes(&mut self) -> Vec<u8> {
        while self.more().await > 0 {}
        std::mem::take(&mut self.read)
    }

    /// Whether nothing comes for a while.
    pub(super) async fn is_silent(&mut self) -> bool {
        self.read.is_empty()
            && timeout(Duration::from_millis(150), self.more())
                .await
                .is_err()
    }

    async fn more(&mut self) -> usize {
        let mut room = [0; 65536];
        let read = timeout(PATIENCE, self.tcp.read(&mut room)).await;
        // A reset is an end as well.
        let came = read.expect("nothing comes any more").unwrap_or(0);
        self.read.extend_from_slice(&room[..came]);
        came
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// An upstream whose connections a test takes one by one.
pub(super) struct Upstream {
    listener: TcpListener,
    pub(super) address: SocketAddr,
}

impl Upstream {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    /// The next connection.
    pub(super) async fn accept(&self) -> Wire {
        let accepted = timeout(PATIENCE, self.listener.accept()).await;
        Wire::over(accepted.expect("nobody connects").unwrap().0)
    }

    /// No connection waits to be accepted.
    pub(super) async fn is_left_alone(&self) {
        let next = timeout(Duration::ZERO, self.listener.accept()).await;
        assert!(next.is_err(), "somebody connects");
    }

    /// The next connection, the head of its first request, and `answer` said to it.
    pub(super) async fn answer(&self, answer: &str) -> (Wire, String) {
        let mut wire = self.accept().await;
        let head = wire.head().await;
        wire.say(answer).await;
        (wire, head)
    }
}

/// The status of an answer's head.
pub(super) fn status(head: &str) -> &str {
    head.strip_prefix("HTTP/1.1 ")
        .map_or(head, |rest| &rest[..3])
}
