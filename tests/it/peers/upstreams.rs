//! nginx's and Node's servers, each on HTTP/1.1 and HTTP/2, asked by curl, hyper and `h2`.

use std::fs;
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::json;

use super::{gateway, node, peer_file};
use crate::support::{Gateway, Process, free_address, output};

const SERVERS: [&str; 4] = ["nginx", "nginx2", "node", "node2"];

/// A word to curl that changes nothing: the request goes without its token.
const NO_TOKEN: &str = "--no-progress-meter";

struct House {
    gateway: Gateway,
    token: String,
    /// The listener with a certificate, by name.
    tls: String,
    large: Vec<u8>,
    /// What is uploaded; a file in the folder holds it.
    content: Vec<u8>,
    nginx: tempfile::TempDir,
    _servers: [Process; 3],
}

fn house() -> House {
    let mut large = b"0123456789abcdef\n".repeat(200_000);
    large.truncate(3 << 20);
    let content: Vec<u8> = (0..2_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (nginx, folder, ports) = nginx(&large);
    fs::write(folder.path().join("upload"), &content).unwrap();
    fs::write(folder.path().join("hello"), "hello").unwrap();
    let ((node1, node), (node2, node_http2)) = (node("h1"), node("h2"));
    let tls = format!("localhost:{}", free_address().port());
    let mut config = format!(
        "[listeners.public]\naddress = \"ADDRESS\"\n[listeners.tls]\naddress = \"127.0.0.1:{}\"\n\
         certificate = \"file:tls.crt\"\nkey = \"file:tls.key\"\n",
        tls.rsplit(':').next().unwrap()
    );
    let [nginx1, nginx2] = ports.map(|port| format!("127.0.0.1:{port}"));
    let addresses = [nginx1, nginx2, node, node_http2];
    for (at, (name, address)) in SERVERS.iter().zip(addresses).enumerate() {
        let protocol = ["h1", "h2"][at % 2];
        config.push_str(&format!(
            "[upstreams.{name}]\nservers = [\"{address}\"]\nprotocol = \"{protocol}\"\n\
             [routes.{name}]\npath = \"/{name}/*\"\nproduct = \"crm\"\nstrip_prefix = \"/{name}\"\nupstream = \"{name}\"\n"
        ));
    }
    let shown = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let files = [
        ("tls.crt", shown.cert.pem()),
        ("tls.key", shown.signing_key.serialize_pem()),
    ];
    let files = files
        .each_ref()
        .map(|(name, content)| (*name, content.as_str()));
    let (gateway, issuer) = gateway(&config, &files);
    House {
        token: issuer.token(json!({})),
        gateway,
        tls,
        large,
        content,
        nginx: folder,
        _servers: [nginx, node1, node2],
    }
}

/// nginx in a folder of its own, with its two ports.
fn nginx(large: &[u8]) -> (Process, tempfile::TempDir, [u16; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let ports = [free_address().port(), free_address().port()];
    let config = fs::read_to_string(peer_file("nginx.conf")).unwrap();
    let config = config
        .replace("PORT2", &ports[1].to_string())
        .replace("PORT", &ports[0].to_string());
    fs::write(folder.path().join("nginx.conf"), config).unwrap();
    fs::create_dir(folder.path().join("files")).unwrap();
    fs::write(folder.path().join("files/large"), large).unwrap();
    let mut command = Command::new("nginx");
    command
        .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
        .arg(folder.path());
    let process = Process::spawn(&mut command);
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", ports[0])).is_err() {
        assert!(Instant::now() < deadline, "nginx does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    (process, folder, ports)
}

/// What curl says of one answer.
struct Told {
    version: String,
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl House {
    /// The ways of curl: what to say to it, which version it then speaks, and where.
    fn ways(&self) -> [(Vec<String>, &'static str, String); 4] {
        let crt = self.gateway.folder.path().join("tls.crt");
        let trusting = |protocol: &str| {
            let crt = crt.to_string_lossy().into_owned();
            vec![protocol.into(), "--cacert".into(), crt]
        };
        let clear = format!("http://{}", self.gateway.public);
        let tls = format!("https://{}", self.tls);
        [
            (vec!["--http1.1".into()], "1.1", clear.clone()),
            (vec!["--http2-prior-knowledge".into()], "2", clear),
            (trusting("--http1.1"), "1.1", tls.clone()),
            (trusting("--http2"), "2", tls),
        ]
    }

    /// The file to upload, as curl's `--data-binary` names it.
    fn upload(&self) -> String {
        format!("@{}", self.nginx.path().join("upload").display())
    }

    /// One request by one way of curl, with the token.
    fn curl(&self, way: &(Vec<String>, &str, String), path: &str, more: &[&str]) -> Told {
        let place = self.nginx.path();
        let (head, body) = (place.join("head"), place.join("body"));
        let _none_before = fs::remove_file(&body);
        let bearer = match more.contains(&NO_TOKEN) {
            true => "X-Token: none".to_owned(),
            false => format!("Authorization: Bearer {}", self.token),
        };
        let mut command = Command::new("curl");
        command
            .args([
                "-sS",
                "--max-time",
                "20",
                "-w",
                "%{http_version} %{http_code}",
            ])
            .args(["-H", &bearer])
            .args(&way.0)
            .stdin(fs::File::open(place.join("hello")).unwrap())
            .arg("-D")
            .arg(&head)
            .arg("-o")
            .arg(&body);
        let said = output(command.args(more).arg(format!("{}{path}", way.2)));
        let (version, status) = said.split_once(' ').unwrap();
        Told {
            version: version.to_owned(),
            status: status.parse().unwrap(),
            head: fs::read_to_string(head).unwrap().to_lowercase(),
            body: fs::read(body).unwrap_or_default(),
        }
    }
}

#[test]
fn curl_is_served_by_every_server_in_every_way() {
    let house = house();
    for way in house.ways() {
        for server in SERVERS {
            let what = format!("{server} {way:?}");
            let ask = |path: &str, more: &[&str]| {
                let told = house.curl(&way, &format!("/{server}{path}"), more);
                assert_eq!(told.version, way.1, "{what} {path}");
                told
            };
            let is = |path: &str, more: &[&str], status: u16, body: &[u8]| {
                let told = ask(path, more);
                assert_eq!(told.status, status, "{what} {path} {more:?}");
                assert!(
                    told.body == body,
                    "{what} {path}: {} bytes",
                    told.body.len()
                );
                told
            };
            is("/small", &[], 200, b"small\n");
            let head = ask("/small", &["-I"]);
            assert_eq!(head.status, 200, "{what}");
            assert!(
                head.head.contains("content-length: 6\r\n"),
                "{what}: {}",
                head.head
            );
            is("/nothing", &[], 204, b"");
            is("/cached", &["-H", "If-None-Match: \"1\""], 304, b"");
            is("/large", &[], 200, &house.large);
            // Content whose length nobody said, with trailers behind the answer.
            let echoed = is("/echo", &["-X", "POST", "-T", "-"], 200, b"hello");
            let trailer = echoed.head.contains("x-sum: 5\r\n");
            assert_eq!(
                trailer,
                server.starts_with("node"),
                "{what}: {}",
                echoed.head
            );
            // An answer that does not wait for the content; older curls fail where HTTP/2 stops them without an error.
            if way.1 == "1.1" {
                is("/early", &["--data-binary", &house.upload()], 403, b"no\n");
            }
            // Content that waits for its permission, and back.
            let put = ask(
                "/kept",
                &["-H", "Expect: 100-continue", "-T", &house.upload()[1..]],
            );
            assert!(matches!(put.status, 201 | 204), "{what}: {}", put.status);
            is("/kept", &[], 200, &house.content);
            let none = ask("/small", &[NO_TOKEN]);
            assert_eq!(none.status, 401, "{what}");
        }
    }
}

#[test]
fn hyper_is_served_by_every_server_on_both_protocols() {
    let house = house();
    let _installed_already = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let one = reqwest::Client::builder().no_proxy().http1_only();
    let two = reqwest::Client::builder()
        .no_proxy()
        .http2_prior_knowledge();
    for client in [one, two].map(|builder| builder.build().unwrap()) {
        for server in SERVERS {
            let url = |path| format!("http://{}/{server}{path}", house.gateway.public);
            runtime.block_on(async {
                let large = client.get(url("/large")).bearer_auth(&house.token);
                let body = large.send().await.unwrap().bytes().await.unwrap();
                assert!(body == house.large, "{server}");
                let asked = client
                    .post(url("/echo"))
                    .bearer_auth(&house.token)
                    .body("hello");
                let answer = asked.send().await.unwrap();
                assert_eq!(answer.text().await.unwrap(), "hello", "{server}");
                let early = client.post(url("/early")).bearer_auth(&house.token);
                let answer = early.body(house.content.clone()).send().await.unwrap();
                assert_eq!(answer.status(), 403, "{server}");
                let none = client.get(url("/small")).send().await.unwrap();
                assert_eq!(none.status(), 401, "{server}");
            });
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trailers_pass_both_ways() {
    let house = house();
    let tcp = tokio::net::TcpStream::connect(house.gateway.public)
        .await
        .unwrap();
    let (mut sender, connection) = h2::client::handshake(tcp).await.unwrap();
    tokio::spawn(connection);
    for server in ["node", "node2"] {
        sender = sender.ready().await.unwrap();
        let request = Request::post(format!("http://a/{server}/echo"))
            .header("authorization", format!("Bearer {}", house.token))
            .body(())
            .unwrap();
        let (answer, mut send) = sender.send_request(request, false).unwrap();
        send.send_data(Bytes::from_static(b"hel"), false).unwrap();
        send.send_data(Bytes::from_static(b"lo"), false).unwrap();
        let mut trailers = HeaderMap::new();
        trailers.insert("x-sum", "five".parse().unwrap());
        send.send_trailers(trailers).unwrap();
        let mut body = answer.await.unwrap().into_body();
        let mut content = Vec::new();
        while let Some(piece) = body.data().await {
            content.extend_from_slice(&piece.unwrap());
        }
        assert_eq!(content, b"hello", "{server}");
        let trailers = body.trailers().await.unwrap().unwrap();
        assert_eq!(
            (&trailers["x-sum"], &trailers["x-heard"]),
            (&"5".parse().unwrap(), &"five".parse().unwrap()),
            "{server}"
        );
    }
}

#[test]
fn connections_are_kept_on_both_sides_of_the_gate() {
    let house = house();
    let bearer = format!("Authorization: Bearer {}", house.token);
    for server in SERVERS {
        let url = format!("http://{}/{server}/small", house.gateway.public);
        let made = output(Command::new("curl").args([
            "-sS",
            "-w",
            "%{num_connects} ",
            "-H",
            &bearer,
            "-o",
            "/dev/null",
            "-o",
            "/dev/null",
            "-o",
            "/dev/null",
            &url,
            &url,
            &url,
        ]));
        assert_eq!(made, "1 0 0 ", "{server}");
    }
}
