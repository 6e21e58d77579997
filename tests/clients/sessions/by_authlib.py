"""authlib: refresh by hand and on its own, client credentials in three ways, revocation, introspection."""

import os

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey

from house import ISSUER, KEY_FILE, METADATA, SECRET, TOKEN_URL, api, login

first = login("mobile")
kept = []
mobile = OAuth2Session(
    "mobile",
    token_endpoint=TOKEN_URL,
    token_endpoint_auth_method="none",
    revocation_endpoint_auth_method="none",
    scope="crm.read",
    token=dict(first),
    update_token=lambda token, **_: kept.append(token),
)
second = mobile.refresh_token(TOKEN_URL)
assert second["refresh_token"] != first["refresh_token"]
assert api(second["access_token"]) == 200
mobile.token = {**second, "expires_at": 1}
assert mobile.get(f"{ISSUER}/crm/x").status_code == 200, "it refreshes before the call by itself"
third = kept[-1]
assert third["refresh_token"] != second["refresh_token"]
answer = mobile.revoke_token(METADATA["revocation_endpoint"], token=third["refresh_token"])
assert answer.status_code == 200, answer.text
assert api(third["access_token"]) == 401
try:
    mobile.refresh_token(TOKEN_URL, refresh_token=third["refresh_token"])
    raise AssertionError("a session that was given back refreshes")
except OAuthError as error:
    assert error.error == "invalid_grant", error
print("refresh and revoke")

with open(KEY_FILE) as file:
    KEY = ECKey.import_key(file.read())
for name, client, secret, method in [
    ("client_secret_basic", "backend", SECRET, "client_secret_basic"),
    ("client_secret_post", "backend", SECRET, "client_secret_post"),
    # Its assertions live for an hour; their audience is the endpoint it calls, or the issuer when it is told so.
    ("private_key_jwt for the endpoint", "partner", KEY, PrivateKeyJWT(alg="ES256")),
    ("private_key_jwt for the issuer", "partner", KEY, PrivateKeyJWT(ISSUER, alg="ES256")),
]:
    session = OAuth2Session(
        client,
        secret,
        scope="crm.read",
        token_endpoint_auth_method=method,
        introspection_endpoint_auth_method=method,
    )
    granted = session.fetch_token(TOKEN_URL, grant_type="client_credentials")
    assert "refresh_token" not in granted
    assert api(granted["access_token"]) == 200
    told = session.introspect_token(METADATA["introspection_endpoint"], token=granted["access_token"])
    assert told.json()["active"] is True, told.text
    assert told.json()["client_id"] == client
    print("client credentials", name)
