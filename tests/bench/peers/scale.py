"""What tollgate costs when there is much of something: routes, issuers, revocations, new tokens, workers."""

import secrets
import sqlite3
import sys
import time
from dataclasses import replace

from gateways import UPSTREAM_PORT
from mint import AUDIENCE, ISSUER, PRODUCT, tokens_file

MANY_ROUTES, MANY_ISSUERS, MANY_REVOKED, WARM_TOKENS = 10_000, 100, 1_000_000, 1000
# tollgate remembers 65,536 tokens: from then on each new one takes the place of another.
FIRST_TOKENS, MORE_THAN_KEPT = 2000, 80_000
DAY_MS = 86_400_000


def scale_rows(bench, tollgate, keys, rounds, cold_tokens):
    """Interleaved rounds of every case; `usual` is what the others are compared with."""
    folder = bench.home / "peers"
    warm = tokens_file(folder / "tokens", keys["EdDSA"], WARM_TOKENS)
    cold = {algorithm: tokens_file(folder / "tokens", keys[algorithm], cold_tokens) for algorithm in ("RS256", "ES256")}
    cases = [("usual", tollgate, keys["EdDSA"], warm, {})]
    cases += [
        (f"every token new, {algorithm}", tollgate, keys[algorithm], tokens, {"new": FIRST_TOKENS})
        for algorithm, tokens in cold.items()
    ]
    cases += [(f"the same behind {MORE_THAN_KEPT:,} others", tollgate, keys["ES256"], cold["ES256"], {"new": MORE_THAN_KEPT})]
    cases += [
        (f"{MANY_ROUTES:,} routes", adding(tollgate, routes()), keys["EdDSA"], warm, {}),
        (f"{MANY_ISSUERS} issuers", adding(tollgate, issuers(folder)), keys["EdDSA"], tokens_of_all_issuers(folder, keys["EdDSA"]), {}),
        (f"{MANY_REVOKED:,} revocations", adding(tollgate, sessions(bench, tollgate, folder)), keys["EdDSA"], warm, {}),
        ("2 workers", tollgate, keys["EdDSA"], warm, {"threads": 2}),
    ]
    measured = []
    for number in range(rounds):
        for name, gateway, key, tokens, how in cases:
            try:
                figures = bench.cpu(gateway, key, tokens, **how)
            except RuntimeError as error:
                print(f"!!! DROPPED scale, {name}: {error}", file=sys.stderr, flush=True)
                continue
            measured.append({"part": "scale", "name": name, "checks": key.algorithm, "round": number, **figures})
            print(f"round {number + 1}  {name:24} cpu_us {figures['cpu_us']:.1f}", flush=True)
    return measured


def adding(gateway, text):
    """The gateway with more behind its configuration."""

    def configure(threads, h2):
        command = gateway.configure(threads, h2)
        with open(command[-1], "a") as file:
            file.write(text)
        return command

    return replace(gateway, configure=configure, settle_s=2)


def routes():
    return "".join(
        f'[routes.r{number}]\npath = "/r{number}/*"\nproduct = "{PRODUCT}"\nupstream = "up"\n'
        for number in range(MANY_ROUTES - 1))


def issuers(folder):
    return "".join(
        f'[issuers.i{number}]\nissuer = "{issuer(number)}"\naudiences = ["{AUDIENCE}"]\nalgorithms = ["EdDSA"]\n'
        f'jwks_file = "{folder}/run/jwks.json"\nlifetime_max = "3650d"\ntypes = ["JWT"]\n'
        for number in range(1, MANY_ISSUERS))


def issuer(number):
    return f"https://i{number}.example.test/" if number else ISSUER


def tokens_of_all_issuers(folder, key):
    file = folder / "tokens/issuers.txt"
    file.write_text("".join(f"{key.token(iss=issuer(number % MANY_ISSUERS))}\n" for number in range(WARM_TOKENS)))
    return file


def sessions(bench, tollgate, folder):
    """A session side whose store has a million revocations: the first start makes the file, then rows are added."""
    store = folder / "sessions.db"
    for file in folder.glob("sessions.db*"):
        file.unlink()
    (folder / "refresh.key").write_text(secrets.token_hex(32))
    text = f'''
[sessions]
issuer = "https://sessions.example.test"
audience = "{AUDIENCE}"
signing_keys = ["file:{folder}/keys/es256.key"]
refresh_keys = ["file:{folder}/refresh.key"]
[sessions.store]
kind = "sqlite"
path = "{store}"
[sessions.login_hook]
url = "http://127.0.0.1:{UPSTREAM_PORT}/login"
secret = "file:{folder}/refresh.key"
[sessions.clients.app]
type = "public"
'''
    with bench.serving(adding(tollgate, text), None, proven=False):
        pass
    now = int(time.time() * 1000)
    rows = (("token", f"gone-{number}", None, now, now + DAY_MS) for number in range(MANY_REVOKED))
    with sqlite3.connect(store) as database:
        database.executemany("INSERT INTO revlog(kind, value, issuer, cutoff, expires_at) VALUES(?, ?, ?, ?, ?)", rows)
    return text
