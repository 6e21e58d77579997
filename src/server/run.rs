//! From a configuration to a process that serves, and to its end.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pingora_core::server::configuration::ServerConf;
use pingora_core::server::{RunArgs, Server, ShutdownSignalWatch};
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::acts::Wishes;
use super::descriptors;
use super::endpoints::OwnEndpoints;
use super::own_keys;
use super::refused::Refused;
use super::sessions::SessionSide;
use super::sockets::Sockets;
use super::stop::{Never, Signals};
use super::summary::Summary;
use crate::api::admin::Admin;
use crate::api::session::{Kept, Surroundings};
use crate::config::Config;
use crate::config::model::Listener;
use crate::control::{self, Certificates, HookClients, Live, SystemClock, World};
use crate::proxy::{self, Doorway, Edge, Plane, Role};
use crate::session::Revocations;
use crate::store::{self, Store};
use crate::telemetry::{Diagnostics, Telemetry};
use crate::time::Clock as _;

/// How long the last log lines may take to be written.
const FLUSH_MAX: Duration = Duration::from_secs(2);
/// How long it may take to write down what a restart shall know of keys.
const WRITE_MAX: Duration = Duration::from_secs(2);
/// How often expired revocations are forgotten, and what is counted at intervals is counted.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// How long pingora may wait after a signal: longer than any drain, for the process ends when that is over.
const GRACE_SECONDS: u64 = 365 * 24 * 60 * 60;
/// "File size limit exceeded" on Linux and macOS.
const SIGXFSZ: i32 = 25;

