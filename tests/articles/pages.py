"""Article pages as news sites write them: one story, many markups.

A `Story` is what a page says; each builder of `MARKUPS` says it in one kind of markup. `related`
is None for a page without the block, `()` for a heading with nothing under it, else its links.
"""

# ruff: noqa: E501 - lines of HTML and of prose

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from aggregator.articles.extract import extract_article
from aggregator.model.article import Article

NOW = datetime(2026, 7, 1, tzinfo=UTC)  # when the pages of the tests are read
SITE = "http://english.portal.example"


def article_from(page: bytes | str, url: str, **more: Any) -> Article:
    """What is read of a page on a day after all dates in the tests' pages."""
    return extract_article(page, url, now=NOW, **more)


@dataclass(frozen=True)
class Words:
    """The words that a site of one language puts around a story."""

    language: str = "en"
    related: str = "Related News"
    editor: str = "Editor"
    source: str = "Source"
    time: str = "Time"
    latest: str = "Latest News"
    popular: str = "Most Read"
    share: str = "Share"
    about: str = "About us"


@dataclass(frozen=True)
class Story:
    """What a page says. `published` is ISO 8601 with an offset; `url` is the page's own."""

    url: str
    title: str
    publisher: str
    editor: str
    caption: str
    credit: str
    paragraphs: tuple[str, ...]
    published: str | None = None
    related: tuple[tuple[str, str], ...] | None = None  # (title, href)
    words: Words = Words()
    site: str = "Portal"

    def with_related(self, related: Sequence[tuple[str, str]] | None) -> Story:
        """The same story with another related block."""
        return replace(self, related=None if related is None else tuple(related))


def english_story(related: Sequence[tuple[str, str]] | None = None) -> Story:
    """A story of our own in English, with an editor line and a credit that breaks off."""
    return story_of(Path(__file__).with_name("story.txt").read_text(encoding="utf-8"), related)


def story_of(text: str, related: Sequence[tuple[str, str]] | None = None) -> Story:
    """The story of a text file: headline, outlet and editor, captioned picture, paragraphs."""
    lines = text.split("\n\n")
    title, byline, caption, *rest = (part.strip() for part in lines)
    publisher, editor = byline.splitlines()
    text, _, credit = caption.partition(" (Photo by ")
    paragraphs = tuple(p for p in rest if p and p != "Related News")
    return Story(
        url=f"{SITE}/view/2017-06/30/content_7657471.htm",
        title=title,
        publisher=publisher,
        editor=editor,
        caption=text,
        credit=credit.rstrip("/)"),
        paragraphs=paragraphs,
        published="2017-06-30T09:12:33+08:00",
        related=None if related is None else tuple(related),
    )


RELATED = (
    ("Border patrols meet at the northern pass", "content_7657001.htm"),
    ("Five neighbours sign a rescue agreement", "../../2017-06/29/content_7656114.htm"),
    ("Drill ends with a joint parade in Ostrel", "/view/2017-06/28/content_7655020.htm"),
)

ELSEWHERE = (
    ("Harbour cranes arrive by night train", "/view/2017-06/30/content_7657500.htm"),
    ("Museum shows a century of bicycles", "/view/2017-06/30/content_7657502.htm"),
    ("Rain expected along the whole coast", "/view/2017-06/30/content_7657503.htm"),
)
NAVIGATION = (("Home", "/"), ("World", "/world/"), ("Defence", "/defence/"), ("Sport", "/sport/"))


def _list(links: Sequence[tuple[str, str]], item: str = "<li>{}</li>") -> str:
    return "".join(
        item.format(f'<a href="{escape(href)}">{escape(title)}</a>') for title, href in links
    )


def _day(story: Story) -> str:
    return (story.published or "")[:10]


def _clock(story: Story) -> str:
    return f"{_day(story)} {(story.published or '')[11:19]}" if story.published else ""


def _caption(story: Story) -> str:
    return (
        escape(f"{story.caption} (Photo by {story.credit})")
        if story.credit
        else escape(story.caption)
    )


