"""A proxy that fails: it stands between a run and its server, and does to a request what a network can."""

import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, final

# Seconds by which a slow answer comes too late for a run (seedbed.track.away.REQUEST_SECONDS).
SLOW = 6.0
OK = "whole"
# What may happen to a request, and how often. `late` faults come after the server has done what it was
# asked for: whoever sends again may do it twice.
FAULTS: Mapping[str, int] = {
    OK: 8,
    "reset": 1,
    "late reset": 1,
    "503": 1,
    "late 502": 1,
    "slow": 1,
    "torn answer": 1,
}
PAGE = b"<html><body>The service is unavailable.</body></html>"


@final
class Faulty(ThreadingHTTPServer):
    """Passes requests on to a server on loopback, or fails to.

    Args:
        port: the server's.
        seed: of the draws.
        faults: how often each is drawn, as shares.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, seed: int, faults: Mapping[str, int] = FAULTS) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.upstream, self.faults = port, dict(faults)
        self.happened: Counter[str] = Counter()
        self._random, self._lock = random.Random(seed), threading.Lock()  # noqa: S311 (no secret)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def draw(self) -> str:
        with self._lock:
            (fault,) = self._random.choices(list(self.faults), list(self.faults.values()))
            self.happened[fault] += 1
        return fault

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: a client that went away is what this is for."""


class Passing(BaseHTTPRequestHandler):
    """One connection to the proxy."""

    protocol_version = "HTTP/1.1"
    server: Faulty

    def pass_on(self) -> None:
        fault = self.server.draw()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault == "reset":
            self._reset()
        elif fault == "503":
            self._answer(503, {"Content-Type": "text/html"}, PAGE)
        else:
            self._passed_on(fault, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815 (http.server's names)

    def _passed_on(self, fault: str, body: bytes) -> None:
        try:
            status, headers, answer = self._asked(body)
        except (OSError, HTTPException):
            status, headers, answer = 502, {"Content-Type": "text/html"}, PAGE
        if fault == "late reset":
            self._reset()
        elif fault == "late 502":
            self._answer(502, {"Content-Type": "text/html"}, PAGE)
        elif fault == "torn answer":
            self._answer(status, headers, answer, torn=True)
        else:
            time.sleep(SLOW if fault == "slow" else 0)
            self._answer(status, headers, answer)

    def _asked(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        try:
            connection.request(self.command, self.path, body, dict(self.headers))
            got = connection.getresponse()
            return got.status, dict(got.getheaders()), got.read()
        finally:
            connection.close()

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes, *, torn: bool = False) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + torn))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if torn else body)
        self.close_connection = torn

    def _reset(self) -> None:
        """Ends the connection by RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Says nothing."""
