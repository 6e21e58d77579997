// Pages of two origins in headless Chromium, before a gate: node pages.mjs GATE LISTED FOREIGN TOKEN POOR
// GATE, LISTED and FOREIGN are host:port; the last two serve one empty page each. Prints `ready`, reads a token that
// soon ends, and prints one JSON object.
//
// EventSource cannot send `Authorization`: where a token is needed, a page reads the stream with fetch.
import { createServer } from "node:http";
import { createInterface } from "node:readline/promises";
import { launch } from "../browser.mjs";

const [gate, listed, foreign, token, poor] = process.argv.slice(2);
const pages = [listed, foreign].map((address) => {
  const server = createServer((_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<p>"));
  return server.listen(Number(address.split(":")[1]), "127.0.0.1");
});

// What the pages run. Each returns what a script may know.

async function call([url, bearer, method]) {
  try {
    const headers = bearer ? { Authorization: `Bearer ${bearer}` } : {};
    const answer = await fetch(url, { method, headers });
    const body = await answer.text();
    const reason = body.startsWith("{") ? JSON.parse(body).reason : body.trim();
    return [answer.status, reason, answer.headers.has("x-request-id")].join(" ");
  } catch (error) {
    return error.name;
  }
}

function listen(url) {
  return new Promise((resolve) => {
    const heard = [];
    const source = new EventSource(url);
    source.onerror = () => (source.close(), resolve("error"));
    source.onmessage = (event) => heard.push(event.data) < 3 || (source.close(), resolve(heard.join(" ")));
  });
}

async function read([url, bearer]) {
  const answer = await fetch(url, { headers: { Authorization: `Bearer ${bearer}` } });
  const reader = answer.body.getReader();
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return { how: "done", bytes, at: Date.now() };
      bytes += value.length;
    }
  } catch (error) {
    return { how: error.name, bytes, at: Date.now() };
  }
}

function talk([url, protocols, until]) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    let said = "";
    socket.onopen = () => socket.send("hello");
    socket.onmessage = (event) => {
      said = `${socket.protocol} ${event.data}`;
      if (until === "answer") resolve(said) || socket.close();
    };
    socket.onclose = (event) => resolve([said, event.code].join(" ").trim());
  });
}

const browser = await launch();
const [page, other] = await Promise.all(
  [listed, foreign].map(async (address) => {
    const page = await browser.newPage();
    await page.goto(`http://${address}/`);
    return page;
  }),
);
const [app, chat] = [`http://${gate}/app`, `ws://${gate}/chat`];
const told = {
  get: await page.evaluate(call, [`${app}/small`, token, "GET"]),
  put: await page.evaluate(call, [`${app}/kept`, token, "PUT"]),
  none: await page.evaluate(call, [`${app}/small`, "", "GET"]),
  poor: await page.evaluate(call, [`${app}/small`, poor, "GET"]),
  unknown: await page.evaluate(call, [`${app}/small`, token, "DELETE"]),
  foreign: await other.evaluate(call, [`${app}/small`, token, "GET"]),
  foreignSimple: await other.evaluate(call, [`${app}/small`, "", "GET"]),
  events: await page.evaluate(listen, `http://${gate}/events`),
  foreignEvents: await other.evaluate(listen, `http://${gate}/events`),
  refusedEvents: await page.evaluate(listen, `${app}/events`),
  socket: await page.evaluate(talk, [chat, [`bearer.${token}`, "chat"], "answer"]),
  noSocket: await page.evaluate(talk, [chat, ["chat"], "close"]),
};
// Both end with the token.
const lines = createInterface({ input: process.stdin });
console.log("ready");
const short = await lines.question("");
lines.close();
[told.stream, told.closed] = await Promise.all([
  page.evaluate(read, [`${app}/events`, short]),
  page.evaluate(talk, [chat, [`bearer.${short}`, "chat"], "close"]),
]);
console.log(JSON.stringify(told));
await browser.close();
for (const server of pages) {
  server.close();
  server.closeAllConnections();
}
