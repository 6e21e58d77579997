// How many refreshes a second the gateway answers, each of them durable: node tests/bench/sessions.mjs [BINARY]
//
// Clients that do nothing but refresh, beside what SQLite itself commits on the same disk: the same rows read and
// written by `sqlite3` with the gateway's settings, as many in a transaction as there are clients, 256 at most. Three rounds,
// one after the other; medians. Prints a table in Markdown.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createListener } from "node:net";
import { join, resolve } from "node:path";

const binary = resolve(process.argv[2] ?? "target/release/tollgate");
const seconds = Number(process.env.SECONDS_A_ROUND ?? 5);
const clients = [1, 64, 512];
const rounds = 3;
const groupMax = 256;

const folder = mkdtempSync(resolve("target", "bench-sessions-")); // on the disk, not in memory
const at = (name) => join(folder, name);
const listening = (server) => new Promise((heard) => server.listen(0, "127.0.0.1", () => heard(server.address().port)));
async function freePort() {
  const server = createListener();
  const port = await listening(server);
  await new Promise((closed) => server.close(closed));
  return port;
}

/** Vouches for whoever comes. */
const identity = createServer((request, answer) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    const said = { subject: JSON.parse(body).user, products: ["crm"], scope: "crm.read" };
    answer.setHeader("Content-Type", "application/json").end(JSON.stringify(said));
  });
});

async function startGateway() {
  const [hook, port, admin] = [await listening(identity), await freePort(), await freePort()];
  execFileSync(binary, ["key", "generate", "--algorithm", "ES256", "--out", at("sign.pem")]);
  writeFileSync(at("refresh.key"), createHash("sha256").update(folder).digest("hex"));
  const config = `
    [listeners.public]
    address = "127.0.0.1:${port}"
    [admin]
    address = "127.0.0.1:${admin}"
    [telemetry]
    access_log = "file:access.log"
    [products.crm]
    [upstreams.app]
    servers = ["127.0.0.1:9"]
    [routes.crm]
    path = "/crm/*"
    product = "crm"
    upstream = "app"
    [sessions]
    issuer = "https://auth.example.com"
    audience = "https://api.example.com"
    signing_keys = ["file:sign.pem"]
    refresh_keys = ["file:refresh.key"]
    [sessions.store]
    kind = "sqlite"
    path = "sessions.db"
    [sessions.login_hook]
    url = "http://127.0.0.1:${hook}/login"
    [sessions.limits]
    login = "1000000/s"
    refresh = "1000000/s"
    [sessions.clients.mobile]
    type = "public"
    transport = "body"
    `;
  writeFileSync(at("gateway.toml"), config.replace(/^ +/gm, ""));
  const gateway = spawn(binary, ["run", "--config", at("gateway.toml")], { stdio: "ignore" });
  for (let tries = 0; ; tries += 1) {
    const ready = await fetch(`http://127.0.0.1:${admin}/readyz`).catch(() => undefined);
    if (ready?.ok) break;
    assert.ok(tries < 500 && gateway.exitCode === null, "the gateway does not start");
    await new Promise((later) => setTimeout(later, 20));
  }
  return { gateway, url: `http://127.0.0.1:${port}` };
}

async function login(url, user) {
  const headers = { "Content-Type": "application/json", "X-Client-Id": "mobile" };
  const answer = await fetch(`${url}/auth/login`, { method: "POST", headers, body: JSON.stringify({ user }) });
  assert.equal(answer.status, 200, await answer.clone().text());
  return (await answer.json()).refresh_token;
}

/** The clients, built where the gateway was. */
function buildLoader() {
  const [manifest, target] = [new URL("tools/Cargo.toml", import.meta.url).pathname, resolve("target", "bench-tools")];
  const which = ["--no-default-features", "--bin", "refresh", "--manifest-path", manifest, "--target-dir", target];
  const env = { ...process.env, RUSTC_WRAPPER: "" };
  execFileSync("cargo", ["build", "--quiet", "--release", "--locked", ...which], { stdio: "inherit", env });
  return join(target, "release", "refresh");
}

/** Refreshes a second, and milliseconds of the median and the 99th percentile. */
async function refreshes(url, count, round) {
  const tokens = [];
  for (let user = 0; user < count; user += 1) tokens.push(await login(url, `u_${count}_${round}_${user}`));
  writeFileSync(at("tokens"), `${tokens.join("\n")}\n`);
  const load = spawn(loader, [new URL(url).host, at("tokens"), String(seconds)]);
  let said = "";
  load.stdout.on("data", (chunk) => (said += chunk));
  await new Promise((ended) => load.on("close", ended));
  const [requests, failed, micros, p50, p99] = said.split(" ").map(Number);
  assert.equal(failed, 0, said);
  return { rate: (requests * 1e6) / micros, p50: p50 / 1000, p99: p99 / 1000 };
}

/** What a rotation changes. */
const renewed = ["generation", "rotated_at", "idle_until", "expires_at", "granted_at"].map((name) => `${name} = ${name} + 1`).join(", ");

/** Rows a second that SQLite alone reads and writes, so many in a transaction. */
function commits(group) {
  rmSync(at("raw.db"), { force: true });
  execFileSync("sqlite3", [at("sessions.db"), `.backup ${at("raw.db")}`]);
  execFileSync("sqlite3", [at("raw.db"), "PRAGMA journal_mode = WAL"]);
  const ids = execFileSync("sqlite3", [at("raw.db"), `SELECT sid FROM session ORDER BY random() LIMIT ${group}`]);
  const row = (sid) => `UPDATE session SET ${renewed} WHERE sid = '${sid}';`;
  const rows = ids.toString().trim().split("\n").map(row).join("\n");
  const transaction = `BEGIN IMMEDIATE;\nSELECT last FROM clock;\n${rows}\nUPDATE clock SET last = last + 1;\nCOMMIT;\n`;
  const measure = (transactions) => {
    const input = `PRAGMA synchronous = FULL;\n${transaction.repeat(transactions)}`;
    const begun = performance.now();
    execFileSync("sqlite3", ["-bail", at("raw.db")], { input });
    return (performance.now() - begun) / 1000;
  };
  let transactions = 50;
  let took = measure(transactions);
  transactions = Math.ceil((transactions * seconds) / took / 2);
  took = measure(transactions);
  return (transactions * group) / took;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const loader = buildLoader();
const { gateway, url } = await startGateway();
try {
  console.log("| clients | refreshes a second | p50 | p99 | SQLite alone, rows a second | ratio |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const count of clients) {
    const seen = [];
    for (let round = 0; round < rounds; round += 1) {
      seen.push({ ...(await refreshes(url, count, round)), raw: commits(Math.min(count, groupMax)) });
    }
    const [rate, p50, p99, raw] = ["rate", "p50", "p99", "raw"].map((name) => median(seen.map((one) => one[name])));
    const ratio = median(seen.map((one) => one.rate / one.raw));
    const whole = (number) => Math.round(number).toLocaleString("en");
    console.log(`| ${count} | ${whole(rate)} | ${p50.toFixed(1)} ms | ${p99.toFixed(1)} ms | ${whole(raw)} | ${ratio.toFixed(2)} |`);
  }
} finally {
  gateway.kill();
  identity.close();
  rmSync(folder, { recursive: true });
}
process.exit(); // connections of the log-ins are kept
