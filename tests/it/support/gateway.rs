//! The real binary on free ports, with a folder of its own.

use std::fs;
use std::io::Read as _;
use std::iter;
use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use super::client::{Answer, Client};

/// A running gateway; killed when dropped.
pub struct Gateway {
    pub public: SocketAddr,
    pub admin: SocketAddr,
    pub folder: tempfile::TempDir,
    variables: Vec<(&'static str, PathBuf)>,
    child: Child,
}

/// The admin token of every gateway in the tests.
pub const ADMIN_TOKEN: &str = "admin-token-of-the-tests-0123456789abcdef";

/// How long a gateway may take until it is ready.
const START_MAX: Duration = Duration::from_secs(20);

impl Gateway {
    /// Starts the binary. `config` is the file without listeners and admin; files of `files` lie beside it.
    pub fn start(config: &str, files: &[(&str, &str)]) -> Self {
        Self::start_with(config, files, Vec::new())
    }

    /// The same, with variables in the environment of the process.
    pub fn start_with(
        config: &str,
        files: &[(&str, &str)],
        variables: Vec<(&'static str, PathBuf)>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (public, admin) = (free_address(), free_address());
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        fs::write(folder.path().join("admin.token"), ADMIN_TOKEN).unwrap();
        let mut gateway = Self {
            public,
            admin,
            child: spawn_nothing(),
            variables,
            folder,
        };
        gateway.configure(config);
        gateway.spawn();
        gateway
    }

    /// Writes the configuration anew; a running gateway notices by itself or is told.
    pub fn configure(&self, config: &str) {
        let listeners = if config.contains("[listeners.public]") {
            config.replace("ADDRESS", &self.public.to_string())
        } else {
            format!(
                "[listeners.public]\naddress = \"{}\"\n{config}",
                self.public
            )
        };
        let text = format!(
            "[admin]\naddress = \"{}\"\ntoken = \"file:admin.token\"\n\
             [telemetry]\naccess_log = \"file:access.log\"\n{listeners}",
            self.admin
        );
        fs::write(self.config_path(), text).unwrap();
    }

    pub fn config_path(&self) -> PathBuf {
        self.folder.path().join("gateway.toml")
    }

    /// Sets a variable of the process that is started next.
    pub fn set(&mut self, name: &'static str, value: PathBuf) {
        self.variables.push((name, value));
    }

    /// Starts the process and waits until it is ready.
    pub fn spawn(&mut self) {
        self.spawn_as(Command::new(env!("CARGO_BIN_EXE_tollgate")));
    }

    /// The same with no more than so many files open.
    pub fn spawn_with_files(&mut self, most: usize) {
        let mut limited = Command::new("prlimit");
        limited
            .arg(format!("--nofile={most}:{most}"))
            .arg(env!("CARGO_BIN_EXE_tollgate"));
        self.spawn_as(limited);
    }

    fn spawn_as(&mut self, mut command: Command) {
        let log = fs::File::create(self.folder.path().join("stderr.log")).unwrap();
        self.child = command
            .args(["run", "--config"])
            .arg(self.config_path())
            .envs(self.variables.iter().cloned())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + START_MAX;
        while std::net::TcpStream::connect(self.admin).is_err()
            || std::net::TcpStream::connect(self.public).is_err()
        {
            let ended = self.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "it does not start: {}",
                self.diagnostics()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn client(&self) -> Client {
        Client::connect(self.public)
    }

    /// One GET on a connection of its own.
    pub fn get(&self, path: &str, fields: &[&str]) -> Answer {
        self.client().get(path, fields)
    }

    pub fn admin_get(&self, path: &str) -> Answer {
        let mut client = Client::connect(self.admin);
        client.send(format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\r\n"
        ));
        client.answer().expect("the admin listener answers")
    }

    pub fn admin_post(&self, path: &str, body: &str) -> Answer {
        let mut client = Client::connect(self.admin);
        client.send(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ADMIN_TOKEN}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        client
            .answer_to("POST")
            .expect("the admin listener answers")
    }

    /// The sum of all series of `metric` whose labels contain every one of `labels`.
    pub fn metric(&self, metric: &str, labels: &[&str]) -> f64 {
        let answer = self.admin_get("/metrics");
        let series = answer.text().lines().filter(|line| {
            line.split(['{', ' ']).next() == Some(metric)
                && labels.iter().all(|label| line.contains(label))
        });
        series
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// The access log's line of one request, waited for: the log is written off the request path.
    pub fn log_line(&self, request_id: &str) -> serde_json::Value {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let log = fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default();
            if let Some(line) = log.lines().find(|line| line.contains(request_id)) {
                return serde_json::from_str(line).expect("a line of JSON");
            }
            assert!(
                Instant::now() < deadline,
                "no log line for {request_id} in:\n{log}"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The line of the diagnostics that says `what`. They are written off the path of whoever has something to tell.
    pub fn told(&self, what: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let told = self.diagnostics();
            if let Some(line) = told.lines().find(|line| line.contains(what)) {
                return line.to_owned();
            }
            assert!(Instant::now() < deadline, "nobody was told of {what:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn diagnostics(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr.log")).unwrap_or_default()
    }

    /// The number of the process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.pid().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for the process to end by itself.
    pub fn wait(&mut self, at_most: Duration) -> std::process::ExitStatus {
        let deadline = Instant::now() + at_most;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "still running after {at_most:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _gone_already = self.child.wait();
        if std::thread::panicking() {
            let mut log = String::new();
            let read = fs::File::open(self.folder.path().join("stderr.log"))
                .and_then(|mut file| file.read_to_string(&mut log));
            if read.is_ok() {
                eprintln!("--- the gateway said:\n{log}");
            }
        }
    }
}

/// An address at which nobody listens. Each is given once, and below the ports that connections are given (from 32768 on):
/// nobody takes it before the gateway does, or while the gateway restarts.
pub fn free_address() -> SocketAddr {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() as u16;
    let ports = iter::repeat_with(|| GIVEN.fetch_add(1, Ordering::Relaxed))
        .map(|given| PORTS.start + first.wrapping_add(given) % PORTS.len() as u16);
    let mut addresses = ports.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    addresses
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("a port is free")
}

const PORTS: Range<u16> = 12_000..32_000;

fn spawn_nothing() -> Child {
    Command::new("true").spawn().unwrap()
}
