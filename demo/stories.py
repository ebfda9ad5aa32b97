"""The sample stories and their outlets, read from `stories.yaml`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import yaml

HERE = Path(__file__).parent
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


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

    @property
    def path(self) -> str:
        """Where its page is on the origin."""
        return f"/{self.outlet}/{self.id}.html"


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
            story
            for story in self.stories
            if story.outlet == outlet and story.in_feed and story.published <= now
        ]


def load(start: datetime) -> Stories:
    """Read the stories, dated back from `start` (aware)."""
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
        )
        for story in document["stories"]
    ]
    return Stories(outlets, tuple(sorted(stories, key=lambda story: story.published, reverse=True)))


def _paragraphs(story: dict[str, str]) -> tuple[str, ...]:
    """The text in the story itself or in a file beside it, cut at empty lines."""
    name = story.get("text_file")
    text = (HERE / name).read_text(encoding="utf-8") if name else story["text"]
    return tuple(text.strip().split("\n\n"))


def _age(text: str) -> timedelta:
    """`3d`, `2h 20m`, `-90s`."""
    sign = -1 if text.startswith("-") else 1
    parts = {_UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)([smhd])", text)}
    return sign * timedelta(**parts)
