"""Names in a text, by their capitals: what an event is told apart by.

Only in scripts that have capitals, and only where these say something: not at the beginning of a
sentence, not in a headline that capitalises every word. In German all nouns count, which does less
harm than it sounds: what is rare weighs more.
"""

from __future__ import annotations

from aggregator.identity.texts.tokens import word_spans, words

_ENDS = frozenset(".!?…:;\n\r\"'“”‘’«»„()[]–—-*•|")  # before a word: it may begin a sentence
_MOST = 0.6  # of the words: where more have capitals, these say nothing


def names(text: str, most: int) -> frozenset[str]:
    """The names among the first `most` words of a text, as `tokens.words` gives them."""
    found: set[str] = set()
    capitals, end = 0, 0
    spans = word_spans(text[: most * 40], most)[:most]
    for start, stop in spans:
        word = text[start:stop]
        if word[0].isupper():
            capitals += 1
            if len(word) > 1 and end and not _ENDS.intersection(text[end:start]):
                found.update(words(word))
        end = stop
    return frozenset(found) if capitals <= _MOST * len(spans) else frozenset()
