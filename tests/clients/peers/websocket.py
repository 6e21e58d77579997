"""The `websockets` library at both ends.

websocket.py serve               an echo that speaks `chat`; prints `ready`, then its port
websocket.py ask URL TOKEN       one line for each way to show a token, or none
websocket.py stay URL HOW        prints `ready`, reads a token, stays until it is closed; prints `open`, then the close code
"""

import sys
import threading
import time

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve


def echo(socket):
    for message in socket:
        socket.send(message)


def open_socket(url, token, how):
    headers = {"Authorization": f"Bearer {token}"} if how == "header" else {}
    entries = [f"bearer.{token}"] if how == "protocol" else []
    return connect(url, additional_headers=headers, subprotocols=["chat", *entries], proxy=None)


def ask(url, token):
    for how in ["header", "protocol", "none"]:
        try:
            with open_socket(url, token, how) as socket:
                texts = ["hello", "x" * 300_000, b"\x00\xff"]
                answers = []
                for text in texts:
                    socket.send(text)
                    answers.append(socket.recv() == text)
                print(how, socket.subprotocol, all(answers))
        except InvalidStatus as refused:
            print(how, refused.response.status_code)


def stay(url, how):
    print("ready", flush=True)
    socket = open_socket(url, input(), how)
    print("open", flush=True)
    try:
        while True:
            socket.send("still here")
            socket.recv()
            time.sleep(0.02)
    except ConnectionClosed as closed:
        print(closed.rcvd.code if closed.rcvd else "cut", flush=True)


def main():
    mode, *rest = sys.argv[1:]
    if mode == "serve":
        with serve(echo, "127.0.0.1", 0, subprotocols=["chat"]) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            print(f"ready\n{server.socket.getsockname()[1]}", flush=True)
            threading.Event().wait()
    elif mode == "ask":
        ask(*rest)
    else:
        stay(*rest)


main()