def table_portal(story: Story) -> str:
    """A portal of the table era: fonts, spacer cells, no heading element, an `editor` cell."""
    words = story.words
    body = "".join(f"<p>&nbsp;&nbsp;&nbsp;&nbsp;{escape(p)}</p>\n" for p in story.paragraphs)
    related = ""
    if story.related is not None:
        rows = _list(story.related, '<tr><td width="10">&#8226;</td><td class="f14">{}</td></tr>')
        related = f"""<table width="98%" border="0"><tr><td bgcolor="#eeeeee"><b>{words.related}</b></td></tr>
          <tr><td><table width="100%">{rows}</table></td></tr></table>"""
    return f"""<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8">
<title>{escape(story.title)} - {story.site}</title></head>
<body bgcolor="#ffffff" topmargin="0"><table width="960" align="center"><tr><td>
<table width="100%"><tr>{_list(NAVIGATION, '<td class="nav">{}</td>')}</tr></table>
<table width="100%"><tr><td width="660" valign="top">
  <table width="100%"><tr><td align="center"><h1><font size="5"><b>{escape(story.title)}</b></font></h1></td></tr>
  <tr><td align="center"><font size="2">{words.source}: {escape(story.publisher)} | {words.editor}: {escape(story.editor)}
    {"| " + words.time + ": " + _clock(story) if story.published else ""}</font></td></tr></table>
  <table width="100%"><tr><td class="content" id="content">
  <p align="center"><img src="/images/2017/drill.jpg" width="550" border="0"></p>
  <p align="center"><font size="2" color="#333399">{_caption(story)}</font></p>
  {body}</td></tr></table>
  {related}
  </td><td width="300" valign="top"><table width="100%"><tr><td bgcolor="#cccccc"><b>{words.latest}</b></td></tr>
  {_list(ELSEWHERE, "<tr><td>{}</td></tr>")}</table></td></tr></table>
<table width="100%"><tr><td align="center"><a href="/about.htm">{words.about}</a></td></tr></table>
</td></tr></table></body></html>"""


def semantic(story: Story) -> str:
    """A modern page: article, figure, time, OpenGraph, a section for related news."""
    words = story.words
    body = "".join(f"<p>{escape(p)}</p>" for p in story.paragraphs)
    related = ""
    if story.related is not None:
        cards = "".join(
            f'<li class="card"><a href="{escape(h)}" tabindex="-1"><img src="/t.jpg" alt=""></a>'
            f'<h3><a href="{escape(h)}">{escape(t)}</a></h3>'
            f'<p class="kicker"><a href="/defence/">Defence</a></p></li>'
            for t, h in story.related
        )
        related = f"<section><h2>{words.related}</h2><ul>{cards}</ul></section>"
    time = f'<time datetime="{story.published}">{_day(story)}</time>' if story.published else ""
    return f"""<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">
<title>{escape(story.title)} | {story.site}</title>
<meta property="og:type" content="article"><meta property="og:title" content="{escape(story.title)}">
<meta property="og:image" content="{SITE}/images/2017/drill.jpg">
<meta property="og:site_name" content="{story.site}">
<link rel="canonical" href="{story.url}"></head><body>
<header><nav><ul>{_list(NAVIGATION)}</ul></nav></header>
<main><article><header><h1>{escape(story.title)}</h1>
<ul class="meta"><li><span>{words.source}</span><span>{escape(story.publisher)}</span></li>
<li><span>{words.editor}</span><span>{escape(story.editor)}</span></li><li>{time}</li></ul></header>
<figure><img src="/images/2017/drill.jpg" alt=""><figcaption>{_caption(story)}</figcaption></figure>
{body}</article>{related}</main>
<aside><section><h2>{words.popular}</h2><ol>{_list(ELSEWHERE)}</ol></section></aside>
<footer><p>{words.about}</p></footer></body></html>"""


def json_ld(story: Story) -> str:
    """A page whose facts stand in JSON-LD; the visible part has generated class names."""
    words = story.words
    facts: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "mainEntityOfPage": {"@type": "WebPage", "@id": story.url},
        "headline": story.title,
        "publisher": {"@type": "Organization", "name": story.publisher},
        "editor": {"@type": "Person", "name": story.editor},
        "image": [f"{SITE}/images/2017/drill.jpg"],
        "isAccessibleForFree": True,
    }
    if story.published:
        facts["datePublished"] = facts["dateModified"] = story.published
    body = "".join(f'<p class="x7Gt">{escape(p)}</p>' for p in story.paragraphs)
    related = ""
    if story.related is not None:
        related = (
            f'<div class="q1"><div class="q2">{words.related}</div><div class="q3">'
            + "".join(
                f'<a class="q4" href="{escape(h)}"><div class="q5">{escape(t)}</div></a>'
                for t, h in story.related
            )
            + "</div></div>"
        )
    return f"""<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">
<title>{escape(story.title)}</title>
<script type="application/ld+json">{json.dumps({"@graph": [{"@type": "WebSite", "name": "x"}, facts]})}</script>
</head><body><div id="root"><div class="a1"><div class="a2">{_list(NAVIGATION, "{}")}</div></div>
<div class="b1"><h1 class="b2">{escape(story.title)}</h1><div class="b4"><div class="b5">
<img src="/images/2017/drill.jpg"><div class="b6 photo-caption">{_caption(story)}</div></div>
{body}</div>{related}
<div class="r1"><h2 class="r2">{words.latest}</h2>{_list(ELSEWHERE, '<div class="r3">{}</div>')}</div>
</div></div></body></html>"""


