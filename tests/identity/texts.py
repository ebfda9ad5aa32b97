"""Short news texts in several languages, written for these tests (`news/*.txt`)."""

from __future__ import annotations

from pathlib import Path

_NEWS = Path(__file__).parent / "news"


def _read(name: str) -> str:
    return (_NEWS / name).read_text(encoding="utf-8").strip()


LANGUAGES = {code: _read(f"{code}.txt") for code in ("en", "de", "ar", "zh", "ja")}
ENGLISH, GERMAN = LANGUAGES["en"], LANGUAGES["de"]
# A report made every day from one template: {a} .. {g} are figures, {word} and {day} words.
MARKET_REPORTS = {code: _read(f"market.{code}.txt") for code in LANGUAGES}
