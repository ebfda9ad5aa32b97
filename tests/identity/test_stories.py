"""The same event in other words, within three days."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.identity.texts.stories import (
    TermCounts,
    is_template,
    similarity,
    story_item,
    weigh,
)
from aggregator.identity.texts.terms import Terms, terms, unpack
from aggregator.model.copies import StoryDecision, StoryThresholds
from tests.identity.headlines import OTHERS, STAGE
from tests.identity.shelf import Shelf
from tests.identity.shipped import comparable
from tests.identity.texts import GERMAN, MARKET_REPORTS

NOW = datetime(2024, 3, 5, 12, tzinfo=UTC)
LIMITS = StoryThresholds()

FERRY_ONE = (
    "Ferry strike in northern islands ends",
    "Deck hands on the Harbour City ferries are going back to work after ministers offered new "
    "lifeboats and a second captain at night. Nine islands had been cut off since Saturday.",
)
FERRY_TWO = (
    "Islands get their ferries back",
    "A walkout by ferry deck hands that isolated nine northern islands is over. The Harbour City "
    "government gave in on lifeboats and promised another captain for night crossings.",
)


class Told:
    """An item of a test: what is known of it, and its text."""

    def __init__(
        self, number: int, news: tuple[str, str], *, hours: float = 0, source: str = ""
    ) -> None:
        self.text = comparable(news[1])
        at = NOW + timedelta(hours=hours)
        source = source or f"source {number}"
        self.item = story_item(number, at, news[0], self.text, LIMITS, source=source)


class Known:
    """A shelf with other news on it, asked for the decision alone."""

    def __init__(self, limits: StoryThresholds = LIMITS) -> None:
        self.shelf = Shelf(limits)

    def add(self, told: Told, story: int | None = None) -> None:
        number = told.item.item_id
        self.shelf.add(told.item, told.text, number if story is None else story)

    def place(self, told: Told) -> StoryDecision:
        return self.shelf.place(told.item, told.text).decision


item = Told


def recent(*items: Told | tuple[Told, int], limits: StoryThresholds = LIMITS) -> Known:
    known = Known(limits)
    for number, news in enumerate(OTHERS, start=100):
        known.add(item(number, news))
    for one in items:
        known.add(*one) if isinstance(one, tuple) else known.add(one)
    return known


def test_names_tell_an_event_that_two_outlets_see_from_different_sides() -> None:
    """Hardly a word is the same but who and where; in lower case nothing is left to go by."""
    report = (
        "Harbour pilot fined over grounded tanker",
        "A court at Skerry Point told pilot Ewan Tarrant on Monday to pay nine thousand crowns. "
        "The tanker Maren Lind had run aground under him in calm weather last winter.",
    )
    comment = (
        "One man cannot see round corners",
        "Whoever blames Tarrant alone has never stood on a bridge in the dark. The Maren Lind drew "
        "more water than the chart of Skerry Point allows, and its owners knew that for years.",
    )
    known = recent((item(1, report), 8))
    assert known.place(item(2, comment)).story == 8
    lower = [(title.lower(), text.lower()) for title, text in (report, comment)]
    known = recent((item(1, lower[0]), 8))
    found = known.place(item(2, lower[1]))
    with_names = recent((item(1, report), 8)).place(item(2, comment))
    assert found.score < with_names.score


@pytest.mark.parametrize(
    ("report", "other"),
    [
        (
            (
                "怀化一桥梁垮塌致六人坠河",
                "湖南怀化沅陵县一座桥梁凌晨垮塌，两辆汽车坠河，六人失联。",
            ),
            (
                "沅陵断桥搜救持续",
                "搜救人员仍在湖南怀化沅陵县的河段寻找坠河的六人，桥梁垮塌原因待查。",
            ),
        ),
        (
            (
                "القمة في بغداد تقر صندوقا",
                "أقر القادة العرب في بغداد صندوقا لإعادة الإعمار بستة مليارات.",
            ),
            (
                "صندوق الإعمار في قمة بغداد",
                "وعدت دول الخليج بتمويل صندوق الإعمار الذي أقرته قمة بغداد.",
            ),
        ),
    ],
)
def test_scripts_without_capitals_have_stories_too(
    report: tuple[str, str], other: tuple[str, str]
) -> None:
    known = recent((item(1, report), 8))
    assert known.place(item(2, other)).story == 8
    elsewhere = ("广州车展开幕", "多家车企在广州车展上发布新款电动汽车，观众超过十万人。")
    assert known.place(item(3, elsewhere)).story is None


def test_two_tellings_of_one_event_are_one_story() -> None:
    known = recent((item(1, FERRY_ONE), 8))
    found = known.place(item(2, FERRY_TWO, hours=5))
    assert (found.story, found.with_item) == (8, 1)
    assert "lifeboa" in found.shared
    assert found.score >= LIMITS.similarity


def test_one_person_in_two_matters_is_no_event() -> None:
    summit = (
        "Novakova opens talks on border tax in Lisbon",
        "Finance minister Jana Novakova on Monday opened a meeting of nineteen governments in "
        "Lisbon that is to agree on a border tax. We have waited for this for years, she told "
        "delegates in the palace of Belem.",
    )
    villa = (
        "Minister Novakova questioned over villa purchase",
        "Prosecutors in Brno have questioned finance minister Jana Novakova for four hours about "
        "a villa which her husband bought from a builder. She denies any wrongdoing, her lawyer "
        "said.",
    )
    house = (
        "Prosecutors quiz Czech finance chief about house",
        "The Czech finance minister, Jana Novakova, spent Monday afternoon with investigators in "
        "Brno. They asked about a villa in the hills that a builder had sold to her family.",
    )
    assert recent(item(1, summit)).place(item(2, villa)).with_item is None
    assert recent(item(1, summit), item(2, villa)).place(item(3, house)).with_item == 2


def test_two_single_items_begin_a_story() -> None:
    found = recent(item(1, FERRY_ONE)).place(item(2, FERRY_TWO))
    assert (found.story, found.with_item) == (1, 1)


def test_other_news_stands_alone() -> None:
    found = recent(item(1, FERRY_ONE)).place(item(2, ("Bakers win prize", GERMAN)))
    assert found.with_item is None
    assert found.reason


def test_an_event_older_than_the_window_is_another_story() -> None:
    known = recent(item(1, FERRY_ONE))
    assert known.place(item(2, FERRY_TWO, hours=71)).with_item == 1
    assert known.place(item(2, FERRY_TWO, hours=73)).with_item is None


@pytest.mark.parametrize("language", ["en", "de", "ar", "zh", "ja"])
def test_the_same_report_about_two_days_is_no_story(language: str) -> None:
    template = MARKET_REPORTS[language]
    monday = template.format(
        a="12.4", b="1,874.2", c="3.61", d="4.8", e="1.7", f="0.9", g="11", word="up", day="May 3"
    )
    tuesday = template.format(
        a="23.1", b="1,851.1", c="4.05", d="3.5", e="2.2", f="1.3", g="8", word="up", day="May 4"
    )
    assert is_template(comparable(monday), comparable(tuesday), LIMITS)
    assert not is_template(comparable(monday), comparable(monday), LIMITS)
    known = recent(item(1, ("Stocks close higher", monday)))
    assert known.place(item(2, ("Stocks close higher", tuesday), hours=24)).with_item is None


def test_an_item_that_fits_one_member_only_does_not_join_a_large_story() -> None:
    far = [(item(n, (f"Ferry {n}", "ferry " + GERMAN)), 8) for n in range(20, 30)]
    known = recent((item(1, FERRY_ONE), 8), *far)
    assert known.place(item(2, FERRY_TWO)).with_item is None


def test_a_topic_of_too_many_items_takes_no_more() -> None:
    known = recent((item(1, FERRY_ONE), 8), limits=StoryThresholds(max_items=1))
    assert known.place(item(2, FERRY_TWO)).with_item is None


RATES = (
    "Bank of Castrel lifts key rate to 4 percent",
    "The central bank of Castrel raised its key rate by half a point to 4 percent on Thursday.",
)
RATES_ELSEWHERE = (
    "Bank of Orlunia cuts rate",
    "The central bank of Orlunia lowered its key rate by half a point to 2 percent, citing growth.",
)


def test_the_words_of_a_trade_are_no_event() -> None:
    assert recent(item(1, RATES)).place(item(2, RATES_ELSEWHERE)).with_item is None
    reaction = (
        "Florin firms after surprise in Castrel",
        "The florin gained on Friday after Castrel raised its key rate by half a point.",
    )
    assert recent(item(1, RATES)).place(item(2, reaction)).with_item == 1


def test_an_office_of_two_countries_is_no_shared_name() -> None:
    held = (
        "Taravia leaves key rate unchanged at 3 percent",
        "The Bank of Taravia held its key rate at 3 percent as inflation eased. Economists expect "
        "a first cut in the spring.",
    )
    raised = (
        "Central bank of Norvania raises key rate to 5.25 percent",
        "The Central Bank of Norvania lifted its key rate by half a point to 5.25 percent, saying "
        "inflation would stay above target into next year.",
    )
    told = (
        "Norvania surprises markets",
        "The Bank of Norvania raised its key rate by half a point, more than was expected.",
    )
    assert recent(item(1, held)).place(item(2, raised)).with_item is None
    assert recent(item(1, told)).place(item(2, raised)).with_item == 1


def test_one_name_and_one_word_are_an_event_one_place_is_none() -> None:
    fire = (
        "Wagon burns in Kettelberg tunnel",
        "A freight wagon caught fire in the Kettelberg tunnel; trains were halted at both ends.",
    )
    later = (
        "Axle blamed for blaze under the mountain",
        "Experts think that a hot axle set the wagon alight that closed the Kettelberg for days.",
    )
    other = (
        "Kettelberg tunnel to get new lamps",
        "The railway will change nine thousand lamps in the Kettelberg tunnel next year.",
    )
    assert recent(item(1, fire)).place(item(2, later)).with_item == 1
    assert recent(item(1, fire)).place(item(2, other)).with_item is None


def test_an_item_that_two_stories_share_makes_them_one_in_any_order() -> None:
    for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        known = recent()
        for number in order:
            told = item(number, STAGE[number])
            known.shelf.put(told.item, told.text)
        assert len({known.shelf.story[number] for number in range(3)}) == 1, order


def test_a_round_up_joins_no_stories() -> None:
    bridge = (
        "Bridge at Oldmere closed",
        "Engineers closed the Oldmere bridge after a drone saw a crack in a hanger.",
    )
    known = recent(item(1, bridge), item(2, STAGE[0]))
    letter = item(
        3,
        (
            "What happened today",
            "The Oldmere bridge is closed for a crack in a hanger. A Skyforge upper stage blew up "
            "in Nevada.",
        ),
    )
    assert known.shelf.place(letter.item, letter.text).also == ()


EPISODES = [
    (
        f"Bench Talk, episode {number}: {subject} with {guest}",
        f"In this episode of Bench Talk we speak with {guest} about {subject}. Paid for by "
        "Notewell. Hear Bench Talk wherever you hear things.",
    )
    for number, subject, guest in ((41, "chisels", "Marit Oben"), (42, "clamps", "Jos Teller"))
]


def test_what_one_source_sends_in_a_series_is_no_event() -> None:
    one, other = (item(n, EPISODES[n], source="bench") for n in (0, 1))
    assert recent(one).place(other).with_item is None


def test_two_items_of_one_source_need_more_in_common_or_a_witness() -> None:
    """A source has subjects of its own; that another one tells of it too shows an event."""
    wagon = (
        "Wagon burns in Kettelberg tunnel",
        "A freight wagon caught fire in the Kettelberg tunnel; trains were halted at both ends.",
    )
    axle = (
        "Axle blamed for blaze under the mountain",
        "Experts think that a hot axle set the wagon alight that closed the Kettelberg for days.",
    )
    repair = (
        "Kettelberg tunnel stays shut after wagon fire",
        "Trains were halted at both ends; an axle that ran hot set the freight wagon alight.",
    )
    told = item(1, wagon, source="rail")
    assert recent(told).place(item(2, axle, source="hills")).with_item == 1
    assert recent(told).place(item(2, axle, source="rail")).with_item is None
    known = recent((told, 8), (item(3, repair, source="hills"), 8))
    assert known.place(item(4, axle, source="rail")).story == 8


def test_more_in_common_makes_a_story_of_two_items_of_one_source() -> None:
    vote = (
        "Ousted: council of Nerrin votes out mayor Tolland",
        "The council of Nerrin voted to remove mayor Greta Tolland over the sale of the pier.",
    )
    told = (
        "Tolland removed as mayor after sale of pier",
        "Mayor Greta Tolland was voted out in Nerrin on Monday. She had sold the pier cheaply.",
    )
    assert recent(item(1, vote, source="bay")).place(item(2, told, source="bay")).with_item == 1


def test_who_and_where_alone_are_no_event() -> None:
    market = (
        "Ybarra promises a market hall",
        "Mayor Tomas Ybarra of Almazor wants to put the burnt stalls into a tent by the river.",
    )
    tram = (
        "Ybarra opens the tram of Almazor",
        "The first line, of twelve kilometres, runs since Monday. Mayor Tomas Ybarra was on board.",
    )
    assert recent(item(1, market)).place(item(2, tram)).with_item is None


def test_among_many_items_two_have_to_be_more_alike() -> None:
    """Each is compared with more others, and chance makes more of these alike."""
    ash = (
        "Kettering airport reopens",
        "Planes land again at Kettering after the dust had drifted away, after a week of waiting "
        "by travellers on benches and in tents.",
    )
    cars = (
        "Cars rot under dust",
        "Garages near Kettering have washed thousands of bonnets since the mountain coughed; the "
        "owner of one wants soap.",
    )
    assert recent(item(1, ash)).place(item(2, cars)).with_item == 1
    order = random.Random(3)
    many = [
        item(
            n, (f"note {n}", " ".join("".join(order.choices("bdfglmnrst", k=6)) for _ in range(9)))
        )
        for n in range(1000, 1400)
    ]
    assert recent(item(1, ash), *many).place(item(2, cars)).with_item is None


def test_two_forms_about_two_places_are_no_event() -> None:
    form = (
        "The weather office in Marlow has issued a flood watch for {place} until Thursday evening. "
        "Heavy rain may make small streams rise. Residents of low areas should move valuables to "
        "higher floors and keep off roads under water. An update will follow at noon."
    )
    one, other = (comparable(form.format(place=p)) for p in ("Harlan County", "Breton County"))
    assert is_template(one, other, LIMITS)
    assert not is_template(one, comparable(form.format(place="Harlan County")), LIMITS)


WORDS = st.lists(
    st.sampled_from(["alpha", "beta", "gamma", "delta", "of", "the", "42"]), max_size=9
)


@given(WORDS, WORDS)
def test_similarity_is_a_share_and_has_no_direction(one: list[str], other: list[str]) -> None:
    a, b = (item(n, (" ".join(w), "")).item.terms for n, w in ((1, one), (2, other)))
    counts = TermCounts(2, {})
    left, right = weigh(a, counts, LIMITS), weigh(b, counts, LIMITS)
    assert similarity(left, right) == pytest.approx(similarity(right, left))
    assert 0.0 <= similarity(left, right) <= 1.0
    if left:
        assert similarity(left, left) == pytest.approx(1.0)


@given(st.text(max_size=80), st.text(max_size=400))
def test_terms_survive_being_packed(title: str, text: str) -> None:
    ready = comparable(text)
    read = terms(title, ready.words, ready.names, 120)
    assert unpack(read.pack()) == read
    assert isinstance(read, Terms)
    assert len(read.pack()) < 4 * 1200


def test_words_that_tell_nothing_make_no_event_of_the_first_items() -> None:
    known = recent(
        item(1, ("A story taken back", "Something that was retracted by the newsroom after a "
                 "complaint about its facts.")),
        item(2, ("Ferries", "Read here what our agency desk has picked up for our readers.")),
    )  # fmt: skip
    teaser = "A short teaser of our own about the story, with words that nobody else has used."
    assert known.place(item(3, ("The original story", teaser))).with_item is None
