"""HTML of strangers: nothing active survives, and what is honest does."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from aggregator.markup.elements import names
from aggregator.markup.sanitize import SANITIZER_VERSION, safe_url, sanitize_html
from aggregator.markup.text import clean

from .vectors import VECTORS

BASE = "https://news.example/2026/story.html"

SAFE_TAGS = names(
    """a abbr address article aside audio b bdi bdo big blockquote br caption center cite code col
    colgroup dd del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header
    hgroup hr i iframe img ins kbd li main mark nav ol p picture pre q rp rt ruby s samp section
    small source span strike strong sub summary sup table tbody td tfoot th thead time tr track tt u
    ul var video wbr acronym"""
)
SAFE_ATTRIBUTES = names(
    """href src srcset sizes alt title lang hreflang dir rel width height colspan rowspan headers
    scope abbr span start reversed type media datetime poster controls preload loading sandbox
    referrerpolicy open srclang label kind"""
)


class Inspector(HTMLParser):
    """Reads the output as a second, independent parser and objects to anything unexpected."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in SAFE_TAGS, tag
        for name, value in attrs:
            assert name in SAFE_ATTRIBUTES, (tag, name)
            assert value is not None
            if name == "href":
                scheme = value.split(":", 1)[0]
                assert scheme in {"http", "https", "mailto", "tel", "ftp", "magnet"}, value
            if name in {"src", "poster"} and not value.startswith("data:image/"):
                assert value.startswith(("http://", "https://")), value
            if name == "src" and tag == "iframe":
                assert value.startswith("https://www.youtube.com/embed/"), value
            if name == "srcset":
                for candidate in value.split(","):
                    assert candidate.strip().startswith(("http://", "https://")), value

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment survived: {data!r}")

    def handle_decl(self, decl: str) -> None:
        self.handle_comment(decl)

    def unknown_decl(self, data: str) -> None:
        self.handle_comment(data)

    def handle_pi(self, data: str) -> None:
        self.handle_comment(data)


def inspect(html: str) -> None:
    inspector = Inspector()
    inspector.feed(html)
    inspector.close()


@pytest.mark.parametrize("vector", VECTORS)
def test_nothing_active_survives(vector: str) -> None:
    for base in (BASE, None):
        safe = sanitize_html(f"before {vector} after", base)
        inspect(safe)
        assert sanitize_html(safe, base) == safe


@given(
    st.lists(
        st.one_of(
            st.sampled_from(VECTORS).filter(lambda v: len(v) < 500),
            st.text(alphabet="<>/='\"& abisx\x00\n-!", max_size=12),
        ),
        max_size=6,
    ).map("".join)
)
def test_no_mixture_of_vectors_survives(soup: str) -> None:
    inspect(sanitize_html(soup, BASE))


@given(st.text(max_size=300))
def test_the_output_can_be_embedded_in_xml(s: str) -> None:
    safe = sanitize_html(s, BASE)
    assert clean(safe) == safe
    element = etree.Element("content")
    element.text = safe
    etree.fromstring(etree.tostring(element))


def test_character_references_cannot_bring_control_characters_back() -> None:
    assert "\x01" not in sanitize_html("<p>a&#1;b&#xb;c&#xFFFE;</p>", BASE)


