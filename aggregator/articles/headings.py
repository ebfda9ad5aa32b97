"""What a short text says about the list under it: related, read more, elsewhere.

Three patterns hold in every language we know and need words only, no phrases:

* something is called related or similar ("Verwandte Artikel", "相关新闻"), and is no topic or tag;
* a word for reading beside one for also ("Lesen Sie dazu auch", "یہ بھی پڑھیں");
* the article's own subject is spoken of ("Mehr zum selben Thema", "по этой теме").

What says it otherwise is listed as phrases. All words are data (`data/*.txt`); a phrase with "…" at
an end matches texts that go on there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache

from aggregator.articles.lists import data_lines, word_list

MAX_LABEL = 80  # characters: longer texts are no headings of lists


class Kind(Enum):
    """What a heading announces."""

    RELATED = "related"
    TOPICAL = "topical"  # "More on X": related when X is the article's subject
    READ_MORE = "read_more"  # "Read more": related when its titles share the subject
    ELSEWHERE = "elsewhere"  # most read, recommended, topics, services


@dataclass(frozen=True, slots=True)
class Reading:
    """How a text was understood. `tail` is the subject that a topical heading names."""

    kind: Kind
    tail: str = ""
    by_pattern: bool = False  # understood word by word: it must stand as a heading stands


_COUNT = re.compile(r"(?<![\W_])[\W_]*+\d{1,3}[\W_]*+$")
_PARTS = re.compile(r"[|/·•｜／]")
_MAX_OPEN_WORDS = 4  # how far an open phrase may go on


# Accents, Arabic vowels and hamzas, Hebrew points: capitals and hurried editors leave them out.
_ACCENTS = re.compile(r"[\u0300-\u036f\u0591-\u05c7\u064b-\u0655\u0670]")


def normalised(text: str) -> str:
    """Case, accents, spaces, quotes and outer punctuation removed; vowel signs of India kept."""
    if not text.isascii():
        text = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
        text = unicodedata.normalize("NFC", text).replace("’", "'")
    text = " ".join(text.casefold().split())
    start, stop = 0, len(text)
    while start < stop and not _word(text[start]):
        start += 1
    while stop > start and not _word(text[stop - 1]):
        stop -= 1
    return text[start:stop]


def _word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


class Phrases:
    """A list of phrases: exact ones, and those open at the front or the back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.exact: set[str] = set()
        self._starts: dict[str, list[str]] = {}
        self._ends: list[str] = []
        for line in lines:
            phrase = line.strip()
            core = normalised(phrase)
            if not core:
                continue
            if phrase.endswith("…"):
                spaced = core + " " if phrase.endswith(" …") else core
                self._starts.setdefault(core[:1], []).append(spaced)
                self.exact.add(core)
            elif phrase.startswith("…"):
                self._ends.append(core)
                self.exact.add(core)
            else:
                self.exact.add(core)
        for starts in self._starts.values():
            starts.sort(key=len, reverse=True)

    def start(self, text: str) -> str:
        """The longest open phrase that `text` begins with, or ""."""
        for phrase in self._starts.get(text[:1], ()):
            if text.startswith(phrase):
                return phrase
        return ""

    def end(self, text: str) -> str:
        """An open phrase that `text` ends with, or ""."""
        return next((p for p in self._ends if text.endswith(p)), "") if self._ends else ""


@cache
def _phrases(name: str) -> Phrases:
    return Phrases(data_lines(name))


@cache
def _topical() -> dict[str, list[str]]:
    by_first: dict[str, list[str]] = {}
    for phrase in sorted(_phrases("topical").exact, key=len, reverse=True):
        by_first.setdefault(phrase[:2], []).append(phrase)
    return by_first


@lru_cache(maxsize=16_384)
def read_heading(text: str) -> Reading | None:
    """What a heading announces, or None when it is none that is known."""
    if not text or len(text) > MAX_LABEL:
        return None
    plain = normalised(text)
    if not plain:
        return None
    reading = _read(plain)
    if reading is None and (shorter := _COUNT.sub("", plain)) and shorter != plain:
        reading = _read(shorter)
    if reading is None and _PARTS.search(text):
        known = [_read(part) for piece in _PARTS.split(text) if (part := normalised(piece))]
        if known and all(known):
            reading = known[0]
    return reading


