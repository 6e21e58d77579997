// Chromium on a page of APP: node browser.mjs GATEWAY_PORT PAGES_PORT CERTIFICATE KEY APP
//
// The gateway answers as auth.example.com and api.example.com; its cookie belongs to APP's origin. Serves the same page on
// every host and checks what a tab of it can do.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { launch } from "../browser.mjs";

const [gatewayPort, pagesPort, certificate, key, app] = process.argv.slice(2);
const html = `<!doctype html><title>tab</title><link rel="icon" href="data:,"><script type="module">
const auth = "https://auth.example.com:${gatewayPort}", api = "https://api.example.com:${gatewayPort}";
let access; // in memory alone
const headers = { "Content-Type": "application/json", "X-Client-Id": "web", "X-Tollgate-CSRF": "1" };
const status = (call) => call.then((answer) => answer.status, () => "blocked");
const post = (path, body) => fetch(auth + path, { method: "POST", credentials: "include", headers, body });
const take = async (answer) => {
  if (answer.ok) access = (await answer.json()).access_token ?? access;
  return answer;
};
globalThis.tab = {
  login: () => status(post("/auth/login", JSON.stringify({ user: "ada" })).then(take)),
  refresh: () => status(post("/auth/refresh").then(take)),
  logout: () => status(post("/auth/logout")),
  call: () => status(fetch(api + "/crm/x", { headers: access ? { Authorization: "Bearer " + access } : {} })),
  knock: () => fetch(auth + "/auth/refresh", { method: "POST", mode: "no-cors", credentials: "include" }).then((answer) => answer.type),
};
</script>`;
const served = { cert: readFileSync(certificate), key: readFileSync(key) };
const pages = createServer(served, (_, answer) => answer.setHeader("Content-Type", "text/html").end(html));
await new Promise((listening) => pages.listen(Number(pagesPort), "127.0.0.1", listening));

const browser = await launch(["--host-resolver-rules=MAP * 127.0.0.1", "--ignore-certificate-errors"]);
const context = await browser.newContext();
async function open(host, tab) {
  const page = tab ?? (await context.newPage());
  await page.goto(`https://${host}:${pagesPort}/`);
  await page.waitForFunction(() => globalThis.tab);
  return page;
}
/** The status that a form of a page gets: the browser goes there with whatever cookies it has, and back. */
async function submit(page, path, type) {
  const from = page.url();
  const action = `https://auth.example.com:${gatewayPort}/auth/${path}`;
  await page.setContent(`<form method="post" enctype="${type}" action="${action}"></form>`);
  const gone = page.waitForNavigation({ url: action });
  // Not at once: this call is to be answered before its page is left.
  await page.evaluate(() => void setTimeout(() => document.forms[0].submit()));
  const status = (await gone).status();
  await page.goto(from);
  return status;
}
const act = (page, name) => page.evaluate((name) => globalThis.tab[name](), name);
const readable = (page) => page.evaluate(() => document.cookie + JSON.stringify([localStorage, sessionStorage]));
const theCookie = async () => (await context.cookies()).filter((cookie) => cookie.name.endsWith("tollgate_rt"));

const first = await open(app);
assert.equal(await act(first, "call"), 401);
assert.equal(await act(first, "login"), 200);
assert.equal(await act(first, "call"), 200);
console.log("logged in");

const [cookie, ...others] = await theCookie();
assert.equal(others.length, 0);
assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.path], [true, true, "/auth"]);
console.log("cookie", cookie.name, cookie.sameSite, cookie.partitionKey ? "partitioned" : "whole");
assert.equal(await readable(first), "[{},{}]");

await first.reload();
await first.waitForFunction(() => globalThis.tab);
assert.equal(await act(first, "call"), 401, "the token was in memory alone");
assert.equal(await act(first, "refresh"), 200);
assert.equal(await act(first, "call"), 200);
const second = await open(app);
assert.equal(await act(second, "refresh"), 200);
assert.equal(await act(second, "call"), 200);
assert.equal(await act(first, "call"), 200, "the other tab's access goes on");
console.log("reloaded, and in a second tab");

const hostile = await context.newPage();
for (const host of ["evil.example.com", "evil.example"]) {
  const before = (await theCookie())[0].value;
  await open(host, hostile);
  for (const name of ["login", "refresh", "call", "logout"]) {
    assert.equal(await act(hostile, name), "blocked", `${name} at ${host}`);
  }
  assert.equal(await act(hostile, "knock"), "opaque");
  for (const [path, type] of [["refresh", "text/plain"], ["logout", "application/x-www-form-urlencoded"]]) {
    const status = await submit(hostile, path, type);
    assert.ok(status >= 400 && status < 500, `${path} by a form of ${host}: ${status}`);
  }
  assert.equal((await theCookie())[0].value, before);
  assert.equal(await act(first, "call"), 200);
}
console.log("hostile pages got nothing");

assert.equal(await act(first, "logout"), 200);
assert.deepEqual([await act(first, "call"), await act(second, "call")], [401, 401]);
assert.deepEqual(await theCookie(), []);
assert.notEqual(await act(second, "refresh"), 200);
console.log("logged out in both tabs");
await browser.close();
pages.close();
