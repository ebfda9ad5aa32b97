"""The canonical key: which links mean one page, and which keys may identify an item."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.urls import key as key_module
from aggregator.urls.key import url_key


def key(url: str, **options: object) -> str:
    found = url_key(url, **options)  # type: ignore[arg-type]
    assert found is not None, url
    return found.key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://Example.org:80/a/./b/../c", "https://www.example.org/a/c/"),
        ("https://example.org/%7ejane/caf%c3%a9", "https://example.org/~jane/cafe%CC%81"),
        ("https://example.org/story/index.html", "https://example.org/story"),
        ("https://example.org/story.html", "https://example.org/story"),
        ("https://user:pw@example.org/story", "https://example.org/story"),
        ("https://example.org/story?b=2&a=1", "https://example.org/story?a=1&b=2"),
        ("https://example.org/story?id=7&amp;utm_source=x", "https://example.org/story?id=7"),
        ("https://example.org/story;jsessionid=AB12", "https://example.org/story"),
        ("https://example.org/story?#top", "https://example.org/story"),
        ("https://example.org/\tstory\n", "https://example.org/story"),
        ("https://bücher.example/x1", "https://xn--bcher-kva.example/x1"),
        ("//example.org/story", "https://example.org/story"),
        ("https://example.org:443/story", "http://example.org./story"),
    ],
)
def test_spellings_of_one_address_have_one_key(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    "twin",
    [
        "https://m.example.org/2024/a-story.html",
        "https://amp.example.org/2024/a-story.html",
        "https://www.example.org/amp/2024/a-story.html",
        "https://example.org/2024/a-story/amp/",
        "https://example.org/2024/a-story.amp.html",
        "https://example.org/2024/a-story-amp.html",
        "https://example.org/2024/a-story~amp.html",
        "https://example.org/2024/a-story?amp=1",
        "https://example.org/2024/a-story?outputType=amp",
        "https://example.org/mobile/2024/a-story",
        "https://example-org.cdn.ampproject.org/c/s/example.org/2024/a-story/amp",
        "https://www.google.com/amp/s/example.org/2024/a-story",
    ],
)
def test_amp_and_mobile_twins_share_the_key_of_the_page(twin: str) -> None:
    assert key(twin) == key("https://www.example.org/2024/a-story")


@pytest.mark.parametrize(
    "wrapped",
    [
        "https://www.google.com/url?sa=t&url=https%3A%2F%2Fexample.org%2Fa-story%3Fid%3D3&usg=x",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fexample.org%2Fa-story%3Fid%3D3&h=AT0",
        "http://us.rd.yahoo.com/dailynews/rss/*http://example.org/a-story?id=3",
        "https://www.google.de/url?q=https%3A%2F%2Fl.facebook.com%2Fl.php%3Fu%3D"
        "https%253A%252F%252Fexample.org%252Fa-story%253Fid%253D3",
        "https://r.search.yahoo.com/_ylt=A1/RU=https%3a%2f%2fexample.org%2fa-story%3fid%3d3/RK=2/RS=x-",
        "https://web.archive.org/web/20240510093000/https://example.org/a-story?id=3",
        "https://web.archive.org/web/2024/https:/example.org/a-story?id=3&utm_source=rss",
        "https://archive.ph/2024.05.10-093000/https://example.org/a-story?id=3",
        "https://urldefense.com/v3/__https://example.org/a-story?id=3__;!!AbC!x_1$",
        "https://www.bing.com/ck/a?!&&p=1&u=a1aHR0cHM6Ly9leGFtcGxlLm9yZy9hLXN0b3J5P2lkPTM&ntb=1",
        "https://webcache.googleusercontent.com/search?q=cache:Ab1:https://example.org/a-story?id=3",
        "https://www-example-org.translate.goog/a-story?id=3&_x_tr_sl=auto&_x_tr_tl=en",
        "https://ezproxy.library.example/login?url=https://example.org/a-story?id=3",
        "https://disq.us/url?url=https%3A%2F%2Fexample.org%2Fa-story%3Fid%3D3%3AaBcD1234efGH",
    ],
)
def test_redirectors_have_the_key_of_the_page_they_lead_to(wrapped: str) -> None:
    assert key(wrapped) == key("https://example.org/a-story?id=3")


@pytest.mark.parametrize(
    "wrapped",
    [
        "https://out.portal.example/?ziel=https://example.org/a&quelle=home",
        "https://rss.example.net/go?to=aHR0cHM6Ly9leGFtcGxlLm9yZy9h",
        "https://links.example.gov/track?type=click&&&101&&&https://example.org/a",
        "https://example.net/news/redirect.php?lid=8&dest=https%3A%2F%2Fexample.org%2Fa",
        "https://archive.example.net/memento/2014/http://www.example.org/a",
        "https://annotate.example.net/https://example.org/a",
    ],
)
def test_an_address_shows_where_it_leads_though_no_rule_names_it(wrapped: str) -> None:
    assert key(wrapped) == key("https://example.org/a")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/?p=1", "https://example.org/?p=2"),
        (
            "https://www.youtube.com/watch?v=aaaaaaaaaaa",
            "https://www.youtube.com/watch?v=bbbbbbbbbbb",
        ),
        ("https://example.org/Story", "https://example.org/story"),
        ("https://example.org/a?page=1", "https://example.org/a?page=2"),
        ("https://example.org/thread?4711", "https://example.org/thread?4712"),
        ("https://example.org/q?x=%C7", "https://example.org/q?x=%C8"),
        ("https://example.org/a%2Fb", "https://example.org/a/b"),
        ("https://example.org/q?x=a%26b=c", "https://example.org/q?x=a&b=c"),
        ("https://example.org/#!/story/1", "https://example.org/#!/story/2"),
        ("https://news.example.org/a", "https://sport.example.org/a"),
        ("https://example.org:8080/a", "https://example.org/a"),
        ("https://m.co.uk/a", "https://co.uk/a"),
    ],
)
def test_what_picks_the_page_stays_in_the_key(one: str, other: str) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize(
    "path",
    [
        "/2024/05/10/ferry-sinks",
        "/world/ferry-sinks-off-the-northern-cape",
        "/news/article-20240510123",
        "/%D0%BF%D0%B0%D1%80%D0%BE%D0%BC-%D0%B7%D0%B0%D1%82%D0%BE%D0%BD%D1%83%D0%BB-%D1%83",
    ],
)
def test_beside_a_path_that_names_an_article_a_query_hardly_counts(path: str) -> None:
    page = f"https://example.org{path}"
    for query in (
        "zref=mail",
        "k3=x&teaser",
        "share=mastodon&nb=1",
        "page=all",
        "reduced=true",
        "feedref=JjAwJuNHiystnCoBq_hl-Rs8z",
        "lastmod=1673351234567",
        "from=mdr",
    ):
        assert key(f"{page}?{query}") == key(page)
    for query in ("page=2", "id=7", "commentid=4711", "v=abc", "lang=fr", "eventid=spring-fair"):
        assert key(f"{page}?{query}") != key(page)
    assert key("https://example.org/story?zref=mail") != key("https://example.org/story")


@pytest.mark.parametrize(
    ("page", "one", "other"),
    [
        (
            "https://example.edu/office-of-public-affairs-news/release.php",
            "release=12",
            "release=13",
        ),
        ("https://example.gov/20240501/show.aspx", "docid=AB1", "docid=AB2"),
        ("https://example.org/2005/03/stories.cgi", "slug=rain", "slug=snow"),
        ("https://www.youtube.com/playlist", "list=PLaaaa1", "list=PLbbbb2"),
        ("https://www.youtube.com/embed/videoseries", "list=PLaaaa1", "list=PLbbbb2"),
        ("https://www.facebook.com/groups/1234567890/", "multi_permalinks=1", "multi_permalinks=2"),
        ("https://www.facebook.com/permalink-1234567/", "story_fbid=pfbid0a", "story_fbid=pfbid0b"),
        ("https://example.org/board/12345678/view", "kind=a", "kind=b"),
        ("https://example.org/paper/2024-05-10", "side=front", "side=back"),
        ("https://example.org/2024/05/10/gallery", "shot=a", "shot=b"),
        ("https://example.org/the-programme-of-our-festival", "slug=jazz", "slug=folk"),
        ("https://example.org/song/play", "trackid=4711", "trackid=4712"),
        ("https://example.org/horoscope-of-the-day-20240510", "signo=aries", "signo=tauro"),
        ("https://example.org/the-police-report-of-today", "meldung=1", "meldung=2"),
        ("https://example.org/the-planning-list-of-a-week", "ref=2360012", "ref=2360021"),
    ],
)
def test_a_script_or_a_list_is_told_by_its_query_what_to_show(
    page: str, one: str, other: str
) -> None:
    assert key(f"{page}?{one}") != key(f"{page}?{other}")


@pytest.mark.parametrize(
    "ending",
    [
        "/print",
        "/(print)",
        ".print.html",
        "/druckversion",
        "?version=imprimable",
        "?printer=1",
        "!amp",
    ],
)
def test_a_page_to_print_is_the_page(ending: str) -> None:
    assert key(f"https://example.org/news/70345{ending}") == key("https://example.org/news/70345")


def test_an_address_in_a_query_is_no_target_where_nobody_is_passed_on() -> None:
    one, other = (f"https://example.org/review?url=https://shop.example/{n}" for n in "ab")
    assert key(one) != key(other) != key("https://shop.example/b")
    assert key("https://example.org/jobs/print") != key("https://example.org/jobs")


def test_a_session_in_a_path_is_dropped() -> None:
    page = "https://example.org/(S(lit3py55t21z5v55vlm25s55))/view.aspx?id=513"
    assert key(page) == key("https://example.org/view.aspx?id=513")


def test_who_was_written_to_picks_no_page() -> None:
    page = "https://example.org/world/ferry-sinks-off-the-northern-cape"
    for query in ("subscriberid=4711", "kxclickid=ab12", "uid=77", "mailing_id=may"):
        assert key(f"{page}?{query}") == key(page)


def test_a_page_called_index_is_no_index_file() -> None:
    assert key("https://example.org/wiki/Index") != key("https://example.org/wiki")
    assert key("https://example.org/wiki/Index.HTML") == key("https://example.org/wiki")


def test_a_video_is_one_in_every_list() -> None:
    video = key("https://www.youtube.com/watch?v=fJ9rUzIMcZQ")
    assert key("https://music.youtube.com/watch?v=fJ9rUzIMcZQ&list=RDAMVM1&index=3") == video
    assert key("https://youtu.be/fJ9rUzIMcZQ?si=abc") == video


def test_a_referrer_s_name_that_numbers_articles_stays() -> None:
    assert key("https://example.org/a?ref=home") == key("https://example.org/a")
    assert key("https://example.org/a?ref=uoc-nsf031519") != key("https://example.org/a")
    assert key("https://example.org/a?cid=TW_ET") == key("https://example.org/a")
    assert key("https://example.org/a?cid=1162378345678") != key("https://example.org/a")
    session = "0123456789abcdef0123456789abcdef"
    assert key(f"https://example.org/t?t=3&sid={session}") == key("https://example.org/t?t=3")
    assert key("https://example.org/t?sid=03/05/12") != key("https://example.org/t")


def test_a_word_at_the_end_of_a_slug_is_a_word() -> None:
    guitar = "https://example.org/reviews/best-practice-guitar"
    assert key(f"{guitar}-amp") != key(guitar)
    assert key("https://example.org/news/a-123456-amp") == key("https://example.org/news/a-123456")


def test_long_hostile_paths_take_no_time_worth_counting() -> None:
    for part in ("a" * 200_000, "1." * 100_000, "-_" * 100_000, "%41" * 60_000, "</" * 60 + "1"):
        found = url_key(f"https://example.org/{part}/x?zref=1")
        assert found is None or len(found.key) <= 2000


def test_a_fragment_stays_only_when_asked_for_or_routed_by_a_script() -> None:
    notes = "https://example.org/notes"
    assert key(f"{notes}#v2") == key(f"{notes}#v3") == key(notes)
    assert key(f"{notes}#v2", keep_fragment=True) != key(f"{notes}#v3", keep_fragment=True)
    assert key("https://example.org/#!/a/1") == key("https://example.org/?_escaped_fragment_=/a/1")


def test_a_fragment_that_is_a_place_stays_where_the_path_is_no_article() -> None:
    app = "https://example.org/archive"
    assert key(f"{app}#thread/1") != key(f"{app}#thread/2")
    assert key(f"{app}#?date=2024-05-10") != key(app)
    assert key("https://example.org/#story=1") != key("https://example.org/#story=2")
    assert key(f"{app}#:~:text=a/b") == key(f"{app}#comments") == key(app)
    page = "https://example.org/news/ferry-sinks-off-the-cape"
    assert key(f"{page}#gallery/2") == key(page)


def test_an_operator_adds_parameters_of_a_publisher() -> None:
    assert key("https://example.org/a?xyz_src=1", extra_parameters=["xyz_*"]) == "example.org/a"


def test_a_parameter_of_one_host_counts_on_that_host_only() -> None:
    assert key("https://www.wsj.com/articles/x-1?mod=rss_home") == key(
        "https://wsj.com/articles/x-1"
    )
    assert key("https://example.org/?mod=a&id=1") != key("https://example.org/?mod=b&id=1")


def test_addresses_of_one_video_have_one_key() -> None:
    video = key("https://www.youtube.com/watch?v=n8cEZM1lN5g")
    assert key("https://youtu.be/n8cEZM1lN5g?si=abc") == video
    assert key("https://www.youtube.com/embed/n8cEZM1lN5g") == video
    assert key("https://m.youtube.com/watch?feature=share&v=n8cEZM1lN5g") == video


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "https://www.bbc.co.uk/news/articles/c0kgexl9v6ro",
            "https://www.bbc.com/news/articles/c0kgexl9v6ro",
        ),
        (
            "https://a.blogspot.de/2024/05/story.html?m=1",
            "https://a.blogspot.com/2024/05/story.html",
        ),
        (
            "https://www.cbc.ca/news/canada/ferry-sinks-1.6712345",
            "https://www.cbc.ca/amp/1.6712345",
        ),
        (
            "https://www.usatoday.com/story/news/2024/05/10/ferry-sinks/73600000007/",
            "https://amp.usatoday.com/amp/73600000007",
        ),
        (
            "https://www.ndtv.com/india-news/ferry-5612345",
            "https://www.ndtv.com/india-news/ferry-5612345/amp/1",
        ),
        (
            "https://www.reddit.com/r/python/comments/1092xyz/a_title/",
            "https://redd.it/1092xyz",
        ),
        ("https://doi.org/10.1038/NATURE12373", "http://dx.doi.org/10.1038/nature12373"),
        (
            "https://news.example.kr/news/articleView.html?idxno=204512",
            "https://news.example.kr/news/articleViewAmp.html?idxno=204512",
        ),
        (
            "https://stackoverflow.com/questions/75061234/how-to-parse",
            "https://stackoverflow.com/q/75061234",
        ),
    ],
)
def test_site_rules_join_what_no_general_rule_can(one: str, other: str) -> None:
    assert key(one) == key(other)


def test_what_is_not_in_the_open_part_of_a_site_rule_stays() -> None:
    assert key("https://www.bbc.co.uk/iplayer/a") != key("https://www.bbc.com/iplayer/a")
    assert key("https://www.cbc.ca/amp/1.6712345") != key("https://www.cbc.ca/amp/1.6712346")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "https://example.org/index.html",
        "https://example.org/de/",
        "https://example.org/?utm_source=rss",
        "https://example.org/news/",
        "https://example.org/tag/berlin",
        "https://example.org/blog/category/python/page/2",
        "https://example.org/category/sport/water-polo",
        "https://example.org/2024/05/",
        "https://example.org/feed/",
        "https://example.org/?s=berlin",
        "https://news.google.com/rss/articles/CBMiXmh0dHBz?oc=5",
    ],
)
def test_home_section_and_list_pages_identify_nothing(url: str) -> None:
    found = url_key(url)
    assert found is not None
    assert not found.identity
    assert found.reasons


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/?p=123",
        "https://example.org/1947/",
        "https://example.org/avg.html",
        "https://example.org/2024/05/a-story",
        "https://github.com/owner/project/releases/tag/v0.2.0",
        "https://example.org/news/a-story-of-a-town",
        "https://example.org/category/sport/our-team-wins-again",
        "https://example.org/#!/story/17",
    ],
)
def test_an_article_page_is_an_identity(url: str) -> None:
    found = url_key(url)
    assert found is not None
    assert found.identity, found.reasons


@pytest.mark.parametrize(
    "url",
    [
        "",
        " ",
        "/a",
        "\x00",
        "mailto:a@example.org",
        "javascript:alert(1)",
        "ftp://example.org/x",
        "http://",
        "http://[::1",
        "http://a b/",
        "http://\ud800/",
        "http://example.org/\ud800",
        "https://..",
        "http://example.org:port/",
        "http://example.org:99999/",
        "http://" + "a" * 300 + ".org/",
        "http://example.org/" + "x" * 9000,
    ],
)
def test_what_is_no_http_url_has_no_key(url: str) -> None:
    assert url_key(url) is None


def test_a_redirector_that_leads_to_itself_ends() -> None:
    loop = "https://www.google.com/url?q=" * 3 + "https://www.google.com/url"
    assert url_key(loop) is not None


TEXT = st.text(
    alphabet=st.sampled_from("abcm12.-_~%/?&=#;:@!+'\"<>[]{}éü語\ud800 \t") | st.characters(),
    max_size=60,
)
WORD = st.text("abcdeXYZ0123456789-", min_size=1, max_size=8)


@given(TEXT)
def test_no_string_raises(tail: str) -> None:
    url_key(tail)
    url_key("https://example.org/" + tail)
    url_key("https://" + tail)


@given(
    st.sampled_from(
        ["example.org", "m.example.co.uk", "www.amp.example.de", "10.0.0.1", "[::1]:81"]
    ),
    st.lists(
        st.sampled_from(
            ["amp", "a.html", "x.amp.html", "..", ".", "mobile", "index.php", "ü%2F", "%41"]
        )
        | TEXT,
        max_size=5,
    ),
    TEXT,
)
def test_a_key_is_its_own_key(host: str, segments: list[str], query: str) -> None:
    first = url_key(f"https://{host}/{'/'.join(segments)}?{query}")
    if first is not None and "://" not in first.key:  # an address inside is taken out only once
        again = url_key("https://" + first.key)
        assert again is not None
        assert again.key == first.key


@given(
    st.lists(st.tuples(st.sampled_from(["id", "story", "n"]), WORD), max_size=3),
    st.lists(
        st.tuples(st.sampled_from(["utm_source", "fbclid", "smid", "xtor"]), WORD), max_size=3
    ),
    st.randoms(use_true_random=False),
)
def test_order_and_tracking_parameters_do_not_matter(
    telling: list[tuple[str, str]], tracking: list[tuple[str, str]], random: object
) -> None:
    def url(pairs: list[tuple[str, str]]) -> str:
        return "https://example.org/2024/a-story-of-our-town?" + "&".join(
            f"{name}={value}" for name, value in pairs
        )

    mixed = telling + tracking
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert key(url(mixed)) == key(url(telling))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("news.php?ncid=12", "news.php?ncid=13"),
        ("show/evening-mix?trk=3", "show/evening-mix?trk=4"),
        ("readings?source=brest", "readings?source=lorient"),
        ("strip?about=", "strip?contact="),
    ],
)
def test_a_tracker_s_name_picks_the_page_where_nothing_else_does(one: str, other: str) -> None:
    assert key(f"https://example.org/{one}") != key(f"https://example.org/{other}")


@pytest.mark.parametrize("query", ["ncid=12", "trk=3", "source=brest"])
def test_a_tracker_s_name_tracks_where_the_rest_is_a_page(query: str) -> None:
    for page in (
        "https://example.org/world/ferry-sinks-off-cape",
        "https://example.org/view.php?id=7",
    ):
        joint = "&" if "?" in page else "?"
        assert key(f"{page}{joint}{query}") == key(page)


def test_beside_a_name_days_years_and_short_numbers_pick() -> None:
    page = "https://example.org/the-weekly-letter-of-our-town"
    for query in ("d=2024-05-10", "y=2024", "wk=19"):
        assert key(f"{page}?{query}") != key(page)
    numbered = "https://example.org/ferry-sinks-off-the-cape-5612345"
    for query in ("wk=19", "nid=00f-16", "playbook=morning"):
        assert key(f"{numbered}?{query}") == key(numbered)
    assert key(f"{numbered}?page=2") != key(numbered)


def test_amp_in_capitals_is_a_share_and_not_a_rendering() -> None:
    assert key("https://example.org/stocks/NYSE/AMP/news") != key(
        "https://example.org/stocks/NYSE/news"
    )
    assert key("https://example.org/quote/AMP") != key("https://example.org/quote")


@pytest.mark.parametrize(
    "twin",
    [
        "https://example.org/amp-story/ferry-sinks-off-the-northern-cape",
        "https://example.org/story_amp/ferry-sinks-off-the-northern-cape",
        "https://example.org/storyAmp/ferry-sinks-off-the-northern-cape",
        "https://amp2.example.org/story/ferry-sinks-off-the-northern-cape",
        "https://text.example.org/story/ferry-sinks-off-the-northern-cape",
        "https://lite.example.org/story/ferry-sinks-off-the-northern-cape",
        "https://syndication.example.org/story/ferry-sinks-off-the-northern-cape",
        "https://news.example.org/story/ferry-sinks-off-the-northern-cape",
        "https://example.org/news/ferry-sinks-off-the-northern-cape",
    ],
)
def test_a_twin_is_known_by_its_host_and_by_a_word_in_its_path(twin: str) -> None:
    assert key(twin) == key("https://example.org/story/ferry-sinks-off-the-northern-cape")


@pytest.mark.parametrize(
    ("decorated", "bare"),
    [
        ("shop.example/itm/Old-Radio-Set/256789012", "shop.example/itm/256789012"),
        ("shop.example/listing/12345/old-radio-set", "shop.example/listing/12345"),
        ("forum.example/threads/wifi-breaks.8812/", "forum.example/threads/8812"),
        ("forum.example/t/wifi-breaks/8812", "forum.example/t/8812"),
        ("forum.example/topic/8812-wifi-breaks", "forum.example/topic/8812"),
        ("forum.example/viewtopic.php?f=2&t=55", "forum.example/viewtopic.php?t=55"),
        ("forum.example/showthread.php?55-wifi-breaks", "forum.example/showthread.php?t=55"),
        ("news.example/706332/ferry-sinks-off-cape", "news.example/706332"),
        ("news.example/sport/ferry-sinks-again-7063321", "news.example/ferry-sinks-again-7063321"),
        ("news.example/sport/7063321", "news.example/amp/7063321"),
    ],
)  # fmt: skip
def test_words_beside_a_number_pick_nothing(decorated: str, bare: str) -> None:
    assert key(f"https://{decorated}") == key(f"https://{bare}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("20240510/ferry-sinks-off-cape", "20240510/bridge-opens-in-town"),
        ("202405/ferry-sinks-off-cape", "202405/bridge-opens-in-town"),
        ("706332/ferry-sinks-part-1", "706332/ferry-sinks-part-2"),
        ("groups/706332/ferry-sinks-off-cape", "groups/706332/bridge-opens-in-town"),
        ("t/wifi-breaks/8812/7", "t/wifi-breaks/8812/8"),
        ("de/ferry-sinks-off-cape-7063321", "fr/ferry-sinks-off-cape-7063321"),
        ("video/7063321", "gallery/7063321"),
        ("lisbon/weather-of-the-week-ahead", "porto/weather-of-the-week-ahead"),
        ("events/2024-summer-fair", "events/2024-winter-fair"),
        ("706332/comments", "706332/edit"),
    ],
)
def test_what_is_no_page_s_number_has_words_that_pick(one: str, other: str) -> None:
    assert key(f"https://example.org/{one}") != key(f"https://example.org/{other}")


def test_the_rules_of_sites_are_one_pattern_that_meets_what_any_of_them_meets() -> None:
    assert key("https://youtu.be/fJ9rUzIMcZQ") == key("https://youtube.com/watch?v=fJ9rUzIMcZQ")
    whole = key_module._any_site_rule()
    for pattern, _ in key_module._site_rules():
        assert f"(?:{pattern.pattern})" in whole.pattern
        assert pattern.flags == whole.flags
    assert whole.groups == sum(pattern.groups for pattern, _ in key_module._site_rules())
