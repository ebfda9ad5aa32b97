"""Whether two titles speak of the same subject: shared distinctive words."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d{3,}")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_STEM = 6


def subject_words(text: str) -> frozenset[str]:
    """Stems of the words that may name a subject; runs of CJK give pairs of characters.

    Words of fewer than four letters carry grammar in most languages, capitals excepted
    ("UN", "EU", "Xi"); a stem of six letters bridges inflection without a dictionary.
    """
    found: set[str] = set()
    for word in _WORD.findall(text):
        if _CJK.search(word):
            for run in _CJK.findall(word):
                found.update(run[i : i + 2] for i in range(len(run) - 1))
        elif len(word) >= 4 or (len(word) >= 2 and word[0].isupper()):
            plain = unicodedata.normalize("NFKD", word.casefold())
            plain = "".join(c for c in plain if not unicodedata.combining(c))
            if plain not in _COMMON:
                found.add(plain[:_STEM])
    return frozenset(found)


_COMMON = frozenset(
    """about after again against also amid among around back been before being between both could
    does down during each even ever every first from have here into itself just know last like
    made make many might more most much must near need never news next only other over said says
    should since some still such than that their them then there these they this those through
    under until upon very want week were what when where which while will with without would year
    years your video live photo photos the and for are but not you all any can her was one our out
    his has how its may new now old see two way who why did get let say she too use
    aber alle alles also auch beim dass dein deine denn der die das den dem des ein eine einem
    einen einer eines fuer gegen haben hatte heute ihre immer jetzt kann kein keine mehr mein mich
    nach neue neuen neuer nicht noch oder ohne schon sehr sein seine seit sich sind soll sollen
    ueber unter viele vier vom vor warum was weil wenn werden wer wie wieder will wir wird wurde
    zum zur zwei zwischen fur uber
    avec dans des donc elle elles entre est etre fait les leur leurs mais meme nous pour plus
    quand que qui sans ses sont sous sur tous tout toute une vers vous pas par aux cette
    como con contra cuando del desde donde dos ella ellos entre era esta este esto hace hasta
    hay las los mas muy nos otra otro para pero por porque que quien ser sin sobre son sus tiene
    todo todos tras una uno unos cual
    alla alle anche che chi come con contro cosa dal dalla dei del della delle dopo dove ecco
    gli hanno nel nella nelle non ogni per perche piu poi quando quello questa questo sono sua
    sul sulla suo tra tutti tutto una uno
    mas com sem sao seu sua uma dos das nos nas pela pelo
    het een van voor met niet ook maar door naar over bij zijn wordt heeft deze dit
    och att det som med inte har for till fran den der var han hun med seg ikke ved ble etter
    jak nie sie jest oraz przez przed czy tym tego dla lub
    para las los""".split()
)


def share_subject(one: frozenset[str], other: frozenset[str], *, cjk_pairs: int = 2) -> bool:
    """Whether two sets of `subject_words` meet: one word, or two pairs of CJK characters."""
    common = one & other
    if not common:
        return False
    if all(_CJK.fullmatch(word) for word in common):
        return len(common) >= cjk_pairs
    return True
