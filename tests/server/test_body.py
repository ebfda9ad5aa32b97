"""Publishers' texts on a page: pictures and links have names, headings an order."""

from __future__ import annotations

import pytest

from aggregator.server.pages.body import spoken

LINK = '<a href="https://www.youtube.com/embed/x" rel="noreferrer"'
FRAME = '<iframe src="https://www.youtube.com/embed/x" width="720"'


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ('<img src="https://a.example/1">', '<img src="https://a.example/1" alt="">'),
        ('<img src="https://a.example/1" alt="b > c">', None),
        ('<img src="https://a.example/1" alt="">', None),
        (f"{FRAME}></iframe>", f"{LINK}>Embedded from www.youtube.com</a>"),
        (f'{FRAME} title="A &amp; B"></iframe>', f"{LINK}>A &amp; B</a>"),
        (
            '<a href="https://a.example/x"><img src="https://a.example/1" alt=""></a>',
            '<a href="https://a.example/x" aria-label="Link to a.example">'
            '<img src="https://a.example/1" alt=""></a>',
        ),
        ('<a href="https://a.example/x"><img src="https://a.example/1" alt="Boat"></a>', None),
        ('<a href="https://a.example/x"><b>words</b></a>', None),
        ('<a href="https://a.example/x" title="Named"></a>', None),
        ("<h3>a</h3><h4>b</h4><h3>c</h3>", "<h2>a</h2><h3>b</h3><h2>c</h2>"),
        ("<h1>a</h1><h5>b</h5><h2>c</h2>", "<h2>a</h2><h3>b</h3><h3>c</h3>"),
        ("<h2>a</h2><h3>b</h3><h4>c</h4><h2>d</h2>", None),
        ("<pre>code</pre>", '<pre tabindex="0">code</pre>'),
        ("<p>No tag, 3 &lt; 4</p>", None),
    ],
)
def test_a_text_gets_what_is_read_aloud_and_nothing_else(html: str, shown: str | None) -> None:
    assert spoken(html) == (shown or html)
    assert spoken(shown or html) == (shown or html)  # as often as it is shown
