"""Which HTML elements are what (WHATWG HTML §13.1.2, §13.2.4), and which may stay in a body."""

from __future__ import annotations


def names(spaced: str) -> frozenset[str]:
    """The words of `spaced` as a set."""
    return frozenset(spaced.split())


VOID = names(
    "area base basefont br col embed frame hr img input keygen link meta param source track wbr"
)

# Text on either side of one of these is not in one line.
BLOCKS = names(
    "address article aside blockquote br caption dd details div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hgroup hr li main nav ol p pre section summary table "
    "tbody td tfoot th thead tr ul"
)

FORMATTING = names("a b big code em font i nobr s small strike strong tt u")

# Where the search for an open element stops: the scopes of §13.2.4.2, and the special category.
SCOPES = names("table td th caption marquee object applet template svg math foreignobject")
SPECIAL = SCOPES | names(
    "address article aside blockquote body button center colgroup dd details dir div dl dt "
    "fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup html "
    "iframe li listing main menu nav noembed noframes noscript ol p plaintext pre script search "
    "section select style summary tbody textarea tfoot thead title tr ul xmp"
)

# What a body of ours may contain. No forms, no style, nothing that runs or loads by itself.
ALLOWED = names(
    "a abbr acronym address article aside audio b bdi bdo big blockquote br caption center cite "
    "code col colgroup dd del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 "
    "header hgroup hr i iframe img ins kbd li main mark nav ol p picture pre q rp rt ruby s samp "
    "section small source span strike strong sub summary sup table tbody td tfoot th thead time tr "
    "track tt u ul var video wbr"
)

# Removed with what they hold; other unknown elements leave their content behind.
REMOVED = names(
    "applet embed frame frameset head noembed noframes object option plaintext "
    "script select style svg template textarea title xmp"
)
