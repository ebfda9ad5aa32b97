"""The same text elsewhere: trimmed, wrapped and re-titled copies are found, templates are not."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.identity.texts.boilerplate import Fate, paragraph_hash
from aggregator.identity.texts.copies import is_unaffected, percents, restore, shared_passages
from aggregator.identity.texts.fingerprints import SHINGLE, WINDOW, shingles, winnow
from aggregator.identity.texts.tokens import words
from aggregator.model.copies import CopyThresholds
from tests.identity.shipped import (
    comparable,
    compare,
    paragraphs,
    prepare_text,
    repeated_paragraphs,
    same_text,
)
from tests.identity.texts import ENGLISH, GERMAN, LANGUAGES, MARKET_REPORTS


def same(a: str, b: str) -> bool:
    return same_text("One headline", a, "Quite another headline", b)


def as_wrapped_copy(text: str) -> str:
    """What an outlet makes of a wire text: tail trimmed, paragraphs joined, boilerplate around."""
    lines = text.split("\n\n")[:-1]
    return "\n".join(
        [
            "Sign up for our daily newsletter and get the day's top stories in your inbox.",
            " ".join(lines[:2]),
            *lines[2:],
            "Share this article on all your networks",
            "Related News",
            "Some other thing that happened today in another town",
            "One more headline of the day that is about nothing in particular",
        ]
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_trimmed_and_wrapped_copy_is_found_in_any_language(language: str) -> None:
    text = LANGUAGES[language]
    assert same(text, as_wrapped_copy(text))
    assert same(as_wrapped_copy(text), text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_opening_alone_is_a_copy_of_the_whole(language: str) -> None:
    text = LANGUAGES[language]
    opening = "\n".join(text.split("\n\n")[:2])
    decision = compare(comparable(opening), comparable(text))
    assert decision.same
    assert decision.score == 1.0


def test_typographic_differences_do_not_matter() -> None:
    other = ENGLISH.replace('"', "”").replace("Tuesday", "TUESDAY").replace(" - ", " — ")
    assert compare(comparable(ENGLISH), comparable(other)).score == 1.0


@pytest.mark.parametrize("language", MARKET_REPORTS)
def test_two_reports_of_one_template_are_two_texts(language: str) -> None:
    template = MARKET_REPORTS[language]
    tuesday = template.format(
        a="12.4", b="1,874.2", c="3.61", d="4.8", e="1.7", f="0.9", g="11", word="up", day="March 3"
    )
    wednesday = template.format(
        a="23.1", b="1,851.1", c="4.05", d="3.5", e="2.2", f="1.3", g="8", word="up", day="March 4"
    )
    assert len(comparable(tuesday).shingles) >= 12
    assert not same(tuesday, wednesday)
    assert same(tuesday, tuesday)


def test_differing_figures_are_the_veto_that_is_named() -> None:
    template = MARKET_REPORTS["en"]
    one = template.format(a=1.5, b=700, c=2.5, d=3.5, e=4.5, f=5.5, g=61, word="up", day="Monday")
    two = template.format(a=1.6, b=710, c=2.6, d=3.6, e=4.6, f=5.6, g=62, word="up", day="Monday")
    decision = compare(comparable(one), comparable(two), CopyThresholds(containment=0.2))
    assert not decision.same
    assert decision.evidence.vetoes == ("numbers",)
    assert "710" in decision.evidence.numbers_only_b
    assert decision.evidence.numbers_shared == ("40",)
    assert "figures" in decision.reason


def test_a_report_about_another_day_is_another_text_though_most_figures_agree() -> None:
    report = (
        "LAKE CITY, {day} - Prices of the reserve for the week through {end} were as follows: "
        "wheat 2.62, corn 1.38, oats 0.99, barley 1.55, sorghum 2.54, with release levels of 4.65, "
        "3.15, 1.65, 2.55 and 5.36 and call prices of {call} for wheat, the farm office said in "
        "its regular statement."
    )
    one = report.format(day="April 9", end="April 8", call="4.70")
    two = report.format(day="April 16", end="April 15", call="4.71")
    decision = compare(comparable(one), comparable(two))
    assert decision.score >= 0.58
    assert "dates" in decision.evidence.vetoes
    assert not decision.same


@pytest.mark.parametrize(
    ("one", "other"),
    [("am 7. April", "7.4.2024"), ("April 7", "2024-04-07"), ("4月7日", "7 avril")],
)
def test_days_are_understood_however_they_are_written(one: str, other: str) -> None:
    assert comparable(one).opening_dates == comparable(other).opening_dates == {"04-07"}


def test_a_text_of_a_few_words_is_never_decided() -> None:
    decision = compare(comparable("Ferry crews go back to work"), comparable(ENGLISH))
    assert not decision.same
    assert decision.evidence.vetoes == ("short",)


def test_other_texts_in_the_same_boilerplate_are_two_texts() -> None:
    boilerplate = as_wrapped_copy("\n\n".join(["x"] * 3)).split("\n")
    long_tail = "\n".join(boilerplate + ["And one more line of the page's own words below"] * 3)
    assert not same(f"{ENGLISH}\n{long_tail}", f"{GERMAN}\n{long_tail}")


NOTICE = (
    "{road} will be closed to all traffic between {one} and {two} from {start} to {end} while the "
    "water company lays a new main. Access for residents and for the emergency services will be "
    "kept at all times, and the pavements stay open. Buses {buses} are diverted along Mill Lane "
    "and will not serve the stops in {road}. The works are weather permitting, and the council "
    "apologises for any inconvenience. Questions can be put to the highways desk on weekdays "
    "between nine and five, or in person at the town hall."
)


def test_two_notices_of_one_form_with_few_figures_are_two_texts() -> None:
    one = NOTICE.format(
        road="Church Road", one="the school", two="Park Avenue", start="3 March", end="13 March",
        buses="41 and 318",
    )  # fmt: skip
    two = NOTICE.format(
        road="Quay Street", one="the bridge", two="Station Hill", start="8 April", end="20 April",
        buses="7 and 325",
    )  # fmt: skip
    decision = compare(comparable(one), comparable(two))
    assert decision.score >= 0.58
    assert decision.evidence.numeric_share < 0.1
    assert decision.evidence.vetoes == ("numbers", "names")
    assert not decision.same
    corrected = one.replace("13 March", "14 March")
    assert same(one, corrected)


COURT = (
    "A court in the capital {day} sentenced {who} to {years} years in prison for forging deeds. "
    "The defence had asked for a fine. {name} denied everything and will appeal, a lawyer said. "
    "The judge spoke of a breach of trust that had harmed many families over a long time."
)
RELEASE = (
    "Release {version} of the compiler is out. It brings many small fixes, better messages and "
    "faster builds. Packages for all systems are in the usual places. The next release is planned "
    "for autumn. Thanks to everyone who sent patches or reported problems."
)
WARNING = (
    "Die Wetterwarte warnt vor Sturmböen im Kreis {place}. Es treten Böen mit Geschwindigkeiten um "
    "{speed} Kilometer in der Stunde aus westlicher Richtung auf. Einzelne Äste können "
    "herabstürzen. Achten Sie besonders auf herabfallende Gegenstände."
)


@pytest.mark.parametrize(
    ("one", "other", "veto"),
    [
        (
            COURT.format(day="Monday", who="former mayor Olga Brandt", years="two", name="Brandt"),
            COURT.format(day="Monday", who="banker Juri Falk", years="two", name="Falk"),
            "names",
        ),
        (
            COURT.format(day="today", who="the clerk at last", years="three", name="He"),
            COURT.format(day="today", who="a driver for the firm", years="seven", name="She"),
            "numbers",
        ),
        (RELEASE.format(version="3.8"), RELEASE.format(version="3.9"), "numbers"),
        (
            RELEASE.replace("small", "small {version}").format(version="3.8.1"),
            RELEASE.replace("small", "small {version}").format(version="3.8.2"),
            "numbers",
        ),
        (
            WARNING.format(place="Husum", speed="75"),
            WARNING.format(place="Passau", speed="65"),
            "numbers",
        ),
    ],
)
def test_forms_that_differ_in_a_name_or_a_count_are_two_texts(
    one: str, other: str, veto: str
) -> None:
    decision = compare(comparable(one), comparable(other))
    assert decision.score >= 0.46
    assert veto in decision.evidence.vetoes
    assert not decision.same


def test_one_name_or_figure_in_two_forms_is_none_against_another() -> None:
    base = COURT.format(day="Monday", who="former mayor Olga Brandt", years="two", name="Brandt")
    base += " Some 12,100 people in Reidgefield had lost money since October, they said on Friday."
    for written, otherwise in (
        ("Reidgefield", "Ridgefield"),
        ("October", "Oct."),
        ("12,100", "12,141"),
        ("two years", "three years"),
    ):
        assert same(base, base.replace(written, otherwise)), otherwise


def test_in_a_language_of_capitals_one_noun_for_another_is_no_other_name() -> None:
    assert same(GERMAN, GERMAN.replace(" Fähren", " Schiffe"))


def test_a_shared_beginning_above_two_articles_is_boilerplate() -> None:
    foot = " ".join(NOTICE.split()[:44])
    one, two = ENGLISH.split()[:30], GERMAN.split()[:30]
    decision = compare(
        comparable(f"{foot}\n{' '.join(one)}"), comparable(f"{foot}\n{' '.join(two)}")
    )
    assert decision.evidence.vetoes == ("ending",) or decision.score < 0.58
    assert not decision.same


def test_two_articles_above_the_same_long_foot_are_two_texts() -> None:
    foot = GERMAN
    one, two = (" ".join(NOTICE.split()[at : at + 40]) for at in (0, 40))
    decision = compare(comparable(f"{one}\n{foot}"), comparable(f"{two}\n{foot}"))
    assert 0.58 <= decision.score < 0.8
    sure = CopyThresholds(sure_opening=decision.score + 0.01)
    decision = compare(comparable(f"{one}\n{foot}"), comparable(f"{two}\n{foot}"), sure)
    assert decision.evidence.vetoes == ("opening",)
    assert not decision.same


def test_a_brief_that_stands_in_the_middle_of_a_newsletter_is_no_copy_of_it() -> None:
    brief = ENGLISH.split("\n\n")[0]
    letter = "\n".join(
        ["Good morning. Here is what you need to know today.", GERMAN, brief, GERMAN[::-1]]
    )
    decision = compare(comparable(brief), comparable(letter))
    assert decision.score == 1.0
    assert decision.evidence.vetoes == ("excerpt",)
    assert same(ENGLISH.split("\n\n")[0], ENGLISH + "\n" + GERMAN)


def edited(text: str, put: str, every: int, length: int) -> str:
    """The text with `length` words of each `every` taken out, and others put in their place."""
    kept = text.split()
    return " ".join(
        f"{put} {word}" if place % every == length else word
        for place, word in enumerate(kept)
        if place % every >= length
    )


def test_less_is_enough_where_one_outlet_only_cut() -> None:
    cut = compare(comparable(edited(ENGLISH, "", 9, 1)), comparable(ENGLISH), young=True)
    assert 0.53 <= cut.score < 0.65
    assert cut.same
    assert "cut or added rather than replaced" in cut.reason
    other = edited(ENGLISH, "words of its very own", 16, 5)
    replaced = compare(comparable(other), comparable(ENGLISH))
    assert 0.46 <= replaced.score < 0.58
    assert not replaced.same


@pytest.mark.parametrize("own", [50, 60, 64])
@pytest.mark.parametrize("longer", [1, 8])
def test_own_texts_at_opposite_ends_of_a_shared_one_are_two_articles(own: int, longer: int) -> None:
    """One outlet puts its story before the statement, the other behind it."""
    shared, first, second = (
        " ".join(f"{name}{chr(97 + n % 26)}{chr(97 + n // 26)}x" for n in range(length))
        for name, length in (("f", 60), ("g", own), ("h", own * longer))
    )
    for young in (False, True):
        decision = compare(
            comparable(f"{shared}\n{first}"), comparable(f"{second}\n{shared}"), young=young
        )
        assert not decision.same


def test_a_source_not_known_yet_needs_more() -> None:
    half = " ".join([*ENGLISH.split()[:64], *GERMAN.split()[:34]])
    decision = compare(comparable(half), comparable(ENGLISH))
    assert 0.58 <= decision.score < 0.65
    assert decision.same
    assert not compare(comparable(half), comparable(ENGLISH), young=True).same


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_comparison_never_raises_and_has_no_direction(one: str, other: str) -> None:
    a, b = comparable(one), comparable(other)
    there, back = compare(a, b), compare(b, a)
    assert (there.same, there.score, there.reason) == (back.same, back.score, back.reason)
    assert 0.0 <= there.score <= 1.0


# -- boilerplate -------------------------------------------------------------------------------


def test_nothing_after_a_related_news_heading_belongs_to_the_text() -> None:
    fates = [p.fate for p in paragraphs(as_wrapped_copy(ENGLISH))]
    assert fates[0] is Fate.PHRASE
    assert fates[-4:] == [Fate.PHRASE, Fate.PHRASE, Fate.AFTER_HEADING, Fate.AFTER_HEADING]


def test_a_list_of_links_above_the_text_does_not_swallow_it() -> None:
    found = list(paragraphs(f"Related News\nAnother headline\n{ENGLISH}"))
    assert sum(p.fate is Fate.KEPT for p in found) == len(ENGLISH.split("\n\n")) + 1


def test_a_long_paragraph_that_begins_like_boilerplate_is_text() -> None:
    watch = "Watch makers in the valley said " + "that every order of the year had been filled " * 8
    assert [p.fate for p in paragraphs(watch)] == [Fate.KEPT]


def test_what_a_source_repeats_in_three_groups_is_boilerplate() -> None:
    line = "The Valley Post is read by people in every village of the valley."
    name = paragraph_hash(tuple(words(line)))
    assert name in comparable(f"{ENGLISH}\n{line}").countable
    assert repeated_paragraphs({name: 2}) == frozenset()
    boilerplate = repeated_paragraphs({name: 3})
    text = comparable(f"{ENGLISH}\n{line}", boilerplate)
    assert text.words == comparable(ENGLISH).words
    assert name in text.countable  # and goes on being counted


def test_long_paragraphs_are_never_boilerplate() -> None:
    assert comparable("word " * 61).countable == ()


# -- fingerprints -------------------------------------------------------------------------------

TOKENS = st.lists(st.sampled_from("abcdefghijklmnop"), max_size=120)


@given(TOKENS, TOKENS, st.lists(st.integers(0, 10**6).map(str), min_size=23, max_size=40))
def test_a_shared_run_of_one_window_shares_a_fingerprint(
    before: list[str], after: list[str], run: list[str]
) -> None:
    assert len(run) >= SHINGLE + WINDOW - 1
    one = winnow(shingles([*before, *run]))
    other = winnow(shingles([*run, *after]))
    assert set(one) & set(other)


@given(TOKENS)
def test_fingerprints_are_few_distinct_and_fit_a_bigint(tokens: list[str]) -> None:
    hashes = shingles(tokens)
    found = winnow(hashes)
    assert len(found) == len(set(found)) <= max(len(hashes), 0)
    assert bool(found) == bool(hashes)
    assert all(-(2**63) <= value < 2**63 for value in found)


def test_fingerprints_are_the_same_on_every_machine() -> None:
    """They are stored: a change of this value needs a new fingerprints.VERSION and a reindex."""
    assert winnow(shingles(words("the quick brown fox jumps over the lazy dog"))) == (
        992276601218981472,
    )


def test_a_long_text_has_one_fingerprint_for_about_nine_words() -> None:
    tokens = [str(number * 7919 % 10007) for number in range(1000)]
    assert 80 <= len(winnow(shingles(tokens))) <= 150


# -- evidence -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_shared_passages_point_at_the_same_words_in_both_texts(language: str) -> None:
    text = LANGUAGES[language]
    copy = as_wrapped_copy(text)
    found = shared_passages(text, copy)
    assert found
    covered = 0
    for passage in found:
        mine = text[passage.a_start : passage.a_end]
        theirs = copy[passage.b_start : passage.b_end]
        assert words(mine.replace("\n", " ")) == words(theirs.replace("\n", " ")) or language in (
            "zh",
            "ja",
        )
        covered += passage.a_end - passage.a_start
    kept = "\n\n".join(text.split("\n\n")[:-1])
    assert covered >= 0.9 * len(kept)


def test_passages_do_not_overlap() -> None:
    found = shared_passages(ENGLISH, ENGLISH.replace("Tuesday", "Wednesday") + "\n" + ENGLISH)
    for one, following in pairwise(found):
        assert one.a_end <= following.a_start


@pytest.mark.parametrize(
    ("score", "needed", "told"),
    [
        (0.7, 0.58, ("70%", "58%")),
        (0.9876, 0.99, ("98.8%", "99.0%")),
        (0.5799, 0.58, ("57.99%", "58.00%")),
        (0.58, 0.58, ("58%", "58%")),
        (0.57999999, 0.58, ("58.000%", "58.000%")),
    ],
)
def test_a_share_is_told_so_that_it_differs_from_its_threshold(
    score: float, needed: float, told: tuple[str, str]
) -> None:
    assert percents(score, needed) == told


FORMS = {
    "German weather": (
        "Wetter in {0}",
        "In {0} ziehen am Vormittag dichte Wolken auf, gegen Mittag setzt von Westen her Regen "
        "ein. Dazu weht ein mäßiger Südwestwind. In der Nacht klingt der Regen ab, und "
        "gebietsweise bildet sich Nebel.",
        ("Obermoos", "der Heide"),
    ),
    "French water": (
        "{0} : l’eau doit être bouillie",
        "Les habitants de {0} sont invités à faire bouillir l’eau du robinet jusqu’à nouvel "
        "ordre. L’eau doit bouillir au moins une minute avant d’être consommée. Le "
        "réseau va être purgé.",
        ("Montclair", "Vaubois"),
    ),
    "French release": (
        "Plumeau passe en version {0}",
        "L’équipe de Plumeau a publié la version {0} de son logiciel libre. Elle corrige un "
        "plantage au démarrage, accélère la recherche et met à jour les "
        "traductions. Le code est disponible.",
        ("5.1", "5.3"),
    ),
    "Chinese road": (
        "高速{0}段发生事故",
        "今天早上，高速{0}段发生一起货车与两辆小客车相撞的交通事故，造成多人受伤，双向交通中断。交警、消防和医护"
        "人员已赶到现场处置，伤者被送往附近医院救治。受事故影响，周边道路车流缓慢，请过往司机提前绕行。",
        ("云台", "柳河"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_two_matters_of_one_form_are_told_apart_by_what_their_headlines_name(form: str) -> None:
    title, text, (one, other) = FORMS[form]

    def told(about: str) -> tuple[str, str]:
        return title.format(about), text.format(about)

    assert not same_text(*told(one), *told(other))
    assert not same_text(*told(other), *told(one))
    assert same_text("Kurz", text.format(one), *told(one))  # another headline over one text
    without = compare(comparable(text.format(one)), comparable(text.format(other)), titles=("", ""))
    assert without.same is (
        form not in ("Chinese road", "French water")
    )  # these tell by themselves


BURGLARY = (
    "Un tribunal de {place} a condamné mardi un homme à {months} mois de prison pour avoir volé "
    "{value} euros dans une station de lavage. Il avait été arrêté dans un parc par une patrouille "
    "et a présenté deux fois ses excuses. Il dispose de dix jours pour faire appel du jugement."
)
THIN_ICE = (
    "Der Landkreis {place} warnt davor, das Eis zu betreten. Auf den Seen ist es an vielen Stellen "
    "nur wenige Finger dick und trägt keinen Menschen. Wer jemanden einbrechen sieht, legt sich "
    "beim Helfen flach hin und ruft laut um Hilfe."
)
RAIN = (
    "{place}气象台发布大风预警：预计今天夜里到明天上午，{place}沿海海面将有强风，请渔船及时回港避风，市民尽量减少外出，"
    "远离广告牌和临时搭建物，学校可视情况调整上课时间，有关部门要做好准备。"
)
SPEED = (
    "Die Polizei misst in der kommenden Woche die Geschwindigkeit, am Montag in {0} und am Freitag "
    "in {1}. Mit weiteren Kontrollen ist zu rechnen. Ziel ist es, die Zahl der Unfälle zu senken. "
    "Wer zu schnell fährt, gefährdet sich und andere Menschen."
)
WATER = (
    "{0} 수도사업소는 오래된 관을 바꾸는 공사로 {1}요일 밤 열 시부터 "
    "수돗물 공급이 중단된다고 밝혔다. 주민들은 미리 물을 받아 두어야 하며, "
    "공사가 끝난 뒤 흐린 물이 나올 수 있어 잠시 틀어 둔 후 사용해야 한다. "
    "문의는 사업소로 하면 된다."
)
RECALL = (
    "{0} is calling back {1} because the handle may break. Customers should stop using them and "
    "take them to any shop. No accidents are known so far."
)
LETTER = (
    "Good morning, and here is all that you have to know before the coffee is cold. {news} "
    "Have a pleasant day, and write to us if you believe that we have missed something. You "
    "receive this letter because you signed up for it on our site."
)


@pytest.mark.parametrize(
    ("one", "other", "veto"),
    [
        (
            BURGLARY.format(place="Rivesac", months="six", value="3.200"),
            BURGLARY.format(place="Rivesac", months="deux", value="1.900"),
            "numbers",
        ),
        (THIN_ICE.format(place="Altmoor"), THIN_ICE.format(place="Neustein"), "names"),
        (SPEED.format("Rehfeld", "Sandau"), SPEED.format("Lohr", "Wellingen"), "names"),
        (WATER.format("춘천", "화"), WATER.format("원주", "목"), "names"),
        (
            RECALL.format("Homely", "12,000 kettles"),
            RECALL.format("Brewster", "4,500 pans"),
            "numbers",
        ),
        (RAIN.format(place="宁波"), RAIN.format(place="温州"), "names"),
        (
            LETTER.format(
                news="The council votes on the new tram line tonight. A whale was seen in the "
                "harbour at dawn. Bread becomes dearer by a tenth. The zoo has lost a crane."
            ),
            LETTER.format(
                news="School begins with too few teachers again. Two bakers share the first prize "
                "for rye. Rain falls until Friday. The museum shows combs of bone and horn."
            ),
            "middle",
        ),
    ],
)
def test_forms_under_one_headline_are_told_apart_by_their_texts(
    one: str, other: str, veto: str
) -> None:
    for a, b in ((one, other), (other, one)):
        decision = compare(comparable(a), comparable(b), titles=("Notice", "Notice"))
        assert veto in decision.evidence.vetoes
        assert not decision.same


def test_the_day_of_an_own_dateline_is_no_form() -> None:
    told = "FRANKFURT, {} – " + " ".join(ENGLISH.split()[:60])
    assert same(told.format("February 27"), told.format("March 2"))


def test_one_figure_corrected_is_no_form() -> None:
    told = BURGLARY.format(place="Rivesac", months="six", value="3.200")
    assert same(told, told.replace("3.200", "1.900"))


def test_what_headlines_name_in_lower_case_counts_where_it_stands_twice() -> None:
    soup = (
        "For four people you need a pound of {0}, an onion and some butter. Chop the onion and let "
        "it turn golden in the butter. Add the {0}, cover it with broth and cook it until it is "
        "soft. Blend it, season it and serve it with bread."
    )
    assert not same_text(
        "Pumpkin soup", soup.format("pumpkin"), "Carrot soup", soup.format("carrots")
    )
    assert same_text("Soup", soup.format("pumpkin"), "Soup", soup.format("squash"))


def test_an_editors_word_in_headline_and_text_does_not_part_copies() -> None:
    one = (
        "Bus drivers will walk out for two days in a dispute over pay, their union said. Members "
        "voted {} for action after rejecting an offer below inflation. Talks resume next week."
    )

    assert same_text(
        "Drivers vote heavily to strike", one.format("heavily"),
        "Drivers vote overwhelmingly to strike", one.format("overwhelmingly"),
    )  # fmt: skip


@given(st.text(max_size=400) | st.sampled_from([*LANGUAGES.values(), "", "\ufdfa \ud800 3,5"]))
def test_a_prepared_text_is_the_comparable_one_again(text: str) -> None:
    ready, prepared = comparable(text), prepare_text(text)
    crossed = pickle.loads(pickle.dumps(prepared))
    assert crossed == prepared
    assert restore(crossed) == replace(ready, paragraphs=())
    assert crossed.size == len(ready.shingles)
    assert crossed.fingerprints == ready.fingerprints
    assert crossed.countable == ready.countable


def test_what_crosses_of_a_text_is_flat() -> None:
    """A text of its words' and numbers' own objects would take five times as much."""
    prepared = prepare_text(ENGLISH)
    words = comparable(ENGLISH).words
    assert len(pickle.dumps(prepared, 5)) < len(ENGLISH) + 8 * 2 * len(words)


@given(
    st.lists(st.sampled_from(["Read more of this", "A line " * 9, "Related News", "Why", "x"])),
    st.booleans(),
    st.booleans(),
)
def test_a_text_said_to_be_unaffected_by_boilerplate_is_the_same(
    lines: list[str], first: bool, last: bool
) -> None:
    text = "\n".join([*lines, *ENGLISH.split("\n\n")])
    found = paragraphs(text)
    names = frozenset(p.hash for p, taken in ((found[0], first), (found[-1], last)) if taken)
    prepared = prepare_text(text)
    if is_unaffected(prepared, names):
        assert prepare_text(text, names) == prepared
    else:
        assert names
    elsewhere = frozenset([paragraph_hash(("quite", "another"))])
    assert is_unaffected(prepared, elsewhere)


def test_of_a_text_with_many_paragraphs_it_is_not_certain_that_boilerplate_leaves_it() -> None:
    prepared = prepare_text("\n".join(f"Line {number} of many lines" for number in range(40)))
    assert not is_unaffected(prepared, frozenset([1]))
