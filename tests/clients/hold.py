"""Holds slow connections open until the gateway closes them: hold.py GATEWAY SINK KIND=COUNT…

KIND is `idle` (says nothing), `header` (a head, byte by byte), `body` (a body, byte by byte) or `served` (had one
answer, then says nothing); `tls-idle` and `tls-served` are those behind a handshake. SINK is where this process listens for
the gateway's own connections to an upstream that never answers. Prints `ready` once all are open, and behind the last one's
end one line of JSON: for each kind how many were closed, and the statuses that were told."""

import collections
import json
import resource
import selectors
import socket
import ssl
import sys
import time

# Connections that are being opened at once: fewer than any listener's backlog.
OPENING_MAX = 100
# Bytes a second of all connections together: what is tried is to hold connections, not to make the gateway forward.
BYTES_MAX = 1000
FIRST = {
    "idle": b"",
    "header": b"GET /slow HTTP/1.1\r\nHost: a\r\nX: ",
    "body": b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n",
    "served": b"GET /served HTTP/1.1\r\nHost: a\r\n\r\n",
}
# What the test's upstream answers with.
SERVED = b"hello from the upstream\n"
# The gateway's certificate is not what is measured here.
TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TLS.check_hostname = False
TLS.verify_mode = ssl.CERT_NONE


class Held:
    """One connection."""

    def __init__(self, kind, address):
        self.kind = kind.removeprefix("tls-")
        self.encrypts = self.kind != kind
        self.began = None
        self.ended = False
        self.told = b""
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.socket.connect_ex(address)

    def begin(self):
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "a connection is refused")
        self.began = time.monotonic()
        if self.encrypts:
            self.socket.settimeout(30)
            self.socket = TLS.wrap_socket(self.socket)
        if FIRST[self.kind]:
            self.socket.send(FIRST[self.kind])
        if self.kind == "served":
            self.socket.settimeout(30)
            answer = b""
            while not answer.endswith(SERVED):
                answer += self.socket.recv(4096)
        self.socket.setblocking(False)

    def drip(self):
        if self.kind in ("header", "body"):
            try:
                self.socket.send(b"x")
            except OSError:
                pass  # What it was told is still to be read.

    def hear(self):
        """Whether it goes on."""
        try:
            came = self.socket.recv(4096)
        except ssl.SSLWantReadError:
            return True
        except OSError:
            came = b""
        self.told += came
        return bool(came)


def waiting(listener):
    """The gateway's connections that wait to be taken."""
    while True:
        try:
            peer = listener.accept()[0]
        except BlockingIOError:
            return
        peer.setblocking(False)
        yield peer


def address(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main():
    gateway, sink = address(sys.argv[1]), address(sys.argv[2])
    wanted = [kind for pair in sys.argv[3:] for kind in [pair.split("=")[0]] * int(pair.split("=")[1])]
    # Seconds between two bytes of one connection.
    pause = max(1.0, len(wanted) / BYTES_MAX)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    needed = 2 * len(wanted) + 100
    if hard != resource.RLIM_INFINITY and hard < needed:
        print(f"{needed} open files are needed and {hard} are allowed: raise `ulimit -Hn`", flush=True)
        sys.exit(1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    poll = selectors.DefaultSelector()
    listener = socket.create_server(sink, backlog=4096)
    listener.setblocking(False)
    poll.register(listener, selectors.EVENT_READ, "sink")
    kept = set()
    opening, ready = 0, False
    # What is to send its next byte, and when: the first in time is first.
    turns = collections.deque()
    result = {kind.removeprefix("tls-"): {"closed": 0, "statuses": {}} for kind in set(wanted)}
    total, ended = len(wanted), 0
    while ended < total:
        while wanted and opening < OPENING_MAX:
            one = Held(wanted.pop(), gateway)
            poll.register(one.socket, selectors.EVENT_WRITE, one)
            opening += 1
        for key, _ in poll.select(0.02):
            one = key.data
            if one == "sink":
                for peer in waiting(listener):
                    kept.add(peer)
                    poll.register(peer, selectors.EVENT_READ, None)
            elif one is None:
                try:
                    over = not key.fileobj.recv(65536)
                except ConnectionError:
                    over = True
                if over:
                    poll.unregister(key.fileobj)
                    kept.discard(key.fileobj)
                    key.fileobj.close()
            elif one.began is None:
                poll.unregister(one.socket)
                one.begin()
                opening -= 1
                turns.append((one.began + pause, one))
                poll.register(one.socket, selectors.EVENT_READ, one)
            elif not one.hear():
                poll.unregister(one.socket)
                one.socket.close()
                one.ended = True
                ended += 1
                note(result[one.kind], one)
        if not ready and not wanted and not opening:
            ready = True
            print("ready", flush=True)
        now = time.monotonic()
        while turns and turns[0][0] <= now:
            due, one = turns.popleft()
            if not one.ended:
                one.drip()
                turns.append((due + pause, one))
    print(json.dumps(result), flush=True)


def note(kind, one):
    kind["closed"] += 1
    status = one.told.split(b" ", 2)[1].decode() if one.told.startswith(b"HTTP/") else ""
    kind["statuses"][status] = kind["statuses"].get(status, 0) + 1


main()
