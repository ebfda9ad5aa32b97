"""How long a test waits before it says that something will never happen.

A wait ends when what it waits for is there; its limit is met by broken code alone, however busy the
machine. Where the time itself is what a test is about, it counts the CPU seconds of its process.
"""

from __future__ import annotations

PATIENCE = 600.0  # seconds