def div_soup(story: Story) -> str:
    """A CMS: divs with ids, share buttons in the text, the editor in brackets at the end."""
    words = story.words
    body = "".join(f'<div class="TRS_Editor"><p>{escape(p)}</p></div>' for p in story.paragraphs)
    related = ""
    if story.related is not None:
        related = (
            f'<div class="relnews"><div class="tit"><span>{words.related}</span></div>'
            f'<div class="bd"><ul class="list14">{_list(story.related)}</ul></div></div>'
        )
    source = f"<span>{words.source}：{escape(story.publisher)}</span>"
    return f"""<!doctype html><html><head><meta charset="utf-8"><title>{escape(story.title)}_{story.site}</title>
<meta name="publishdate" content="{_clock(story)}"></head><body>
<div id="top"><div class="nav">{_list(NAVIGATION, "<span>{}</span>")}</div></div>
<div id="main"><div class="left"><h1 id="title">{escape(story.title)}</h1>
<div class="info">{source}&nbsp;&nbsp;<span>{_clock(story)}</span></div>
<div class="share"><a href="https://www.facebook.com/sharer?u=x">{words.share}</a></div>
<div id="article-content"><div style="text-align:center"><img src="/images/2017/drill.jpg"></div>
<div style="text-align: center;">{_caption(story)}</div>{body}
<div class="edit">（{words.editor}：{escape(story.editor)}）</div></div>
{related}
<div class="hot"><div class="tit"><span>{words.popular}</span></div><ul>{_list(ELSEWHERE)}</ul></div>
</div></div><div id="bottom"><a href="/about.htm">{words.about}</a></div></body></html>"""


def amp(story: Story) -> str:
    """The AMP edition of a page, with amp-img and a canonical link to the other one."""
    words = story.words
    body = "".join(f"<p>{escape(p)}</p>" for p in story.paragraphs)
    related = ""
    if story.related is not None:
        related = f'<div class="related"><h4>{words.related}</h4><amp-list layout="fixed"><ul>{_list(story.related)}</ul></amp-list></div>'
    return f"""<!doctype html><html amp lang="{words.language}"><head><meta charset="utf-8">
<title>{escape(story.title)}</title><link rel="canonical" href="{story.url}">
<meta property="og:type" content="article">
<meta property="article:published_time" content="{story.published or ""}">
<script async src="https://cdn.ampproject.org/v0.js"></script></head><body>
<amp-sidebar layout="nodisplay"><nav>{_list(NAVIGATION, "{}")}</nav></amp-sidebar>
<article><h1>{escape(story.title)}</h1><p class="source">{escape(story.publisher)}</p>
<p class="editor">{words.editor}: {escape(story.editor)}</p>
<figure><amp-img src="/images/2017/drill.jpg" width="640" height="400"></amp-img>
<figcaption>{escape(story.caption)} <span class="credit">Photo by {escape(story.credit)}</span></figcaption></figure>
{body}{related}</article></body></html>"""


def bare_lines(story: Story) -> str:
    """Publication and editor on lines of their own under the headline, without any label."""
    words = story.words
    body = "\n".join(f"<p>{escape(p)}</p>" for p in story.paragraphs)
    related = ""
    if story.related is not None:
        related = f"<p><strong>{words.related}</strong></p>" + _list(story.related, "<p>{}</p>")
    return f"""<html><head><meta charset="utf-8"><title>{escape(story.title)}</title></head><body>
<div class="wrap"><h1>{escape(story.title)}</h1>
<p>{escape(story.publisher)}<br>{escape(story.editor)}</p>
{"<p>" + _day(story) + "</p>" if story.published else ""}
<p><img src="/images/2017/drill.jpg"></p><p><em>{_caption(story)}</em></p>
{body}
{related}</div></body></html>"""


def inline_siblings(story: Story) -> str:
    """Publication and editor in two elements of one line, side by side in a cell."""
    words = story.words
    body = "".join(f"<p>{escape(p)}</p>" for p in story.paragraphs)
    related = ""
    if story.related is not None:
        rows = _list(story.related, "<tr><td>{}</td></tr>")
        related = f"<table><tr><td><h3>{words.related}</h3></td></tr>{rows}</table>"
    return f"""<html><head><meta charset="utf-8"><title>{escape(story.title)}</title></head><body>
<table><tr><td><h1>{escape(story.title)}</h1></td></tr>
<tr><td><span>{escape(story.publisher)}</span> <span>{escape(story.editor)}</span> <span>{_clock(story)}</span></td></tr>
<tr><td class="txt"><center><img src="/images/qrcode.png" width="200"></center><p><img src="/images/2017/drill.jpg"></p>
<p align="center">{_caption(story)}</p>{body}</td></tr></table>{related}</body></html>"""


