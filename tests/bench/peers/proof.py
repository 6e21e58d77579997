"""Whether a gateway does what its row says: a good token passes, and every bad one is refused."""

import http.client
import time

from gateways import PORT
from mint import forgeries

BODY_BYTES = 1024


class Unproven(Exception):
    """The row is worth nothing: the gateway does not check what it is compared for."""


def ask(token):
    """Status and length of the body of one GET."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    try:
        headers = {"Host": "bench.example.test"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection.request("GET", "/", headers=headers)
        answer = connection.getresponse()
        return answer.status, len(answer.read())
    finally:
        connection.close()


def await_answers(limit_s=60):
    """Waits until something answers: a port that is open may be one that is tried out, and closed again."""
    end = time.time() + limit_s
    while True:
        try:
            return ask(None)
        except (OSError, http.client.HTTPException):
            if time.time() > end:
                raise
            time.sleep(0.05)


def prove(gateway, key):
    """Asks the running gateway with good and bad tokens of `key`; without a key, only that it answers.

    Raises `Unproven` with everything that it got wrong.
    """
    wrong = []
    good = ask(key and key.token())
    if good != (200, BODY_BYTES):
        wrong.append(f"a good request got {good}")
    for name, token, refusals in forgeries(key) if key else []:
        if name in gateway.blind_to:
            continue
        status, _ = ask(token)
        if status not in refusals:
            wrong.append(f"{name}: {status}")
    if wrong:
        raise Unproven("; ".join(wrong))
