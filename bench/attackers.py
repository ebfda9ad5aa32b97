"""Clients that mean no good, for loopback only: what tests and `bench.attack` set on the program.

Each holds its sockets until it is closed. None of them needs more than a laptop and a cable, which
is what makes them worth withstanding.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType

HEAD = b"GET /feeds/all.atom HTTP/1.1\r\nHost: news.example\r\n"
_FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@dataclass
class Horde:
    """Many connections of one kind from one address."""

    port: int
    address: str  # whom they come from
    sockets: list[socket.socket] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def connect(self, number: int, say: bytes = b"", *, window: int | None = None) -> Horde:
        """Open connections and say the same on each; those that the server ends are no error."""
        for _ in range(number):
            one = socket.socket()
            if window is not None:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            one.settimeout(10)
            one.bind((self.address, 0))
            self.sockets.append(one)
            with contextlib.suppress(OSError):
                one.connect(("127.0.0.1", self.port))
                one.sendall(say)
        return self

    def keep_saying(self, words: Callable[[int], bytes], every: float) -> Horde:
        """Go on, a few bytes at a time on every connection; ended ones are opened again."""

        def drip() -> None:
            turn = 0
            while not self._stop.wait(every):
                for index, one in enumerate(self.sockets):
                    try:
                        one.sendall(words(turn))
                    except OSError:
                        self._again(index)
                    if self._stop.is_set():
                        return
                turn += 1

        self._threads.append(threading.Thread(target=drip, daemon=True))
        self._threads[-1].start()
        return self

    def _again(self, index: int) -> None:
        self.sockets[index].close()
        one = socket.socket()
        one.settimeout(10)
        self.sockets[index] = one
        with contextlib.suppress(OSError):
            one.bind((self.address, 0))
            one.connect(("127.0.0.1", self.port))

    def __enter__(self) -> Horde:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)
        for one in self.sockets:
            one.close()


def silent(port: int, address: str, number: int) -> Horde:
    """Connected, and that is all."""
    return Horde(port, address).connect(number)


def half_open(port: int, address: str, number: int) -> Horde:
    """The beginning of a head, never its end."""
    return Horde(port, address).connect(number, HEAD)


def dripping_head(port: int, address: str, number: int) -> Horde:
    """A head that never ends: a byte on every connection, again and again."""
    return Horde(port, address).connect(number, HEAD + b"X: ").keep_saying(lambda _: b"a", 0.2)


def dripping_body(port: int, address: str, number: int) -> Horde:
    """A form that never ends."""
    head = b"POST /login HTTP/1.1\r\nHost: news.example\r\n" + _FORM
    return (
        Horde(port, address)
        .connect(number, head + b"Content-Length: 15000\r\n\r\ntoken=")
        .keep_saying(lambda _: b"a", 0.2)
    )


def unread_answers(port: int, address: str, number: int) -> Horde:
    """The same feed asked for a few times on each, and nothing read."""
    return Horde(port, address).connect(number, (HEAD + b"\r\n") * 4, window=4096)


def lingering(port: int, address: str, number: int) -> Horde:
    """A whole request, its answer taken, the connection kept."""
    made = Horde(port, address).connect(number, HEAD + b"\r\n")
    for one in made.sockets:
        with contextlib.suppress(OSError):
            one.recv(65536)
    return made


HORDES: dict[str, Callable[[int, str, int], Horde]] = {
    "silent": silent,
    "half open": half_open,
    "dripping head": dripping_head,
    "dripping body": dripping_body,
    "unread answers": unread_answers,
    "lingering": lingering,
}


def _large_header() -> Iterator[bytes]:
    yield HEAD + b"X: "
    while True:
        yield b"a" * 65536


def _many_headers() -> Iterator[bytes]:
    yield HEAD
    while True:
        yield b"A: b\r\n" * 8192


def _large_target() -> Iterator[bytes]:
    yield b"GET /"
    while True:
        yield b"a" * 65536


def _large_trailer() -> Iterator[bytes]:
    yield b"POST /login HTTP/1.1\r\nHost: x\r\n" + _FORM + b"Transfer-Encoding: chunked\r\n\r\n"
    yield b"1\r\nt\r\n0\r\nX: "
    while True:
        yield b"a" * 65536


def _large_chunk_extension() -> Iterator[bytes]:
    yield b"POST /login HTTP/1.1\r\nHost: x\r\n" + _FORM + b"Transfer-Encoding: chunked\r\n\r\n1;"
    while True:
        yield b"a" * 65536


def _pipelined() -> Iterator[bytes]:
    while True:
        yield (HEAD + b"\r\n") * 1024


def _unwanted_body() -> Iterator[bytes]:
    yield b"POST /websub/unknown HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n"
    while True:
        yield b"a" * 65536


# What one connection sends, without end; a chunk after the other.
STREAMS: dict[str, Callable[[], Iterator[bytes]]] = {
    "large header": _large_header,
    "many headers": _many_headers,
    "large target": _large_target,
    "large trailer": _large_trailer,
    "large chunk extension": _large_chunk_extension,
    "pipelined": _pipelined,
    "unwanted body": _unwanted_body,
}


def pour(port: int, address: str, chunks: Iterator[bytes], most: int) -> tuple[int, bytes]:
    """Send until the server ends it, or `most` bytes were taken.

    Returns how many bytes were sent and how the answer begins.
    """
    with socket.socket() as one:
        one.settimeout(20)
        one.bind((address, 0))
        one.connect(("127.0.0.1", port))
        sent = 0
        answer = b""
        try:
            for chunk in chunks:
                one.sendall(chunk)
                sent += len(chunk)
                if sent >= most:
                    break
        except OSError:
            pass
        one.settimeout(2)
        with contextlib.suppress(OSError):
            answer = one.recv(4096)
        return sent, answer
