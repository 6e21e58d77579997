"""Keys, and files of tokens: good ones in number, and one of each kind that a gateway must refuse."""

import base64
import datetime
import hashlib
import hmac
import json
import multiprocessing
import secrets
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

ISSUER = "https://idp.example.test/"
AUDIENCE = "edge-gateway"
PRODUCT = "orders"
LIFETIME_S = 30 * 86400


def certificate(folder):
    """Writes a self-signed certificate, tls.pem, and its key, tls.pem.key, anew."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench.example.test")])
    now = datetime.datetime.now(datetime.timezone.utc)
    building = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName("bench.example.test")])
    shown = building.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "tls.pem").write_bytes(shown.public_bytes(pem))
    (folder / "tls.pem.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password))


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Key:
    """One private key or secret in a file, and what it signs."""

    def __init__(self, folder, algorithm, name=None):
        self.algorithm, self.name = algorithm, name or algorithm.lower()
        self.private_file = folder / f"{self.name}.key"
        self.public_file = folder / f"{self.name}.pub.pem"
        if not self.private_file.exists():
            self._make()
        data = self.private_file.read_bytes()
        self.secret = data if algorithm == "HS256" else None
        self.key = None if self.secret else serialization.load_pem_private_key(data, None)

    def _make(self):
        if self.algorithm == "HS256":
            # Printable, so that it can stand in every gateway's configuration.
            self.private_file.write_text(secrets.token_urlsafe(32))
            return
        key = {
            "RS256": lambda: rsa.generate_private_key(65537, 2048),
            "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "EdDSA": ed25519.Ed25519PrivateKey.generate,
        }[self.algorithm]()
        pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
        self.private_file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password))
        public = serialization.PublicFormat.SubjectPublicKeyInfo
        self.public_file.write_bytes(key.public_key().public_bytes(pem, public))

    def jwk(self):
        names = {"alg": self.algorithm, "kid": self.name, "use": "sig"}
        if self.secret:
            return {**names, "kty": "oct", "k": b64(self.secret)}
        public = self.key.public_key()
        if self.algorithm == "EdDSA":
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return {**names, "kty": "OKP", "crv": "Ed25519", "x": b64(raw)}
        numbers = public.public_numbers()
        if self.algorithm == "RS256":
            return {**names, "kty": "RSA", "n": b64(numbers.n.to_bytes(256, "big")), "e": "AQAB"}
        x, y = (b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        return {**names, "kty": "EC", "crv": "P-256", "x": x, "y": y}

    def sign(self, data):
        if self.algorithm == "HS256":
            return hmac.new(self.secret, data, hashlib.sha256).digest()
        if self.algorithm == "RS256":
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if self.algorithm == "EdDSA":
            return self.key.sign(data)
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def token(self, **changes):
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": f"user-{secrets.token_hex(12)}", "jti": secrets.token_hex(16),
            "iat": now, "exp": now + LIFETIME_S, "products": [PRODUCT, "billing", "search"],
            "scope": "openid profile email orders:read orders:write billing:read",
            "email": f"someone.{secrets.token_hex(4)}@example.test", "tenant": secrets.token_hex(16), **changes,
        }
        return self.seal({"alg": self.algorithm, "typ": "JWT", "kid": self.name}, claims)

    def seal(self, header, claims):
        parts = (b64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
        signed = ".".join(parts)
        return f"{signed}.{b64(self.sign(signed.encode()))}"


def tokens_file(folder, key, count):
    """A file of `count` good tokens, one a line; made once, and again when they grow old."""
    file = folder / f"{key.name}.{count}.txt"
    if not file.exists() or time.time() - file.stat().st_mtime > LIFETIME_S / 2:
        with multiprocessing.Pool(initializer=_inherit, initargs=(key.private_file.parent, key.algorithm, key.name)) as pool:
            tokens = pool.imap_unordered(_mint, range(count), chunksize=max(1, count // 100))
            file.write_text("".join(f"{token}\n" for token in tokens))
    return file


def _inherit(*which):
    global _key
    _key = Key(*which)


def _mint(_):
    return _key.token()


def forgeries(key):
    """What must be refused: name, token, the statuses that count as a refusal."""
    good = key.token()
    header, claims, signature = good.split(".")
    other = json.loads(unb64(claims)) | {"sub": "admin"}
    tampered = b64(json.dumps(other, separators=(",", ":")).encode())
    none = b64(b'{"alg":"none","typ":"JWT"}')
    flipped = signature[:9] + ("A" if signature[9] != "A" else "B") + signature[10:]
    return [
        ("missing", None, {401}),
        ("garbage", "abc", {401}),
        ("tampered", f"{header}.{tampered}.{signature}", {401}),
        ("another signature", f"{header}.{claims}.{flipped}", {401}),
        ("alg none", f"{none}.{claims}.", {401}),
        ("expired", key.token(exp=int(time.time()) - 7200), {401}),
        ("another audience", key.token(aud="somebody-else"), {401, 403}),
        ("another product", key.token(products=["other"]), {401, 403}),
    ]
