"""PyJWT: a service that fetches the JWKS by PyJWKClient and verifies what it is handed."""

import jwt

from house import ISSUER, METADATA, login

token = login("mobile")["access_token"]
keys = jwt.PyJWKClient(METADATA["jwks_uri"])


def verify(token):
    return jwt.decode(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["ES256"],
        audience="https://api.example.com",
        issuer=ISSUER,
        options={"require": ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "sid"]},
    )


claims = verify(token)
assert claims["sub"] == "ada" and claims["products"] == ["crm"], claims
assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
head, payload, signature = token.split(".")
other = login("mobile")["access_token"].split(".")[1]
try:
    verify(".".join([head, other, signature]))
    raise AssertionError("a signature of other claims verifies")
except jwt.InvalidSignatureError:
    print("verified")