def joined_line(story: Story) -> str:
    """One line of publication and editor without a mark between them; `meta` tells them apart."""
    words = story.words
    body = "".join(f"<p>{escape(p)}</p>" for p in story.paragraphs)
    related = ""
    if story.related is not None:
        related = f'<div class="more"><h4>{words.related}</h4><ol>{_list(story.related)}</ol></div>'
    return f"""<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">
<title>{escape(story.title)} - {story.site}</title><meta name="source" content="{escape(story.publisher)}">
<meta name="editor" content="{escape(story.editor)}"><meta name="publishdate" content="{_day(story)}">
<meta property="og:image" content="{SITE}/images/2017/drill.jpg"></head><body>
<div class="page"><h1>{escape(story.title)}</h1><p class="line">{escape(story.publisher)} {escape(story.editor)} {_clock(story)}</p>
<div class="picture"><img src="/images/2017/crop-b.jpg"><div class="caption">{_caption(story)}</div></div>
{body}{related}</div></body></html>"""


MARKUPS: Mapping[str, Callable[[Story], str]] = {
    "table_portal": table_portal,
    "semantic": semantic,
    "json_ld": json_ld,
    "div_soup": div_soup,
    "amp": amp,
    "bare_lines": bare_lines,
    "inline_siblings": inline_siblings,
    "joined_line": joined_line,
}

CHINESE = Words(
    language="zh-CN",
    related="相关新闻",
    editor="责任编辑",
    source="来源",
    time="时间",
    latest="最新消息",
    popular="热门排行",
    share="分享",
    about="关于我们",
)
GERMAN = Words(
    language="de",
    related="Mehr zum Thema",
    editor="Redakteur",
    source="Quelle",
    time="Datum",
    latest="Neueste Nachrichten",
    popular="Meistgelesen",
    share="Teilen",
    about="Impressum",
)


def chinese_story(related: Sequence[tuple[str, str]] | None = None) -> Story:
    """A story of our own in Chinese, with its editor line."""
    return Story(
        url="http://www.portal.example/n1/2019/0412/c1008-31026310.html",
        title="沿海小城开通夜间渡轮 渔民回家路缩短一半",
        publisher="海港日报",
        editor="林晓舟",
        caption="4月11日晚，首班夜间渡轮从东码头出发。",
        credit="陈一帆",
        paragraphs=(
            "本报讯 四月十一日晚上八点，首班夜间渡轮从东码头缓缓驶出，两百多名乘客站在甲板上向岸边的亲友挥手，许多人是第一次在天黑以后乘船回到对岸的村子。",
            "过去，最后一班船在傍晚六点离开，错过的人只能绕行七十公里的山路。渔民老周说，他常常为了赶船提前收网，现在终于可以等到潮水合适的时候再回来了。",
            "航运公司介绍，夜航船只全部装上了新的雷达和照明设备，船员接受了三个月的培训，遇到大雾或者六级以上的风就会停航，并通过手机提前通知乘客。",
            "当地交通部门表示，如果试运行顺利，今年秋天还将增加一条通往北岛的线路，票价与白天相同，学生和老人可以享受半价。",
        ),
        published="2019-04-12T07:30:00+08:00",
        related=None if related is None else tuple(related),
        words=CHINESE,
        site="港口网",
    )


def german_story(related: Sequence[tuple[str, str]] | None = None) -> Story:
    """A story of our own in German."""
    return Story(
        url="https://www.blatt.example/lokales/bruecke-wird-gesperrt-a-20418.html",
        title="Alte Brücke wird für ein halbes Jahr gesperrt",
        publisher="Uferblatt",
        editor="Hanne Sommerfeld",
        caption="Die Brücke am frühen Morgen, noch ohne Bauzaun.",
        credit="Jörg Hansen",
        paragraphs=(
            "Die alte Brücke über den Fluss wird vom kommenden Montag an für sechs Monate gesperrt, weil die Lager unter der Fahrbahn erneuert werden müssen, wie die Stadt am Dienstag mitteilte.",
            "Autofahrer sollen in dieser Zeit die südliche Umgehung nehmen; für Fußgänger und Radfahrer richtet die Verwaltung einen Steg ein, der auch nachts beleuchtet ist.",
            "Händler in der Altstadt fürchten um ihre Kundschaft. Sie verlangen, dass der Bus während der Bauarbeiten alle zehn Minuten fährt und bis zum Abend kostenlos bleibt.",
            "Die Kosten von knapp neun Millionen Euro teilen sich Stadt und Land. Im Herbst soll die Brücke mit einem Fest wieder geöffnet werden.",
        ),
        published="2021-03-02T10:05:00+01:00",
        related=None if related is None else tuple(related),
        words=GERMAN,
        site="Uferblatt",
    )
