"""How long a text is, whatever its script."""

from __future__ import annotations

import re

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]")


def title_size(text: str) -> int:
    """Length of a text in Latin letters' worth: a CJK or Thai character counts for 2.5."""
    wide = len(_CJK.findall(text))
    return len(text) + int(1.5 * wide)
