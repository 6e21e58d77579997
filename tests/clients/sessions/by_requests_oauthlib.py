"""requests-oauthlib: refreshes on its own when the token is over, and keeps what it gets."""

import os

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from house import ISSUER, METADATA, SECRET, TOKEN_URL, api, login

first = login("mobile")
kept = []
mobile = OAuth2Session(
    "mobile",
    scope=["crm.read"],
    token={**first, "expires_in": -1, "expires_at": 1},
    auto_refresh_url=TOKEN_URL,
    auto_refresh_kwargs={"client_id": "mobile"},
    token_updater=kept.append,
)
assert mobile.get(f"{ISSUER}/crm/x").status_code == 200
second = kept.pop()
assert second["refresh_token"] != first["refresh_token"]
third = mobile.refresh_token(TOKEN_URL, client_id="mobile")
assert third["refresh_token"] != second["refresh_token"]
answer = mobile.post(
    METADATA["revocation_endpoint"],
    data={"token": third["refresh_token"], "client_id": "mobile"},
    withhold_token=True,
)
assert answer.status_code == 200, answer.text
assert api(third["access_token"]) == 401
try:
    mobile.refresh_token(TOKEN_URL, client_id="mobile")
    raise AssertionError("a session that was given back refreshes")
except InvalidGrantError:
    print("refresh and revoke")

backend = OAuth2Session(client=BackendApplicationClient("backend", scope=["crm.read"]))
granted = backend.fetch_token(TOKEN_URL, auth=HTTPBasicAuth("backend", SECRET))
assert api(granted["access_token"]) == 200
assert backend.get(f"{ISSUER}/crm/x").status_code == 200
print("client credentials")
