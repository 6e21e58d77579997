// oauth4webapi, which reads every answer to the letter; its own check of an RFC 9068 access token among them.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { api, issuer, login, partnerKey, secret } from "./house.mjs";

const http = { [oauth.allowInsecureRequests]: true };
const audience = "https://api.example.com";
for (const algorithm of ["oidc", "oauth2"]) {
  const answer = await oauth.discoveryRequest(new URL(issuer), { ...http, algorithm });
  assert.equal((await oauth.processDiscoveryResponse(new URL(issuer), answer)).issuer, issuer);
}
const answer = await oauth.discoveryRequest(new URL(issuer), { ...http, algorithm: "oauth2" });
const server = await oauth.processDiscoveryResponse(new URL(issuer), answer);

/** Checks a token as a resource server of this library does. */
async function validate(token) {
  const request = new Request("https://api.example.com/crm/x", { headers: { Authorization: `Bearer ${token}` } });
  const claims = await oauth.validateJwtAccessToken(server, request, audience, http);
  for (const name of ["iss", "sub", "aud", "client_id", "iat", "exp", "jti"]) {
    assert.ok(claims[name], `RFC 9068 wants ${name}`);
  }
  return claims;
}

const mobile = { client_id: "mobile" };
const first = await login("mobile");
const refresh = async (token) => {
  const answer = await oauth.refreshTokenGrantRequest(server, mobile, oauth.None(), token, http);
  return oauth.processRefreshTokenResponse(server, mobile, answer);
};
const second = await refresh(first.refresh_token);
const [before, after] = [await validate(first.access_token), await validate(second.access_token)];
assert.equal(before.sub, "ada");
assert.equal(before.sid, after.sid, "one session");
assert.notEqual(before.jti, after.jti);
assert.equal(await api(second.access_token), 200);
const returned = await oauth.revocationRequest(server, mobile, oauth.None(), first.refresh_token, http);
await oauth.processRevocationResponse(returned);
assert.equal(await api(second.access_token), 401, "a spent token, given back, ends its chain too");
await assert.rejects(refresh(second.refresh_token), { error: "invalid_grant", status: 400 });
console.log("refresh and revoke");

const ways = [
  ["backend", oauth.ClientSecretBasic(secret)],
  ["backend", oauth.ClientSecretPost(secret)],
  ["partner", oauth.PrivateKeyJwt(await partnerKey())],
];
for (const [client_id, proof] of ways) {
  const client = { client_id };
  const wish = new URLSearchParams({ scope: "crm.read" });
  const granted = await oauth.clientCredentialsGrantRequest(server, client, proof, wish, http);
  const tokens = await oauth.processClientCredentialsResponse(server, client, granted);
  const claims = await validate(tokens.access_token);
  assert.deepEqual([claims.sub, claims.client_id, claims.products], [client_id, client_id, ["crm"]]);
  const asked = await oauth.introspectionRequest(server, client, proof, tokens.access_token, http);
  const told = await oauth.processIntrospectionResponse(server, client, asked);
  assert.deepEqual([told.active, told.sub, told.exp], [true, client_id, claims.exp]);
}
console.log("client credentials and introspection");
