"""What the files are that an entry brings: Media RSS, enclosures, and what podcast players read.

Media RSS: https://www.rssboard.org/media-rss. Podcasts: the iTunes RSS tags
(https://podcasters.apple.com/support/823-podcast-requirements) and the podcast namespace
(https://podcasting2.org/docs/podcast-namespace).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from mimetypes import MimeTypes
from typing import NamedTuple

from aggregator.model.feed import Chapters, Enclosure, Episode, Person, Picture, Transcript

_MEDIA = ("image", "audio", "video")
_TYPES = MimeTypes(filenames=())  # the machine's own list would make two machines differ
for _ending, _type in (
    (".webp", "image/webp"), (".jxl", "image/jxl"), (".m4a", "audio/mp4"), (".m4b", "audio/mp4"),
    (".ogg", "audio/ogg"), (".oga", "audio/ogg"), (".flac", "audio/flac"), (".m4v", "video/mp4"),
    (".mkv", "video/x-matroska"), (".ogv", "video/ogg"), (".flv", "video/x-flv"),
):  # fmt: skip
    _TYPES.add_type(_type, _ending)
_VAGUE = frozenset(("application/octet-stream", "binary/octet-stream", "application/unknown"))

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2})(?:\.\d*)?")
_SECONDS = re.compile(r"(\d{1,7})(?:\.\d*)?\s*s?")
_ISO = re.compile(r"P?T(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:(\d{1,6})(?:\.\d*)?S)?", re.IGNORECASE)
# `1h 2m 3s`, `62 min`: every number has its unit.
_IN_WORDS = re.compile(
    r"(?:(\d{1,3})\s{0,3}h(?:(?:ou)?rs?)?\b\.?[\s,]{0,3})?"
    r"(?:(\d{1,4})\s{0,3}m(?:in(?:ute)?s?)?\b\.?[\s,]{0,3})?"
    r"(?:(\d{1,6})\s{0,3}s(?:ec(?:ond)?s?)?\b\.?)?",
    re.IGNORECASE,
)
_LONGEST = 24 * 3600  # seconds; some write milliseconds
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,3})?")
_YES = frozenset(("yes", "true", "explicit", "1"))
_NO = frozenset(("no", "false", "clean", "0"))


def type_of(url: str, declared: str | None) -> str | None:
    """The media type of a file: as declared, or by the ending of its address where that says more.

    An ending speaks for pictures, sound and film only.
    """
    said = (declared or "").partition(";")[0].strip().lower()
    if ("/" in said or said in _MEDIA) and said not in _VAGUE:
        return declared
    if url[:7].lower() == "magnet:":
        return declared
    path = url.partition("#")[0].partition("?")[0]
    ending = path.rpartition("/")[2].rpartition(".")[2][:8]
    guessed = _TYPES.guess_type(f"x.{ending}", strict=True)[0] if ending.isalnum() else None
    return guessed if guessed and guessed.partition("/")[0] in _MEDIA else declared


def medium_of(kind: str | None, medium: str | None = None) -> str:
    """`image`, `audio`, `video`, or another word of Media RSS (`document`, `executable`), or ``."""
    main = (kind or "").partition("/")[0].strip().lower()
    return main if main in _MEDIA else (medium or "").strip().lower()


def seconds_of(text: str | None) -> int | None:
    """A length of play in whole seconds: `3723`, `1:02:03`, `62:03` or ISO 8601.

    `1h 2m` is read as well. None where it is zero, or longer than a day: then it is no number of
    seconds.
    """
    text = (text or "").strip()[:32]
    match = (
        _CLOCK.fullmatch(text) or _ISO.fullmatch(text) or _IN_WORDS.fullmatch(text)
        if text
        else None
    )
    if match is not None:
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        total = 3600 * hours + 60 * minutes + seconds
    else:
        match = _SECONDS.fullmatch(text)
        total = int(match.group(1)) if match else 0
    return total if 0 < total <= _LONGEST else None


def ordinal_of(text: str | None) -> int | float | None:
    """The number of an episode or a season; the podcast namespace knows parts of one (`3.5`)."""
    match = _NUMBER.fullmatch((text or "").strip())
    if match is None:
        return None
    number = float(match.group())
    return int(number) if number.is_integer() else number


def explicit_of(text: str | None) -> bool | None:
    """Whether a podcast says that it is for adults only; None where it does not say."""
    word = (text or "").strip().lower()
    return True if word in _YES else False if word in _NO else None


@dataclass(slots=True)
class Shown:
    """A picture while an entry is read. The lowest rank leads; of equals, the first."""

    rank: int
    url: str
    alt: str | None = None
    width: int | None = None
    height: int | None = None
    group: int | None = None  # of Media RSS: representations of one thing
    default: bool = False
    credit: str | None = None


class _Offered(NamedTuple):
    file: Enclosure
    medium: str
    default: bool


@dataclass(slots=True)
class Gathered:
    """The files and pictures of an entry while it is read, in the order of the document."""

    enclosures: dict[str, Enclosure] = field(default_factory=dict)
    contents: dict[str, _Offered] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    groups: int = 0

    def enclose(self, file: Enclosure, most: int) -> None:
        """Keep an attached file, once."""
        if len(self.enclosures) < most:
            self.enclosures.setdefault(file.url, file)

    def offer(self, file: Enclosure, medium: str, most: int, *, default: bool) -> None:
        """Keep a file of Media RSS, once; `medium` as `medium_of` gives it."""
        if len(self.contents) < most:
            self.contents.setdefault(file.url, _Offered(file, medium, default))

    def files(self, most: int, duration: int | None = None) -> tuple[Enclosure, ...]:
        """The files to serve: what is enclosed, and what Media RSS has of other kinds.

        Media RSS often repeats what is enclosed, in other sizes and under other addresses; a file
        of another kind is no repetition: a thumbnail never hides the film. The default of a group
        comes first. `duration` is the episode's: that of the file that is played.
        """
        files = dict(self.enclosures)
        kinds = {medium_of(file.type) for file in files.values()}
        hidden = kinds | {""} if kinds - {"image"} else kinds
        for file, medium, _ in sorted(self.contents.values(), key=lambda one: not one.default):
            if medium not in hidden:
                files.setdefault(file.url, file)
            elif (known := files.get(file.url)) is not None and known.duration is None:
                files[file.url] = replace(known, duration=file.duration)
        if duration is not None:
            played = next((f for f in files.values() if medium_of(f.type) != "image"), None)
            if played is not None and played.duration is None:
                files[played.url] = replace(played, duration=duration)
        return tuple(files.values())[:most]

    def pictures(self, most: int) -> tuple[Picture, ...]:
        """The pictures, the lead first; thumbnails and covers only where there is nothing else."""
        files = (f for f in self.enclosures.values() if medium_of(f.type) == "image")
        self.shown += [Shown(ENCLOSED, file.url, file.title) for file in files]
        if not self.shown:
            return ()
        ordered = sorted(self.shown, key=lambda one: (one.rank, not one.default))
        proper = [one for one in ordered if one.rank < STAND_IN] or ordered[:1]
        kept: dict[object, Shown] = {}
        urls: dict[str, object] = {}
        for one in proper:
            key = urls.setdefault(one.url, _sameness(one))
            first = kept.setdefault(key, one)
            if first is one:
                continue
            if first.alt is None:
                first.alt = one.alt
            if first.credit is None:
                first.credit = one.credit
            if not first.default and (one.width or 0) > (first.width or 0):
                first.url, first.width, first.height = one.url, one.width, one.height
        return tuple(
            Picture(one.url, one.alt, one.width, one.height, one.credit) for one in kept.values()
        )[:most]


# Roles of Media RSS in which somebody made the thing; others paid for it or hand it on.
MAKERS = frozenset(
    ("author", "artist", "composer", "creator", "photographer", "uploader", "writer")
)
PICTURE, CONTENT, ENCLOSED, STAND_IN, COVER = 0, 1, 2, 3, 4  # ranks of `Shown`


def _sameness(one: Shown) -> object:
    """What pictures of one motif in several sizes have in common.

    Those of one group that name their widths and are not described apart; those whose addresses
    differ in nothing but the width that each declares.
    """
    if one.width is None:
        return one.url
    if one.group is not None:
        return (one.group, one.alt)
    return (one.url.replace(str(one.width), "{width}"), one.alt)


@dataclass(slots=True)
class EpisodeDraft:
    """What podcast players read, while an entry is read; of each the first."""

    duration: int | None = None
    number: int | float | None = None
    season: int | float | None = None
    kind: str | None = None
    explicit: bool | None = None
    image: str | None = None
    transcripts: list[Transcript] = field(default_factory=list)
    chapters: Chapters | None = None
    persons: list[Person] = field(default_factory=list)

    def finish(
        self, *, explicit: bool | None, persons: tuple[Person, ...], many: int
    ) -> Episode | None:
        """The episode, or None where nothing was said.

        `explicit` and `persons` are what its feed says of all of them.
        """
        said = (self.duration, self.number, self.season, self.kind, self.explicit, self.image)
        more = self.transcripts or self.persons or self.chapters
        if all(one is None for one in said) and not more:
            return None
        return Episode(
            duration=self.duration,
            number=self.number,
            season=self.season,
            kind=self.kind,
            explicit=explicit if self.explicit is None else self.explicit,
            image=self.image,
            transcripts=tuple(self.transcripts[:many]),
            chapters=self.chapters,
            persons=tuple(self.persons[:many]) or persons,
        )


def is_default(value: str | None) -> bool:
    """Media RSS `isDefault`."""
    return (value or "").strip().lower() == "true"
