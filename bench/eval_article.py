"""One printed article, put into every markup of the test suite and read back field by field.

    python -m bench.eval_article [FILE]

FILE is a text with headline, outlet and editor lines, the caption of a picture, paragraphs and a
"Related News" heading. Without it `seed/article.txt` is read in the folder that holds
AGGREGATOR_EVAL_DATA, else in `../shared` beside the repository. The text is not part of the
project; without it the program says so and ends. The status is 1 when a field differs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.articles.pages import MARKUPS, RELATED, Story, article_from, story_of

_DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def differences(markup: str, story: Story) -> Iterator[str]:
    """The fields of the story that come out otherwise than they went in."""
    article = article_from(MARKUPS[markup](story).encode(), story.url)
    image = article.image
    read = {
        "title": (article.title, story.title),
        "publisher": (article.publisher, story.publisher),
        "editor": (article.editor, story.editor),
        "authors": (article.authors, ()),
        "caption": (image and image.caption, story.caption),
        "credit": (image and image.credit, story.credit),
        "text": (article.text.split("\n\n"), list(story.paragraphs)),
        "related": ([link.text for link in article.links], [t for t, _ in story.related or ()]),
    }
    for name, (found, right) in read.items():
        if found != right:
            yield f"  {name}: {found!r} instead of {right!r}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the article in every markup, with related links and with an empty heading."""
    parser = argparse.ArgumentParser(description="Read one article in every markup.")
    data = Path(os.environ.get("AGGREGATOR_EVAL_DATA") or _DATA)
    parser.add_argument("file", nargs="?", type=Path, default=data.parent / "seed" / "article.txt")
    path = parser.parse_args(arguments).file
    if not path.is_file():
        print(f"no article to read: {path} does not exist")
        return 0
    text = path.read_text(encoding="utf-8")
    wrong = 0
    for markup in MARKUPS:
        for related in (RELATED, ()):
            found = list(differences(markup, story_of(text, related)))
            wrong += len(found)
            if found:
                print("\n".join([f"{markup}, {len(related)} related links", *found]))
    print(f"article in {len(MARKUPS)} markups, with and without related links: {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
