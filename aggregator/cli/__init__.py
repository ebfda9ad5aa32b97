"""The commands, one small module a group."""

from __future__ import annotations

import gc
import sys

# Objects between two collections of the youngest. A start makes two hundred thousand, which stay:
# at Python's own 700 a sixth of its time went into looking at them. What runs on sets its own
# (`service`).
_WHILE_STARTING = 200_000


def main() -> None:
    """The console script `aggregator`."""
    gc.set_threshold(_WHILE_STARTING, 10, 10)
    if sys.argv[1:] == ["--version"]:  # asked by scripts, often: nothing else is loaded for it
        from aggregator import __version__

        sys.stdout.write(f"aggregator {__version__}\n")
        return
    _load_structlog()
    from aggregator.cli.app import build

    build(sys.argv[1:])()


def _load_structlog() -> None:
    """Without rich, which it would print tracebacks with if ours were not text already."""
    there = sys.modules.get("rich")
    sys.modules["rich"] = None  # type: ignore[assignment]
    try:
        import structlog.dev  # noqa: F401
    finally:
        del sys.modules["rich"]
        if there is not None:
            sys.modules["rich"] = there
