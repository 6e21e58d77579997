// oidc-client-ts as a native app runs it: metadata, silent renewal by refresh token, revocation of both tokens.
import assert from "node:assert/strict";
import { InMemoryWebStorage, User, UserManager, WebStorageStateStore } from "oidc-client-ts";
import { api, issuer, login } from "./house.mjs";

// What a browser has and the library asks for.
globalThis.window ??= { setTimeout, clearTimeout, setInterval, clearInterval };
const memory = () => new WebStorageStateStore({ store: new InMemoryWebStorage() });
const manager = new UserManager({
  authority: issuer,
  metadataUrl: `${issuer}/.well-known/openid-configuration`,
  client_id: "mobile",
  redirect_uri: "http://127.0.0.1/callback",
  scope: "crm.read",
  userStore: memory(),
  stateStore: memory(),
  revokeTokenTypes: ["access_token", "refresh_token"],
  automaticSilentRenew: false,
  monitorSession: false,
});

const first = await login("mobile");
const expires_at = Math.floor(Date.now() / 1000) + first.expires_in;
await manager.storeUser(new User({ ...first, profile: { sub: "ada" }, expires_at }));
const renewed = await manager.signinSilent();
assert.notEqual(renewed.refresh_token, first.refresh_token);
assert.equal(renewed.scope, "crm.read");
assert.equal(await api(renewed.access_token), 200);
const once_more = await manager.signinSilent();
assert.notEqual(once_more.refresh_token, renewed.refresh_token);
assert.equal((await manager.getUser()).refresh_token, once_more.refresh_token);
console.log("renewed twice");

await manager.revokeTokens();
assert.equal(await api(once_more.access_token), 401);
await manager.storeUser(new User({ ...once_more, profile: { sub: "ada" }, expires_at }));
await assert.rejects(manager.signinSilent(), { error: "invalid_grant" });
await manager.removeUser(); // its timers would keep the process
console.log("revoked");
