//! pingora's own proxy, checking nothing and logging nothing: what a gateway on `HttpProxy` starts from.
//! Usage: bare LISTEN UPSTREAM THREADS [h2]

use async_trait::async_trait;
use pingora_core::Result;
use pingora_core::apps::HttpServerOptions;
use pingora_core::modules::http::HttpModules;
use pingora_core::server::Server;
use pingora_core::server::configuration::ServerConf;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_proxy::{ProxyHttp, ProxyServiceBuilder, Session};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Bare {
    upstream: String,
}

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    // Without this, pingora adds its compression to every request.
    fn init_downstream_modules(&self, _: &mut HttpModules) {}

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(
            &self.upstream,
            false,
            String::new(),
        )))
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [listen, upstream, threads, rest @ ..] = words.as_slice() else {
        panic!("usage: bare LISTEN UPSTREAM THREADS [h2]");
    };
    let conf = ServerConf {
        threads: threads.parse().expect("a number of threads"),
        work_stealing: false,
        upstream_keepalive_pool_size: 1024,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut options = HttpServerOptions::default();
    options.h2c = rest == ["h2"];
    let proxy = Bare {
        upstream: upstream.clone(),
    };
    let mut service = ProxyServiceBuilder::new(&server.configuration, proxy)
        .server_options(options)
        .build();
    service.add_tcp(listen);
    server.add_service(service);
    server.run_forever();
}
