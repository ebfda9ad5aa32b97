"""What the tests have their workers do, for better or worse."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
import time


def add(a: int, b: int) -> int:
    return a + b


def pid() -> int:
    return os.getpid()


def nap(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def loop_in_python() -> None:
    while True:
        pass


def loop_in_c() -> None:
    """A pattern that backtracks for ages without ever returning to the interpreter."""
    re.match(r"(a+)+$", "a" * 64 + "b")


def refuse_to_end() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        time.sleep(0.01)


def eat_memory() -> int:
    held = []
    while True:
        held.append(bytearray(16 * 1024 * 1024))


def segfault() -> None:
    ctypes.string_at(0)


def kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    sys.exit(3)


def raise_value_error() -> None:
    raise ValueError("from the task")


def give_a_function() -> object:
    return lambda: None


def inherited_sockets() -> list[str]:
    held = []
    for name in os.listdir("/proc/self/fd"):
        try:
            held.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            continue
    return [link for link in held if link.startswith("socket:")]


def big(size: int) -> bytes:
    return b"x" * size


def main_module() -> str | None:
    return getattr(sys.modules["__main__"], "__file__", None)
