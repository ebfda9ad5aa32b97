"""The sample stories and their outlets, read from `stories.yaml`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
_FIRST = ("Ash", "Brack", "Cold", "Elm", "Fern", "Gold", "Hazel", "Kirk", "Lang", "Mill")
_SECOND = ("ford", "mouth", "haven", "bridge", "wick")
_EVENTS = (
    "opens a reading room in its old mill",
    "counts more swifts than last year",
    "plants a tree for each child of the school",
    "moves its market to the quay",
    "mends the clock that stood at ten past four",
    "lends tools to whoever asks",
    "names a lane after its first midwife",
    "lights its lamps an hour later to save power",
    "finds a well under the square",
)  # of made outlets
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Correction:
    """What a story says from `at` on."""

    at: datetime
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """What a story's picture shows, in words, and whose it is."""

    shows: str
    credit: str


@dataclass(frozen=True, slots=True)
class Story:
    """One sample article; `published` is a whole second, the same while the origin runs."""

    id: str
    outlet: str
    title: str
    author: str
    published: datetime
    tags: tuple[str, ...]
    paragraphs: tuple[str, ...]
    related: tuple[str, ...]  # ids of stories of any outlet
    in_feed: bool
    picture: Picture | None = None
    sound: int | None = None  # seconds of it
    correction: Correction | None = None
    updated: datetime | None = None  # when it was corrected

    @property
    def path(self) -> str:
        """Where its page is on the origin."""
        return f"/{self.outlet}/{self.id}.html"

    @property
    def picture_path(self) -> str:
        """Where its picture is."""
        return f"/{self.outlet}/{self.id}.png"

    @property
    def sound_path(self) -> str:
        """Where its sound is."""
        return f"/{self.outlet}/{self.id}.wav"

    def at(self, now: datetime) -> Story:
        """The story as it is then: corrected or not yet."""
        if self.correction is None or self.correction.at > now:
            return self
        return replace(self, paragraphs=self.correction.paragraphs, updated=self.correction.at)


@dataclass(frozen=True, slots=True)
class Outlet:
    """One publisher: `format` is rss, atom or json; `excerpt` feeds carry first paragraphs only."""

    id: str
    title: str
    about: str
    language: str
    format: str
    excerpt: bool

    @property
    def feed_path(self) -> str:
        """Where its feed is on the origin."""
        return f"/{self.id}/feed.json" if self.format == "json" else f"/{self.id}/{self.format}.xml"


@dataclass(frozen=True, slots=True)
class Stories:
    """All outlets and stories; newest story first."""

    outlets: tuple[Outlet, ...]
    stories: tuple[Story, ...]

    def of(self, outlet: str, now: datetime) -> list[Story]:
        """The stories in an outlet's feed that are published by `now`, newest first."""
        return [
            story.at(now)
            for story in self.stories
            if story.outlet == outlet and story.in_feed and story.published <= now
        ]


def load(start: datetime, more: int = 0) -> Stories:
    """Read the stories, dated back from `start` (aware), and make `more` outlets beside them."""
    document = yaml.safe_load((HERE / "stories.yaml").read_text(encoding="utf-8"))
    outlets = tuple(Outlet(**{"excerpt": False} | outlet) for outlet in document["outlets"])
    stories = [
        Story(
            id=story["id"],
            outlet=story["outlet"],
            title=story["title"],
            author=story["author"],
            published=start.replace(microsecond=0) - _age(story["age"]),
            tags=tuple(story["tags"]),
            paragraphs=_paragraphs(story),
            related=tuple(story["related"]),
            in_feed=story.get("feed", True),
            picture=Picture(**story["picture"]) if "picture" in story else None,
            sound=story.get("sound"),
            correction=_correction(story, start),
        )
        for story in document["stories"]
    ]
    for number in range(1, more + 1):
        outlet, told = _made(number, start.replace(microsecond=0))
        outlets += (outlet,)
        stories += told
    return Stories(outlets, tuple(sorted(stories, key=lambda story: story.published, reverse=True)))


def _made(number: int, start: datetime) -> tuple[Outlet, list[Story]]:
    """An outlet of a place, and what it tells of the place."""
    place = f"{_FIRST[number % len(_FIRST)]}{_SECOND[number // len(_FIRST) % len(_SECOND)]}"
    outlet = Outlet(made_id(number), f"{place} Courier", f"News from {place}", "en", "atom", False)
    stories = [
        Story(
            id=f"story-{n}",
            outlet=outlet.id,
            title=f"{place} {event}",
            author="Town desk",
            published=start - timedelta(hours=number % 7 + 9 * n, minutes=7 * number % 60),
            tags=("Local",),
            paragraphs=(
                f"{place} {event}, the town hall said.",
                f"It is the {number + n + 2}th time that the town of {place} does so.",
            ),
            related=(),
            in_feed=True,
        )
        for n, event in enumerate(_EVENTS[number % 3 :: 3])
    ]
    return outlet, stories


def made_id(number: int) -> str:
    """The id of a made outlet."""
    return f"courier-{number:02}"


def _correction(story: dict[str, Any], start: datetime) -> Correction | None:
    given = story.get("correction")
    if given is None:
        return None
    at = start.replace(microsecond=0) - _age(given["age"])
    return Correction(at, _paragraphs(given))


def _paragraphs(story: dict[str, Any]) -> tuple[str, ...]:
    """The text in the story itself or in a file beside it, cut at empty lines."""
    name = story.get("text_file")
    text = (HERE / name).read_text(encoding="utf-8") if name else story["text"]
    return tuple(text.strip().split("\n\n"))


def _age(text: str) -> timedelta:
    """`3d`, `2h 20m`, `-90s`."""
    sign = -1 if text.startswith("-") else 1
    parts = {_UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)([smhd])", text)}
    return sign * timedelta(**parts)
