"""The gateways side by side: how each is told to check a token as tollgate does, or to check nothing."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from mint import AUDIENCE, ISSUER, PRODUCT, certificate

UPSTREAM_PORT = 19000
PORT = 19100
TLS_PORT = PORT + 2


@dataclass
class Gateway:
    """One gateway in one configuration. `configure(threads, h2)` writes files and returns the command."""

    name: str
    checks: str
    configure: callable
    settle_s: float = 0.3
    environment: dict = field(default_factory=dict)
    # Whether it also listens on TLS_PORT.
    tls: bool = False
    # What it has no means to check; the proof leaves it out, the table says so.
    blind_to: tuple = ()


def gateways(home, keys, tollgate):
    """Every gateway by name. `keys` are the private keys by algorithm; files go to `home`/run."""
    run = home / "peers/run"
    certificate(run)

    def write(name, text):
        file = run / name
        file.write_text(text)
        return file

    found = [
        Gateway("tollgate", "RS256, ES256, EdDSA", lambda threads, h2: _tollgate(write, run, keys, tollgate, threads), tls=True),
        Gateway("bare pingora", "nothing", lambda threads, h2: [
            home / "tools/release/bare", f"127.0.0.1:{PORT}", f"127.0.0.1:{UPSTREAM_PORT}", threads, *(["h2"] if h2 else [])]),
        Gateway("nginx", "nothing", lambda threads, h2: _nginx(write, run, threads, h2, None), tls=True),
        Gateway("nginx + njs", "HS256", lambda threads, h2: _nginx(write, run, threads, h2, keys["HS256"])),
    ]
    for algorithm in (None, "HS256", "RS256", "ES256"):
        key = algorithm and keys[algorithm]
        suffix, checks = (f" {algorithm}", algorithm) if algorithm else ("", "nothing")
        found.append(Gateway(f"HAProxy{suffix}", checks, lambda threads, h2, key=key: _haproxy(write, threads, h2, key)))
    for algorithm, cache in ((None, 0), ("RS256", 0), ("RS256", 10_000)):
        key = algorithm and keys[algorithm]
        suffix = (f" {algorithm}" if algorithm else "") + (" with cache" if cache else "")
        found.append(Gateway(
            f"Envoy{suffix}", algorithm or "nothing",
            lambda threads, h2, key=key, cache=cache: _envoy(write, home, threads, key, cache), settle_s=1))
    for key in (None, keys["HS256"]):
        found.append(Gateway(
            "pingap HS256" if key else "pingap", "HS256" if key else "nothing",
            lambda threads, h2, key=key: _pingap(write, run, home, threads, key),
            settle_s=1, environment={"PINGAP_DISABLE_ACME": "1"},
            blind_to=("another audience", "another product")))
    return {gateway.name: gateway for gateway in found}


def _tollgate(write, run, keys, binary, threads):
    """Everything on: signature or cache, products, identity with a signed assertion, metrics, access log, ids."""
    public = [key.jwk() for name, key in keys.items() if name != "HS256"]
    write("jwks.json", json.dumps({"keys": public}))
    text = f'''
[server]
threads = {threads}
drain = "1s"
[listeners.public]
address = "127.0.0.1:{PORT}"
[listeners.tls]
address = "127.0.0.1:{TLS_PORT}"
certificate = "file:{run}/tls.pem"
key = "file:{run}/tls.pem.key"
[admin]
address = "127.0.0.1:{PORT + 1}"
[identity]
signing_key = "file:{keys["EdDSA"].private_file}"
issuer = "https://gate.example.test"
[telemetry]
access_log = "file:{run}/access.log"
[issuers.idp]
issuer = "{ISSUER}"
audiences = ["{AUDIENCE}"]
algorithms = ["RS256", "ES256", "EdDSA"]
jwks_file = "{run}/jwks.json"
lifetime_max = "3650d"
types = ["JWT"]
[products.{PRODUCT}]
[upstreams.up]
servers = ["127.0.0.1:{UPSTREAM_PORT}"]
[routes.all]
path = "/*"
product = "{PRODUCT}"
upstream = "up"
'''
    return [binary, "run", "--config", write("tollgate.toml", text)]


def _nginx(write, run, threads, h2, key):
    listen = f"listen 127.0.0.1:{PORT} {'http2 ' if h2 else ''}backlog=4096;"
    check = load = ""
    if key:
        script = Path(__file__).with_name("nginx.js").read_text()
        values = {"KEY": key.secret.decode(), "ISSUER": ISSUER, "AUDIENCE": AUDIENCE, "PRODUCT": PRODUCT}
        constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
        write("check.js", constants + script)
        load = "load_module modules/ngx_http_js_module.so;"
        check = f"js_import gate from {run}/check.js; js_set $verdict gate.check;"
    refuse = 'if ($verdict = "401") { return 401; } if ($verdict = "403") { return 403; }' if key else ""
    return ["nginx", "-c", write("nginx.conf", f'''
{load}
worker_processes {threads}; worker_rlimit_nofile 20000; pid {run}/nginx.pid; daemon off; error_log stderr crit;
events {{ worker_connections 16000; }}
http {{
  access_log off; server_tokens off; keepalive_requests 1000000000; keepalive_timeout 120s;
  client_header_buffer_size 2k; large_client_header_buffers 4 8k;
  {check}
  upstream up {{ server 127.0.0.1:{UPSTREAM_PORT}; keepalive 256; keepalive_requests 1000000000; }}
  ssl_certificate {run}/tls.pem; ssl_certificate_key {run}/tls.pem.key;
  server {{ {listen} listen 127.0.0.1:{TLS_PORT} ssl; location / {{
    {refuse} proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; }} }}
}}''')]


def _haproxy(write, threads, h2, key):
    checks = ""
    if key:
        secret = key.secret.decode() if key.secret else key.public_file
        # An array asked of jwt_payload_query is empty in HAProxy 2.6, so the product is found in the decoded text.
        checks = f'''
  http-request set-var(txn.token) http_auth_bearer
  http-request set-var(txn.alg) var(txn.token),jwt_header_query('$.alg')
  http-request deny deny_status 401 unless {{ var(txn.alg) -m str {key.algorithm} }}
  http-request deny deny_status 401 unless {{ var(txn.token),jwt_verify(txn.alg,"{secret}") -m int 1 }}
  http-request set-var(txn.claims) var(txn.token),field(2,.),ub64dec
  http-request set-var(txn.now) date()
  http-request set-var(txn.exp) var(txn.claims),json_query('$.exp','int')
  http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int le 0 }}
  http-request deny deny_status 401 unless {{ var(txn.claims),json_query('$.iss') -m str {ISSUER} }}
  http-request deny deny_status 401 unless {{ var(txn.claims),json_query('$.aud') -m str {AUDIENCE} }}
  http-request deny deny_status 403 unless {{ var(txn.claims) -m reg '"products":\\[[^]]*"{PRODUCT}"' }}'''
    return ["haproxy", "-db", "-f", write("haproxy.cfg", f'''
global
  nbthread {threads}
  maxconn 9900
defaults
  mode http
  timeout client 120s
  timeout server 120s
  timeout connect 5s
  http-reuse always
  no log
frontend public
  bind 127.0.0.1:{PORT} {"proto h2" if h2 else ""}{checks}
  default_backend up
backend up
  server up 127.0.0.1:{UPSTREAM_PORT} pool-max-conn 4096
''')]


def _envoy(write, home, threads, key, cache):
    def typed(name, **settings):
        return {"@type": f"type.googleapis.com/envoy.extensions.{name}", **settings}

    filters = []
    if key:
        provider = {
            "issuer": ISSUER, "audiences": [AUDIENCE], "forward": True, "payload_in_metadata": "claims",
            "local_jwks": {"inline_string": json.dumps({"keys": [key.jwk()]})},
            **({"jwt_cache_config": {"jwt_cache_size": cache}} if cache else {}),
        }
        rule = {"match": {"prefix": "/"}, "requires": {"provider_name": "idp"}}
        filters.append(("envoy.filters.http.jwt_authn", typed(
            "filters.http.jwt_authn.v3.JwtAuthentication", providers={"idp": provider}, rules=[rule])))
        holds = {"metadata_matcher": {
            "filter": "envoy.filters.http.jwt_authn", "path": [{"key": "claims"}, {"key": "products"}],
            "value": {"list_match": {"one_of": {"string_match": {"exact": PRODUCT}}}}}}
        policy = {"permissions": [{"any": True}], "principals": [{"sourced_metadata": holds}]}
        filters.append(("envoy.filters.http.rbac", typed(
            "filters.http.rbac.v3.RBAC", rules={"action": "ALLOW", "policies": {"product": policy}})))
    filters.append(("envoy.filters.http.router", typed("filters.http.router.v3.Router", suppress_envoy_headers=True)))
    route = {"match": {"prefix": "/"}, "route": {"cluster": "up"}}
    manager = typed(
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="public", codec_type="AUTO", generate_request_id=False,
        route_config={"virtual_hosts": [{"name": "any", "domains": ["*"], "routes": [route]}]},
        http_filters=[{"name": name, "typed_config": config} for name, config in filters])

    def address(port):
        return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    endpoint = {"endpoint": {"address": address(UPSTREAM_PORT)}}
    cluster = {
        "name": "up", "type": "STATIC",
        "load_assignment": {"cluster_name": "up", "endpoints": [{"lb_endpoints": [endpoint]}]},
        "circuit_breakers": {"thresholds": [{"max_connections": 20000, "max_pending_requests": 20000, "max_requests": 20000}]},
    }
    config = {"static_resources": {
        "listeners": [{"name": "public", "address": address(PORT), "filter_chains": [chain]}], "clusters": [cluster]}}
    return [home / "bin/envoy", "-c", write("envoy.json", json.dumps(config)),
            "--concurrency", threads, "--log-level", "error", "--disable-hot-restart"]


def _pingap(write, run, home, threads, key):
    plugin = f'''
[plugins.token]
category = "jwt"
secret = "{key.secret.decode()}"
header = "Authorization"
algorithm = "HS256"
auth_path = "/unused"
''' if key else ""
    return [home / "pingap/bin/pingap", "--conf", write("pingap.toml", f'''
[basic]
threads = {threads}
pid_file = "{run}/pingap.pid"
upgrade_sock = "{run}/pingap.sock"
upstream_keepalive_pool_size = 1024
grace_period = "1s"
graceful_shutdown_timeout = "1s"
log_level = "error"
[upstreams.up]
addrs = ["127.0.0.1:{UPSTREAM_PORT}"]
[locations.all]
upstream = "up"
plugins = [{'"token"' if key else ""}]
[servers.public]
addr = "127.0.0.1:{PORT}"
locations = ["all"]
{plugin}''')]