/// Makes aws-lc-rs the one provider of TLS. Called before anything speaks it; calling again changes nothing.
pub fn install_cryptography() {
    // An error says that it was installed before.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Serves the configuration at `path` until SIGTERM, SIGINT or SIGQUIT, and returns once everything in flight has ended or
/// `drain` is over. `announce` hears what is served, just before it is.
///
/// # Errors
/// [`Refused`] when nothing can be served.
pub fn run(path: &Path, announce: impl FnOnce(&Summary)) -> Result<(), Refused> {
    let background = runtime().map_err(Refused::System)?;
    survive(&background).map_err(Refused::System)?;
    install_cryptography();
    // Beside the reading of the file, not before the first signature.
    background.spawn_blocking(control::gather_entropy);
    let clock = Arc::new(SystemClock::new());
    let telemetry =
        Arc::new(Telemetry::start(clock.clone(), control::fresh()).map_err(Refused::System)?);
    // A process that has a subscriber keeps it.
    let _ = telemetry.install(Diagnostics::Text);
    let world = background
        .block_on(World::start(
            path.to_owned(),
            clock.clone(),
            telemetry.clone(),
        ))
        .map_err(Refused::Start)?;
    let config = world.gate().load().config().clone();
    telemetry.configure(&config).map_err(Refused::AccessLog)?;
    background.block_on(world.keep());
    let sockets = Sockets::take(&config)?;
    descriptors::raise(&config);

    let revocations = Arc::new(Revocations::default());
    let board = world.board();
    let sessions = sessions(&config, world.hooks(), &revocations, &clock, &telemetry)?;
    let distrusted = own_keys::share(&config, &revocations, &world.ledger(), &*clock);
    let edge = edge(&world, sessions.clone(), &revocations, &clock, &telemetry);
    let certificates = world.certificates();
    let summary = Summary::of(&config, &board.status(clock.now()), world.warnings());
    let (signals, stopping) =
        Signals::new(&background, board, edge.clone()).map_err(Refused::System)?;
    background.spawn(upkeep(revocations, telemetry.clone(), clock));
    background.spawn(own_keys::distrust(world.handle(), distrusted));
    let (end, ended) = oneshot::channel::<()>();
    let world = background.spawn(world.run(async {
        // It ends when the other half is dropped.
        let _ = ended.await;
    }));

    announce(&summary);
    sockets.listen()?;
    serve(&config, &edge, &certificates, sockets, signals);
    stopping.wait(&edge);
    drop(end);
    // Its last act is to write down what keys were used for.
    let _ = background.block_on(async { timeout(WRITE_MAX, world).await });
    if let Some(sessions) = sessions {
        sessions.rest();
    }
    telemetry.flush(FLUSH_MAX);
    background.shutdown_background();
    Ok(())
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("background")
        .enable_all()
        .build()
}

/// A file that may not grow any more is a failed write, as on a full disk, and not the end of the process; neither is a
/// call to reload that comes while it starts.
fn survive(runtime: &Runtime) -> std::io::Result<()> {
    let _context = runtime.enter();
    // Whoever hears a signal is spared what it does by default. The system then answers the write with an error; and what
    // changed during the start is found by whoever watches the files.
    for kind in [
        SignalKind::from_raw(SIGXFSZ),
        SignalKind::hangup(),
        SignalKind::user_defined1(),
    ] {
        signal(kind).map(drop)?;
    }
    Ok(())
}

/// Opens the store and the session side, if there is one. What the store knows to be revoked counts when this returns.
fn sessions(
    config: &Arc<Config>,
    hooks: Arc<Live<HookClients>>,
    revocations: &Arc<Revocations>,
    clock: &Arc<SystemClock>,
    telemetry: &Arc<Telemetry>,
) -> Result<Option<Arc<SessionSide>>, Refused> {
    let Some(sessions) = &config.sessions else {
        return Ok(None);
    };
    let around = store::Surroundings {
        revocations: revocations.clone(),
        clock: clock.clone(),
        observer: telemetry.clone(),
    };
    let store = Store::open(&sessions.store, around)
        .map_err(|error| Refused::Sessions(control::with_causes(&error)))?;
    clock.learn(store.passed());
    let around = Surroundings {
        store: Arc::new(store),
        revocations: revocations.clone(),
        clock: clock.clone(),
        observer: telemetry.clone(),
        kept: Kept::default(),
    };
    Ok(Some(Arc::new(SessionSide::new(config, hooks, around))))
}

/// Joins everything that a request may touch.
fn edge(
    world: &World,
    sessions: Option<Arc<SessionSide>>,
    revocations: &Arc<Revocations>,
    clock: &Arc<SystemClock>,
    telemetry: &Arc<Telemetry>,
) -> Arc<Edge> {
    let wishes = Wishes {
        sessions: sessions.clone(),
        gate: world.gate(),
        board: world.board(),
        handle: world.handle(),
        keys: world.keys(),
        ledger: world.ledger(),
        revocations: revocations.clone(),
        telemetry: telemetry.clone(),
        clock: clock.clone(),
    };
    let admin = Admin::new(wishes, telemetry.clone());
    Arc::new(Edge::new(proxy::World {
        gate: world.gate(),
        revocations: revocations.clone(),
        clock: clock.clone(),
        keys: world.keys(),
        names: world.names(),
        telemetry: telemetry.clone(),
        endpoints: Arc::new(OwnEndpoints { admin, sessions }),
    }))
}

/// Serves on every socket. The admin listener goes on through the drain, so that readiness can be seen red.
fn serve(
    config: &Config,
    edge: &Arc<Edge>,
    certificates: &Arc<Live<Certificates>>,
    sockets: Sockets,
    signals: Signals,
) {
    let doorway = |listener, role, socket| {
        let plane = Plane::new(listener, role, edge.clone(), certificates);
        Doorway::new(plane, socket)
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut public = server(config.server.threads.unwrap_or(cores));
    for (listener, at) in config.listeners.iter().zip(sockets.listeners) {
        public.add_service(doorway(listener.clone(), Role::Public, at.socket));
    }
    spawn(public, signals);
    if let (Some(admin), Some(at)) = (&config.admin, sockets.admin) {
        let mut server = server(1);
        let listener = Arc::new(Listener::for_admin(admin));
        server.add_service(doorway(listener, Role::Admin, at.socket));
        spawn(server, Never);
    }
}

fn server(threads: usize) -> Server {
    let conf = ServerConf {
        threads,
        work_stealing: false,
        grace_period_seconds: Some(GRACE_SECONDS),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    server
}

/// Runs a server on a thread of its own, which ends with the process.
fn spawn(server: Server, signals: impl ShutdownSignalWatch + Send + 'static) {
    std::thread::spawn(move || {
        server.run(RunArgs {
            shutdown_signal: Box::new(signals),
        })
    });
}

/// What is done every few seconds for as long as the process lives.
async fn upkeep(revocations: Arc<Revocations>, telemetry: Arc<Telemetry>, clock: Arc<SystemClock>) {
    let mut interval = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        interval.tick().await;
        // By a time that nobody believes nothing is forgotten.
        if clock.is_sound() {
            revocations.expire(clock.now());
        }
        telemetry.metrics().revocations(revocations.len());
    }
}