@pytest.mark.parametrize(
    ("given_html", "safe"),
    [
        (
            '<a href="../x" target="_blank" class="c">t</a>',
            '<a href="https://news.example/x" rel="noopener noreferrer nofollow">t</a>',
        ),
        (
            '<img src="a b.png" width="30px" onload="x()">',
            '<img src="https://news.example/2026/a%20b.png" width="30" loading="lazy">',
        ),
        (
            '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-src="real.jpg" alt="x">',
            '<img src="https://news.example/2026/real.jpg" alt="x" loading="lazy">',
        ),
        (
            '<img srcset="a.png 1x, b.png 2x" src="a.png">',
            '<img srcset="https://news.example/2026/a.png 1x, https://news.example/2026/b.png 2x"'
            ' src="https://news.example/2026/a.png" loading="lazy">',
        ),
        ('<img src="/t.gif" width="1" height="1">', ""),
        ('<img src="/t.gif" height="0">', ""),
        ('<img src="/t.gif" style="display: none">', ""),
        ('<img src="/t.gif" style="width:1px;height:1px">', ""),
        ('<img src="javascript:1" alt="a &amp; b">', "a &amp; b"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("just text > here", "just text &gt; here"),
        ("<noscript><p>in noscript</p></noscript>", "<p>in noscript</p>"),
        ("<form>Name <input name=x><b>y</b></form>", "Name <b>y</b>"),
        ("<font color=red>old</font>", "old"),
        ("<p>one<p>two", "<p>one</p><p>two</p>"),
        ('<td colspan="2x" rowspan="2">x</td>', "x"),
        (
            "<video src=v.mp4 autoplay loop></video>",
            '<video src="https://news.example/2026/v.mp4" controls="" preload="none"></video>',
        ),
    ],
)
def test_honest_html_stays(given_html: str, safe: str) -> None:
    assert sanitize_html(given_html, BASE) == safe


def test_a_player_stays_framed_and_confined() -> None:
    given = '<iframe src="https://www.youtube.com/embed/abc" width="560" allowfullscreen></iframe>'
    # The same bytes in every process: the serialiser alone puts its attributes in any order.
    assert {sanitize_html(given, BASE) for _ in range(20)} == {
        '<iframe src="https://www.youtube.com/embed/abc" width="560" loading="lazy" '
        'referrerpolicy="no-referrer" sandbox="allow-scripts allow-same-origin allow-popups '
        'allow-presentation"></iframe>'
    }


def test_without_a_base_relative_links_go_and_their_text_stays() -> None:
    assert sanitize_html('<a href="/x">t</a><img src="y.png" alt="z">', None) == (
        '<a rel="noopener noreferrer nofollow">t</a>z'
    )


def test_a_bomb_is_reduced_to_its_text() -> None:
    assert sanitize_html("<div>" * 50_000 + "word <", BASE).endswith("word &lt;</p>")


@pytest.mark.parametrize(
    ("value", "url"),
    [
        ("x", "https://news.example/2026/x"),
        ("#part", "https://news.example/2026/story.html#part"),
        ("//cdn.example/y", "https://cdn.example/y"),
        (" https://a.example/ b ", "https://a.example/%20b"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("java\nscript:x", None),
        ("http://", None),
        ("http://[::1", None),
        ("", None),
    ],
)
def test_a_url_is_made_absolute_or_refused(value: str, url: str | None) -> None:
    assert safe_url(value, BASE) == url


def test_the_version_is_a_number_to_store() -> None:
    assert SANITIZER_VERSION >= 1


PLAYER = "https://www.youtube.com/embed/"


@pytest.mark.parametrize(
    "path",
    [
        "../redirect?q=x", "./../redirect", "a/../../redirect", "..%2fredirect", "%2e%2e/redirect",
        "%2E./redirect", ".%2e\\redirect", "..\\redirect", "a\\b", "a%5cb", "a%5C..%5Cb",
        "%252e%252e/redirect", "%25252e%25252e/x", "..;/redirect", "%2e%2e%3b/x", "a/..",
        "a/%2e%2e",
        "\t../x", "%00/x", "%2e%2e%2fredirect",
    ],
)  # fmt: skip
def test_a_frame_stays_below_the_place_of_its_player(path: str) -> None:
    assert "<iframe" not in sanitize_html(f'<iframe src="{PLAYER}{path}"></iframe>', None)


@pytest.mark.parametrize(
    "url",
    [
        "https://open.spotify.com/embedded-evil",
        "https://open.spotify.com/embed",
        "https://geo.dailymotion.com/playerx",
        "https://bandcamp.com/EmbeddedPlayerX/",
        "https://www.youtube.com/embed",
        "https://www.youtube.com\\@evil.example/embed/x",
    ],
)
def test_the_place_of_a_player_ends_at_a_slash(url: str) -> None:
    assert "<iframe" not in sanitize_html(f'<iframe src="{url}"></iframe>', None)


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/embed/a-b_c?start=1&amp;list=a.b..c",
        "https://open.spotify.com/embed/track/x",
        "https://geo.dailymotion.com/player.html?video=x",
        "https://geo.dailymotion.com/player/x1.html?video=x",
        "https://bandcamp.com/EmbeddedPlayer/v=2/track=1/size=large/",
        "https://player.twitch.tv/?channel=x",
        "https://archive.org/embed/a..b/c.d%20e.mp4",
    ],
)
def test_players_stay(url: str) -> None:
    assert f'<iframe src="{url}" ' in sanitize_html(f'<iframe src="{url}"></iframe>', None)


