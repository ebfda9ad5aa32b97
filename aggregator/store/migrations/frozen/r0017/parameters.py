"""Which query parameters are about the reader's way and not about the page.

The rules are data (`data/parameters.txt`); an operator adds more in the configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib.resources import files

# A parameter with one of these values says how the page is shown or where the link stood,
# whatever its name: `?outputType=amp`, `?from=rss`, `?ncid=rss`. (A feed is never an article.)
_TELLING_VALUES = frozenset(
    {
        *("amp", "amphtml", "rss", "rss2", "rssfeed", "feedburner"),
        *("print", "printable", "imprimable", "imprimir", "drucken", "druckversion", "stampa"),
    }
)
# The whole article instead of its first page: `?page=all`, `?currentPage=all`.
_WHOLE = frozenset({"all", "entire", "full", "single", "alles"})
_PAGING = frozenset({"page", "currentpage", "pagina", "seite"})
# Names that nearly always tell a referrer; a few old systems number their articles by them.
_AMBIGUOUS = frozenset(
    {"ref", "refid", "source", "partner", "src", "via", "print", "share", "trackid"}
)
_NUMBERED = re.compile(r".*\d{4}.*", re.DOTALL)
_SESSION = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_READABLE = re.compile(r"(?=.*[aeiouy])[a-z]{4,}")  # a name
_UNREADABLE = re.compile(  # a value
    r"(?=.*\d)(?=.*[A-Za-z])[^-]{16,}|(?=.*\d)(?=.*[a-z])(?=.*[A-Z]).{12,}|\d{10,}|0x.*", re.DOTALL
)
_YES_OR_NO = frozenset({"", "0", "1", "true", "false", "yes", "no", "on", "off", "y", "n"})
_NUMBER_NAMES = ("no", "nr", "num", "ref")
_SHORT_NAME = 4  # letters; longer ones were coined for tracking
_SHORT_NUMBER = re.compile(r"\d{1,4}")
_DAY = re.compile(r"(?:19|20)\d\d-?(?:0[1-9]|1[0-2])(?:-?(?:0[1-9]|[12]\d|3[01]))?")
_TITLE = re.compile(r".*/(?=[^/]{18})[^/-]*-[^/-]*-[^/]*")  # three words name a page
_ONE_WORD = re.compile(r"/[^\W\d_]{4,}(?:\.\w{2,5})?")
_IDS_OF_PARTS = frozenset({"commentid", "comment_id", "postid", "post_id", "variantid", "imageid"})


def data_lines(name: str) -> tuple[str, ...]:
    """The rules of a data file of this package: its lines without comments and blank ones."""
    own = files(__package__) / "data" / name
    earlier = files("aggregator.store.migrations.frozen.r0012") / "data" / name
    text = (own if own.is_file() else earlier).read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


@lru_cache(maxsize=64)
def _matcher(names: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for all `names`; `*` is any run of characters."""
    alternatives = "|".join(
        ".*".join(re.escape(piece) for piece in name.casefold().split("*")) for name in names
    )
    return re.compile(f"(?:{alternatives})", re.DOTALL)


@cache
def _shipped() -> tuple[re.Pattern[str], dict[str, re.Pattern[str]]]:
    """The rules for every host, and those of single hosts by host."""
    general: list[str] = []
    by_host: dict[str, list[str]] = {}
    for line in data_lines("parameters.txt"):
        host, _, name = line.rpartition(" ")
        if host:
            by_host.setdefault(host.strip(), []).append(name)
        else:
            general.append(name)
    return _matcher(tuple(general)), {h: _matcher(tuple(names)) for h, names in by_host.items()}


def _suffixes(host: str) -> Iterable[str]:
    """`host` and every domain above it: a.b.c, b.c, c."""
    while host:
        yield host
        host = host.partition(".")[2]


def is_tracking(name: str, value: str, host: str, extra: Sequence[str] = ()) -> bool:
    """Whether the parameter `name=value` may be dropped from a URL of `host`.

    Args:
        name: Decoded name.
        value: Decoded value, empty where there is none.
        host: Lower-case host.
        extra: Further names the operator gave; `*` is any run of characters.
    """
    name, folded = name.casefold(), value.casefold()
    general, by_host = _shipped()
    if folded in _TELLING_VALUES or (name in _PAGING and folded in _WHOLE):
        return True
    if name in ("sid", "s") and _SESSION.fullmatch(value):
        return True
    if name == "cid" and value and not value.isdecimal():  # a number may be the article's
        return True
    if general.fullmatch(name) and not (name in _AMBIGUOUS and _NUMBERED.fullmatch(value)):
        return True
    if extra and _matcher(tuple(extra)).fullmatch(name):
        return True
    return any(
        (rules := by_host.get(domain)) is not None and rules.fullmatch(name) is not None
        for domain in _suffixes(host)
    )


@cache
def _picking() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The names that pick a page, and those of them that do not."""
    lines = data_lines("picking.txt")
    return (
        _matcher(tuple(line for line in lines if not line.startswith("!"))),
        _matcher(tuple(line[1:] for line in lines if line.startswith("!"))),
    )


def may_pick_alone(name: str, value: str, host: str, path: str, extra: Sequence[str] = ()) -> bool:
    """Whether a tracker's name may pick the page, where nothing else in an address does.

    A short number does (`news.php?ncid=12`): counters and click ids are none. So does a word after
    one of the names that mean something in English, where the path is no more than a word
    (`/observations?source=brest`).
    """
    name, folded = name.casefold(), value.casefold()
    wordlike = name in _AMBIGUOUS or (len(name) <= _SHORT_NAME and name.isalpha())
    if not wordlike or not _shipped()[0].fullmatch(name) or _TITLE.fullmatch(path):
        return False
    if extra and _matcher(tuple(extra)).fullmatch(name):
        return False
    if any(
        (rules := _shipped()[1].get(domain)) is not None and rules.fullmatch(name)
        for domain in _suffixes(host)
    ):
        return False
    if _SHORT_NUMBER.fullmatch(value):
        return folded not in _YES_OR_NO
    return (
        name in _AMBIGUOUS
        and _ONE_WORD.fullmatch(path) is not None
        and _READABLE.fullmatch(folded) is not None
        and folded not in _TELLING_VALUES
    )


def picks(name: str, value: str, *, numbered: bool = False) -> bool:
    """Whether a parameter may pick a page though the path names an article by itself.

    Beside the names that are known to, a readable word may, for it was chosen to be read
    (`?station=brest`), but not with a mere yes or no or a value that nobody could read; so may a
    day, a year and a short number. Where the path has the page's number (`numbered`), only
    the names that are known to pick count, and no ids.
    """
    name = name.casefold()
    names, others = _picking()
    if numbered and name.endswith("id") and name not in _IDS_OF_PARTS:
        return False
    if names.fullmatch(name):
        return others.fullmatch(name) is None
    if not numbered and (_SHORT_NUMBER.fullmatch(value) or _DAY.fullmatch(value)):
        return value not in _YES_OR_NO and others.fullmatch(name) is None
    if name.endswith(_NUMBER_NAMES) and value.isascii() and value.isdecimal():
        return True
    return (
        not numbered
        and _READABLE.fullmatch(name) is not None
        and value.casefold() not in _YES_OR_NO
        and _UNREADABLE.fullmatch(value) is None
        and others.fullmatch(name) is None
    )
