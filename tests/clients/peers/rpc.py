"""grpcio at both ends, without generated code.

rpc.py serve             the services `test.Echo` and `test.Billing`; prints `ready`, then its port
rpc.py ask TARGET TOKEN  one line for each kind of call
rpc.py stay TARGET       prints `ready`, reads a token, talks until that is ended; prints `open`, then the status
"""

import sys
import threading
import time
from concurrent import futures

import grpc


def unary(request, context):
    told = dict(context.invocation_metadata())
    context.send_initial_metadata((("x-first", "1"),))
    context.set_trailing_metadata((("x-last", told.get("x-identity-subject", "nobody")),))
    return request + b" heard"


def stream(request, _context):
    for number in range(3):
        yield request + b" %d" % number


def collect(requests, _context):
    return b"+".join(requests)


def chat(requests, _context):
    for request in requests:
        yield request.upper()


def fail(_request, context):
    context.set_trailing_metadata((("x-why", "there is none"),))
    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")


def serve():
    methods = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Stream": grpc.unary_stream_rpc_method_handler(stream),
        "Collect": grpc.stream_unary_rpc_method_handler(collect),
        "Chat": grpc.stream_stream_rpc_method_handler(chat),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
    }
    server = grpc.server(futures.ThreadPoolExecutor(8))
    names = ["test.Echo", "test.Billing"]
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(name, methods) for name in names])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"ready\n{port}", flush=True)
    server.wait_for_termination()


def refused(call):
    try:
        call()
        return "served"
    except grpc.RpcError as error:
        trailers = dict(error.trailing_metadata() or ())
        return f"{error.code().name} {error.details()} {trailers.get('x-why', '')}".strip()


def ask(target, token):
    with grpc.insecure_channel(target) as channel:
        metadata = (("authorization", f"Bearer {token}"), ("x-identity-subject", "forged"))
        asked = {"metadata": metadata, "timeout": 10}
        answer, call = channel.unary_unary("/test.Echo/Unary").with_call(b"one", **asked)
        first, last = dict(call.initial_metadata())["x-first"], dict(call.trailing_metadata())["x-last"]
        print("unary", answer.decode(), first, last)
        large = bytes(2_000_000)
        echoed = channel.unary_unary("/test.Echo/Unary")(large, **asked)
        print("large", echoed == large + b" heard")
        print("stream", b",".join(channel.unary_stream("/test.Echo/Stream")(b"n", **asked)).decode())
        print("collect", channel.stream_unary("/test.Echo/Collect")(iter([b"a", b"b", b"c"]), **asked).decode())
        print("chat", *in_turn(channel, asked))
        print("fail", refused(lambda: channel.unary_unary("/test.Echo/Fail")(b"", **asked)))
        print("none", refused(lambda: channel.unary_unary("/test.Echo/Unary")(b"", timeout=10)))
        print("none", refused(lambda: list(channel.stream_stream("/test.Echo/Chat")(iter([b"a"]), timeout=10))))
        print("other", refused(lambda: channel.unary_unary("/test.Billing/Unary")(b"", **asked)))


def in_turn(channel, asked):
    """A conversation in which each side waits for the other."""
    answered = threading.Semaphore(1)
    heard = []

    def questions():
        for text in [b"x", b"y", b"z"]:
            answered.acquire()
            yield text

    for answer in channel.stream_stream("/test.Echo/Chat")(questions(), **asked):
        heard.append(answer.decode())
        answered.release()
    return heard


def stay(target):
    print("ready", flush=True)
    token = input()

    def questions():
        while True:
            yield b"still here"
            time.sleep(0.05)

    with grpc.insecure_channel(target) as channel:
        call = channel.stream_stream("/test.Echo/Chat")(
            questions(), metadata=(("authorization", f"Bearer {token}"),), timeout=20
        )
        next(call)
        print("open", flush=True)
        print(refused(lambda: list(call)), flush=True)


def main():
    mode, *rest = sys.argv[1:]
    {"serve": serve, "ask": ask, "stay": stay}[mode](*rest)


main()