AROUND = [
    "{}", "<p>{}</p>", "<b><p>{}</b>", "<table>{}</table>", "<table><tr><td>{}", "<svg>{}</svg>",
    "<math>{}</math>", "<math><mtext>{}</mtext></math>", "<svg><desc>{}</desc></svg>",
    "<svg><foreignObject>{}</foreignObject></svg>", "<noscript>{}</noscript>",
    "<select>{}</select>",
    "<template>{}</template>", '<img alt="a>b" src="https://a.example/x.png">{}',
    '<a title="<iframe>">{}</a>', "<iframe>{}", "<iframe>{}</iframe>", "<audio src=x>{}</audio>",
    "<picture>{}</picture>", "<!--{}-->{}", "<![CDATA[{}]]>{}", "<xmp>{}</xmp>{}",
    "<title>{}</title>{}",
    "<ruby>{}", "<p title='{}'>{}</p>", "<video poster='x'>{}</video>", "<plaintext>{}",
    "<style>{}",
    '<img src="https://a.example/x.png" alt="{}">', "<iframe src=x></iframe>{}", "&lt;iframe&gt;{}",
    "<textarea>{}</textarea>{}", "<frameset>{}</frameset>", "<svg><title>{}</title></svg>{}",
    "<math><annotation-xml encoding='text/html'>{}</annotation-xml></math>", "<a href={}>{}</a>",
]  # fmt: skip
FRAMES = [
    f'<iframe src="{PLAYER}a"></iframe>',
    f'<iframe src="{PLAYER}a">',
    f'<IFRAME SRC="{PLAYER}a" SANDBOX="" sandbox=allow-top-navigation srcdoc="&lt;p&gt;"></IFRAME>',
    f'<iframe src="{PLAYER}a"><iframe src="{PLAYER}b"></iframe></iframe>',
    f'<iframe src="{PLAYER}a"><!-- </iframe> --><img src=x></iframe>',
    f'<iframe/src="{PLAYER}a"/sandbox/></iframe>',
    f"<iframe\n\t\fsrc={PLAYER}a></iframe\n>",
    f'<iframe src="{PLAYER}a" title="></iframe><iframe src={PLAYER}b>"></iframe>',
]


class Frames(HTMLParser):
    """Every frame a lenient parser finds, one that knows no raw text too."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []

    def set_cdata_mode(self, elem: str, *, escapable: bool = False) -> None:
        """No element is raw text."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "iframe":
            self.found.append(dict(attrs))


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("frame", FRAMES)
def test_every_frame_that_leaves_has_its_sandbox_whatever_is_around_it(
    around: str, frame: str
) -> None:
    for other in (frame, *AROUND[:4]):
        html = around.replace("{}", frame) + other.replace("{}", frame)
        safe = sanitize_html(html, None)
        frames = Frames()
        frames.feed(safe)
        assert safe.lower().count("<iframe") == len(frames.found)
        for one in frames.found:
            assert (
                one["sandbox"] == "allow-scripts allow-same-origin allow-popups allow-presentation"
            )
            assert (one["src"] or "").startswith(PLAYER)
            assert "srcdoc" not in one


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("a.png 1x,b.png 2x", "{}a.png 1x, {}b.png 2x"),
        ("a.png, b.png 2x,", "{}a.png, {}b.png 2x"),
        ("a,b.png 100w , c.png", "{}a%2Cb.png 100w, {}c.png"),
        (",,, a.png 1.5x,,,b.png", "{}a.png 1.5x, {}b.png"),
        ("a.png 1x 2x, b.png 1q, c.png", "{}c.png"),
        ("a.png 100w 50h", ""),
        ("javascript:x 1x, a.png", "{}a.png"),
        ("", ""),
    ],
)
def test_a_srcset_is_split_as_browsers_do(written: str, kept: str) -> None:
    safe = sanitize_html(f'<img src="s.png" srcset="{written}">', "https://a.example/d/")
    found = re.search(r'srcset="([^"]*)"', safe)
    assert (found[1] if found else "") == kept.replace("{}", "https://a.example/d/")


def test_a_srcset_longer_than_any_is_left_out() -> None:
    safe = sanitize_html(f'<img src="https://a.example/s" srcset="{"a 1x," * 20_000}">', None)
    assert "srcset" not in safe
    assert "<img" in safe
