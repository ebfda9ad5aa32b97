"""What kind of picture some bytes are, by what they begin with: only kinds that can hold no script.

SVG is none of them. WHATWG MIME Sniffing §6.1; AVIF by the brands of ISO/IEC 14496-12.
"""

from __future__ import annotations

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def raster_type(body: bytes) -> str | None:
    """The media type of a picture made of dots; None for anything else."""
    for beginning, media_type in _BEGINNINGS:
        if body.startswith(beginning):
            return media_type
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "image/webp"
    if body[4:8] == b"ftyp" and body[8:12] in (b"avif", b"avis"):
        return "image/avif"
    return None
