// What the drivers of this folder share: node by-….mjs ISSUER PARTNER_KEY_PEM
//
// The gateway at ISSUER knows the public client `mobile`, `backend` with a secret, and `partner` with the key of the file.
import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";

export const [issuer, keyFile] = process.argv.slice(2);
export const secret = "secret-of-backend-0123456789abcdef";

/** The private key of `partner`, as WebCrypto has it. */
export function partnerKey() {
  const jwk = createPrivateKey(readFileSync(keyFile)).export({ format: "jwk" });
  return crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
}

/** The answer to a login of `client`. */
export async function login(client, proof = {}) {
  const answer = await fetch(`${issuer}/auth/login`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Client-Id": client, ...proof },
    body: JSON.stringify({ user: "ada" }),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
}

/** The status of an API call. */
export async function api(token) {
  const answer = await fetch(`${issuer}/crm/x`, { headers: { Authorization: `Bearer ${token}` } });
  await answer.text();
  return answer.status;
}
