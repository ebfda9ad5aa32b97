"""A news site of ours: 500 articles in six markups and three languages, and feeds that name 50."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape

from tests.articles.pages import CHINESE, GERMAN, MARKUPS, Story, Words
from tests.origin import Origin

ARTICLES = 500
IN_FEEDS = 50
RELATED = 3
LANGUAGES = ("en", "de", "zh")
_WORDS: dict[str, Words] = {"en": Words(), "de": GERMAN, "zh": CHINESE}
_TITLES = {
    "en": "Harbour report {n}: what the council wrote about pier {m}",
    "de": "Hafenbericht {n}: was der Rat zum Steg {m} geschrieben hat",
    "zh": "港口报告第{n}号：市议会关于第{m}号码头的书面说明全文",
}
_TEXTS = {
    "en": "Report {n} says in part {p} that pier {m} was inspected on a calm morning by two "
    "divers and an engineer, who found the timber sound and the chains in need of replacement.",
    "de": "Der Bericht {n} sagt in Teil {p}, dass der Steg {m} an einem ruhigen Morgen von zwei "
    "Tauchern und einer Ingenieurin geprüft wurde; das Holz sei gesund, die Ketten seien es nicht.",
    "zh": "第{n}号报告第{p}部分写道，第{m}号码头在一个平静的早晨由两名潜水员和一名工程师检查，"
    "他们发现木料完好，但是铁链需要更换，工程预计在冬季风暴结束之后开始，并持续两个季节，届时渡轮将改停北码头。",
}


@dataclass
class NewsSite:
    """The site on an origin; `links` is the graph of its related news, by article."""

    origin: Origin
    seed: int = 20260301
    links: dict[int, list[int]] = field(default_factory=dict)
    forbidden: dict[int, int] = field(default_factory=dict)  # article -> disallowed page

    def publish(self) -> None:
        """Answer robots.txt, the feeds and every article."""
        chance = random.Random(self.seed)
        robots = b"User-agent: *\nDisallow: /private/\n"
        self.origin.answer("/robots.txt", body=robots, headers={"Content-Type": "text/plain"})
        for number in range(ARTICLES):
            others = [n for n in range(ARTICLES) if n != number]
            self.links[number] = chance.sample(others, RELATED)
            if number % 7 == 0:
                self.forbidden[number] = number
        for number in range(ARTICLES):
            self._publish(number)
        for language in LANGUAGES:
            self._feed(language)

    def in_feeds(self) -> list[int]:
        return list(range(0, ARTICLES, ARTICLES // IN_FEEDS))

    def reachable(self, depth: int) -> set[int]:
        """The articles at most `depth` related links from a feed."""
        found = edge = set(self.in_feeds())
        for _ in range(depth):
            edge = {target for number in edge for target in self.links[number]} - found
            found = found | edge
        return found

    def edges(self, numbers: set[int]) -> set[tuple[str, str]]:
        """(title, path of the link) of every related link on these articles."""
        return {(self.title(number), path) for number in numbers for path in self._targets(number)}

    def language(self, number: int) -> str:
        return LANGUAGES[number % len(LANGUAGES)]

    def title(self, number: int) -> str:
        return _TITLES[self.language(number)].format(n=number, m=number * 3 + 1)

    def path(self, number: int) -> str:
        return f"/news/2026/03/harbour-report-{number}.html"

    def _targets(self, number: int) -> Iterator[str]:
        for target in self.links[number]:
            yield self.path(target)
        if number in self.forbidden:
            yield f"/private/2026/harbour-report-{number}.html"

    def _published(self, number: int) -> datetime:
        hours = 2 if number in self.in_feeds() else 30 + number % 200
        return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours)

    def story(self, number: int) -> Story:
        language = self.language(number)
        related = [(self.title(target), self.path(target)) for target in self.links[number]]
        if number in self.forbidden:
            related.append((f"{self.title(number)} (2)", [*self._targets(number)][-1]))
        paragraphs = tuple(
            _TEXTS[language].format(n=number, p=part, m=number * 3 + part) for part in range(1, 6)
        )
        return Story(
            url=self.origin.url(self.path(number)),
            title=self.title(number),
            publisher="Harbour Daily",
            editor="Ada Quay",
            caption=f"Pier {number} in the morning.",
            credit="Ben Rope",
            paragraphs=paragraphs,
            published=self._published(number).isoformat(),
            related=tuple(related),
            words=replace(_WORDS[language]),
            site="Harbour",
        )

    def _publish(self, number: int) -> None:
        build = list(MARKUPS.values())[number % len(MARKUPS)]
        body = build(self.story(number)).encode()
        self.origin.answer(
            self.path(number), body=body, headers={"Content-Type": "text/html; charset=utf-8"}
        )

    def _feed(self, language: str) -> None:
        items = "".join(
            f"<item><guid isPermaLink='false'>{number}</guid>"
            f"<title>{escape(self.title(number))}</title>"
            f"<link>{self.origin.url(self.path(number))}</link>"
            f"<pubDate>{format_datetime(self._published(number))}</pubDate>"
            f"<description>{escape(self.title(number))} …</description></item>"
            for number in self.in_feeds()
            if self.language(number) == language
        )
        document = (
            f"<rss version='2.0'><channel><title>Harbour {language}</title>{items}</channel></rss>"
        )
        self.origin.answer(f"/feed-{language}", body=document.encode())
