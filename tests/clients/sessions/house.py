"""What the Python drivers of this folder share: by_….py ISSUER PARTNER_KEY_PEM"""

import sys

import httpx

ISSUER, KEY_FILE = sys.argv[1:]
SECRET = "secret-of-backend-0123456789abcdef"
METADATA = httpx.get(f"{ISSUER}/.well-known/oauth-authorization-server").raise_for_status().json()
TOKEN_URL = METADATA["token_endpoint"]


def login(client):
    """The answer to a login of a public client."""
    answer = httpx.post(f"{ISSUER}/auth/login", headers={"X-Client-Id": client}, json={"user": "ada"})
    return answer.raise_for_status().json()


def api(token):
    """The status of an API call."""
    return httpx.get(f"{ISSUER}/crm/x", headers={"Authorization": f"Bearer {token}"}).status_code