def _read(plain: str) -> Reading | None:
    related, elsewhere, more = _phrases("related"), _phrases("elsewhere"), _phrases("read_more")
    if plain in related.exact:
        return Reading(Kind.RELATED)
    if plain in more.exact:
        return Reading(Kind.READ_MORE)
    if plain in elsewhere.exact:
        return Reading(Kind.ELSEWHERE)
    kind = _by_pattern(plain)
    if kind:
        return Reading(kind, by_pattern=True)
    topical = _read_topical(plain)
    if topical is not None:
        return topical
    begins, other = related.start(plain), elsewhere.start(plain)
    short = len(plain.split()) <= _MAX_OPEN_WORDS and len(plain) <= 40
    if other and len(other) >= len(begins):
        return Reading(Kind.ELSEWHERE) if len(plain) <= 50 else None
    if begins and short:
        return Reading(Kind.RELATED)
    if elsewhere.end(plain):
        return Reading(Kind.ELSEWHERE)
    return None


_SENTENCE = re.compile(r"[.!?;,。，、！？；؟،।]")
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)
_MAX_WORDS = 5
_MAX_UNSPACED = 12  # characters; alphabets written without spaces need twice as many
_ALPHABETS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


def _by_pattern(plain: str) -> Kind | None:
    """What the three patterns say of a text."""
    if _SENTENCE.search(plain):
        return None
    words = plain.split()
    most = 2 * _MAX_UNSPACED if _ALPHABETS.search(plain) else _MAX_UNSPACED
    if len(words) <= _MAX_WORDS and (len(plain) <= most or not _UNSPACED.search(plain)):
        ends = plain if len(words) < 4 else " ".join((*words[:2], *words[-2:]))
        if _similar().search(" " + ends):
            return Kind.ELSEWHERE if _other_things().search(f" {plain} ") else Kind.RELATED
        spoken = f" {' '.join(words[:_MAX_OPEN_WORDS])} "
        if _also().search(spoken) and any(
            read.search(spoken) and also.search(spoken) for read, also in _read_also()
        ):
            return Kind.RELATED
    topic = _this_topic().search(f" {plain} ")
    if topic and len(plain[: topic.start()].split()) <= _MAX_OPEN_WORDS:
        return Kind.RELATED
    return None


@cache
def _similar() -> re.Pattern[str]:
    return _words(word_list("similar"), beginnings=True)


@cache
def _other_things() -> re.Pattern[str]:
    return _words(word_list("other_things"))


@cache
def _read_also() -> list[tuple[re.Pattern[str], re.Pattern[str]]]:
    pairs = (line.partition("|")[::2] for line in data_lines("read_also"))
    return [(_words(read.split()), _words(also.split())) for read, also in pairs]


@cache
def _also() -> re.Pattern[str]:
    """The words for also of all languages: most headings have none."""
    return _words({word for line in data_lines("read_also") for word in line.split("|")[1].split()})


@cache
def _this_topic() -> re.Pattern[str]:
    gap = r"(?: \S+){0,2}? "
    phrases = (
        gap.join(re.escape(normalised(part)) for part in line.split("…"))
        for line in data_lines("this_topic")
    )
    return re.compile(f" (?:{'|'.join(phrases)})(?=[ :])")


def _words(words: Iterable[str], *, beginnings: bool = False) -> re.Pattern[str]:
    """Any of these words (or beginnings): in scripts that write no words apart, anywhere."""
    end = "" if beginnings else "(?= )"
    plain = sorted(normalised(word.replace("_", " ")) for word in words)
    return re.compile(
        "|".join(
            re.escape(word) if _UNSPACED.search(word) else f" {re.escape(word)}{end}"
            for word in plain
        )
    )


def _read_topical(plain: str) -> Reading | None:
    for phrase in _topical().get(plain[:2], ()):
        if plain.startswith(phrase) and plain[len(phrase) : len(phrase) + 1] in (" ", ":"):
            tail = normalised(plain[len(phrase) :])
            if tail in _phrases("this").exact:
                return Reading(Kind.RELATED)
            return Reading(Kind.TOPICAL, tail)
    return None


_MARKER = re.compile(r"^[\W_]*(.{2,40}?)\s*[:：|】｜»›>]\s*\S")


def is_neighbour(text: str) -> bool:
    """Whether a link's text says that it leads to the article before or after this one."""
    found = _MARKER.match(text[:120])
    said = normalised(found[1]) if found else ""
    return 0 < len(said.split()) <= 2 and bool(_neighbours().match(f" {said} "))


@cache
def _neighbours() -> re.Pattern[str]:
    return re.compile(f" ?(?:{_words(word_list('neighbour')).pattern})")


def read_marker(text: str) -> Reading | None:
    """What a text begins with, as in "READ ALSO: …" and "【関連記事】…"; None for plain titles."""
    found = _MARKER.match(text[:120])
    if not found:
        return None
    plain = normalised(found[1])
    if not plain:
        return None
    if plain in _phrases("marker").exact:
        return Reading(Kind.READ_MORE)
    reading = _read(plain)
    return reading if reading and reading.kind in (Kind.RELATED, Kind.READ_MORE) else None
