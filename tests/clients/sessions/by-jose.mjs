// jose: a service that fetches the JWKS and verifies what it is handed.
import assert from "node:assert/strict";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { issuer, login } from "./house.mjs";

const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
const terms = { issuer, audience: "https://api.example.com", typ: "at+jwt", requiredClaims: ["sid", "jti", "client_id"] };
const { access_token, refresh_token } = await login("mobile");
const { payload, protectedHeader } = await jwtVerify(access_token, keys, { ...terms, algorithms: ["ES256"] });
assert.equal(payload.sub, "ada");
assert.deepEqual(payload.products, ["crm"]);
assert.ok(protectedHeader.kid);
const [head, , signature] = access_token.split(".");
const forged = Buffer.from(JSON.stringify({ ...payload, products: ["crm", "billing"] })).toString("base64url");
await assert.rejects(jwtVerify(`${head}.${forged}.${signature}`, keys, terms));
await assert.rejects(jwtVerify(refresh_token, keys, terms));
console.log("verified");
