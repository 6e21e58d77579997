// Node's own server as an upstream: node upstream.mjs h1|h2; prints `ready`, then its port.
//
// GET small, large, nothing (204), cached (304), events (Server-Sent Events, one each 100 ms)
// POST echo     the body back, with trailers: x-sum its length, x-heard the request's own x-sum
// POST early    403 before a byte of the body is read
// PUT, GET kept what was put
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";

const large = Buffer.alloc(3 << 20, "0123456789abcdef\n");
let kept = Buffer.alloc(0);

async function bodyOf(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

function events(response) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  let count = 0;
  const timer = setInterval(() => response.write(`data: ${count++}\n\n`), 100);
  response.on("close", () => clearInterval(timer));
}

async function echo(request, response) {
  const body = await bodyOf(request);
  response.writeHead(200, { "Content-Type": "application/octet-stream" });
  response.write(body);
  response.addTrailers({ "x-sum": String(body.length), "x-heard": request.trailers["x-sum"] ?? "none" });
  response.end();
}

function say(response, status, body) {
  response.writeHead(status, { "Content-Type": "text/plain", "Content-Length": body.length });
  response.end(body);
}

async function serve(request, response) {
  switch (`${request.method} ${request.url}`) {
    case "GET /small":
    case "HEAD /small":
    case "POST /small":
      return say(response, 200, "small\n");
    case "GET /large":
      return response.end(large);
    case "GET /nothing":
      return response.writeHead(204).end();
    case "GET /cached":
      return response.writeHead(304, { ETag: '"1"' }).end();
    case "GET /events":
      return events(response);
    case "POST /echo":
      return echo(request, response);
    case "POST /early":
      return say(response, 403, "no\n");
    case "PUT /kept":
      kept = await bodyOf(request);
      return say(response, 201, "");
    case "GET /kept":
      return response.end(kept);
    default:
      return say(response, 404, `${request.method} ${request.url}\n`);
  }
}

const server = process.argv[2] === "h2" ? createHttp2Server(serve) : createServer(serve);
server.listen(0, "127.0.0.1", () => console.log(`ready\n${server.address().port}`));
