// A real identity provider as a process of the test: node provider.mjs PORT
//
// GET  /…              oidc-provider: discovery, JWKS, token endpoint
// POST /control/rotate new keys from here on; `keep=1` publishes the old ones too
// POST /control/retire publishes the newest keys alone
//
// Clients rs256, es256 and eddsa get JWT access tokens (RFC 9068) signed by that algorithm, with the products `crm`.
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const audience = "https://api.example.com";
const algorithms = { rs256: "RS256", es256: "ES256", eddsa: "EdDSA" };

function freshKeys() {
  const kinds = [
    ["RS256", "rsa", { modulusLength: 2048 }],
    ["ES256", "ec", { namedCurve: "P-256" }],
    ["EdDSA", "ed25519", {}],
  ];
  return kinds.map(([alg, type, options]) => ({
    ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
    alg,
    use: "sig",
    kid: `${alg}-${randomUUID()}`,
  }));
}

function provider(keys) {
  return new Provider(issuer, {
    jwks: { keys },
    clients: Object.keys(algorithms).map((client_id) => ({
      client_id,
      client_secret: `secret-of-${client_id}`,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
    })),
    extraTokenClaims: () => ({ products: ["crm"] }),
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, _indicator, client) => ({
          scope: "crm.read",
          audience,
          accessTokenFormat: "jwt",
          accessTokenTTL: 300,
          jwt: { sign: { alg: algorithms[client.clientId] } },
        }),
      },
    },
  }).callback();
}

let keys = freshKeys();
let serve = provider(keys);

createServer((request, response) => {
  if (request.method === "POST" && request.url.startsWith("/control/rotate")) {
    const old = request.url.includes("keep=1") ? keys : [];
    keys = freshKeys();
    serve = provider([...keys, ...old]);
    response.end("rotated\n");
    return;
  }
  if (request.method === "POST" && request.url === "/control/retire") {
    serve = provider(keys);
    response.end("retired\n");
    return;
  }
  serve(request, response);
}).listen(port, "127.0.0.1", () => console.log("ready"));
