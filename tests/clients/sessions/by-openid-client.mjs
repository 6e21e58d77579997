// openid-client: discovery by both documents, refresh, client credentials in three ways, revocation, introspection.
import assert from "node:assert/strict";
import * as client from "openid-client";
import { api, issuer, login, partnerKey, secret } from "./house.mjs";

const discover = (id, proof, algorithm) =>
  client.discovery(new URL(issuer), id, undefined, proof, { execute: [client.allowInsecureRequests], algorithm });
const refused = (error) => error instanceof client.ResponseBodyError && error.error === "invalid_grant";

for (const algorithm of ["oidc", "oauth2"]) {
  const mobile = await discover("mobile", client.None(), algorithm);
  const first = await login("mobile");
  const second = await client.refreshTokenGrant(mobile, first.refresh_token);
  assert.equal(second.token_type, "bearer");
  assert.ok(second.expiresIn() > 500 && second.expiresIn() <= 600);
  assert.notEqual(second.refresh_token, first.refresh_token);
  const again = await client.refreshTokenGrant(mobile, first.refresh_token);
  assert.equal(again.refresh_token, second.refresh_token, "a lost answer is given again");
  const third = await client.refreshTokenGrant(mobile, second.refresh_token, { scope: "crm.read" });
  assert.equal(third.scope, "crm.read");
  assert.equal(await api(third.access_token), 200);
  await assert.rejects(client.refreshTokenGrant(mobile, third.refresh_token, { scope: "crm.write" }), {
    error: "invalid_scope",
  });
  await client.tokenRevocation(mobile, third.refresh_token, { token_type_hint: "refresh_token" });
  assert.equal(await api(third.access_token), 401, "its access tokens end with it");
  await assert.rejects(client.refreshTokenGrant(mobile, third.refresh_token), refused);
  console.log("refresh and revoke", algorithm);
}

const ways = {
  client_secret_basic: ["backend", client.ClientSecretBasic(secret)],
  client_secret_post: ["backend", client.ClientSecretPost(secret)],
  private_key_jwt: ["partner", client.PrivateKeyJwt(await partnerKey())],
};
for (const [name, [id, proof]] of Object.entries(ways)) {
  const config = await discover(id, proof);
  const tokens = await client.clientCredentialsGrant(config, { scope: "crm.read" });
  assert.equal(tokens.refresh_token, undefined);
  assert.equal(await api(tokens.access_token), 200);
  const told = await client.tokenIntrospection(config, tokens.access_token);
  assert.equal(told.active, true);
  assert.equal(told.client_id, id);
  assert.equal(told.scope, "crm.read");
  await client.tokenRevocation(config, tokens.access_token);
  assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, false);
  assert.equal(await api(tokens.access_token), 401);
  console.log("client credentials", name);
}

const stranger = await discover("backend", client.ClientSecretBasic("not-the-secret-0123456789abcdef"));
await assert.rejects(client.clientCredentialsGrant(stranger), (error) => {
  const [challenge] = error.cause;
  return error.code === "OAUTH_WWW_AUTHENTICATE_CHALLENGE" && challenge.scheme === "basic" && error.status === 401;
});
console.log("a wrong secret is refused");
