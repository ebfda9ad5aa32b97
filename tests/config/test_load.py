"""What a configuration means when nothing is wrong with it."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from ipaddress import ip_network

import pytest

from aggregator.config import models
from aggregator.model.copies import CopyThresholds, StoryThresholds
from aggregator.model.settings import (
    DedupSettings,
    FetchingSettings,
    FollowSettings,
    FullText,
    PollingSettings,
    PollWhen,
    RelatedOverride,
    Secret,
    ServiceSettings,
    Settings,
    SourceSettings,
    StorageSettings,
    ViewMode,
    ViewSettings,
)
from tests.config.conftest import Load, Mistakes

ONE = "sources: [{id: a, url: 'https://example.org/feed'}]\n"


def only_source(settings: Settings) -> SourceSettings:
    (source,) = settings.sources
    return source


def test_a_source_needs_only_an_id_and_an_address(load: Load) -> None:
    settings = load(ONE)
    source = only_source(settings)
    assert (source.id, source.url) == ("a", "https://example.org/feed")
    assert source == SourceSettings("a", "https://example.org/feed", place=source.place)
    assert source.place.endswith("aggregator.yaml:1")


def test_what_is_left_out_or_empty_takes_the_default_of_the_settings(load: Load) -> None:
    settings = load("service:\nstorage: {url: }\npolling: ~\nfetching: {max_items: null}\n" + ONE)
    assert settings.service == ServiceSettings()
    assert settings.storage == StorageSettings()
    assert settings.polling == PollingSettings()
    assert settings.fetching == FetchingSettings()
    assert settings.dedup == DedupSettings()


def test_a_view_of_everything_is_there_when_none_is_configured(load: Load) -> None:
    assert load(ONE).views == (ViewSettings("all", "All sources"),)
    assert [view.id for view in load(ONE + "views: [{id: x}]\n").views] == ["x"]


def test_text_stays_text_whatever_yaml_would_make_of_it(load: Load) -> None:
    source = only_source(
        load(
            """\
            sources:
              - id: no
                url: https://example.org/feed
                title: 1.0
                tags: [on, 12:30, 0x1F, 2026-01-02, =, "null", 007]
                language: no
            """
        )
    )
    assert source.id == "no"
    assert source.title == "1.0"
    assert source.tags == ("on", "12:30", "0x1F", "2026-01-02", "=", "null", "007")
    assert source.language == "no"


def test_every_setting_of_a_source_arrives(load: Load) -> None:
    source = only_source(
        load(
            """\
            sources:
              - id: a-1
                url: http://feeds.example.org:8081/feed?x=%20y#z
                title: " A  title "
                tags: news, world
                poll: 1h30m
                enabled: no
                headers: {X-Edition: uk}
                allow_private: yes
                private: off
                timezone: Asia/Shanghai
                language: zh_Hans
                follow_related:
                  depth: 2
                  hosts: listed
                  listed: [example.com]
                  languages: en
                  tags: [related]
                full_text: when-truncated
                related: {select: ".more a, .also a", headings: [Mehr zum Thema]}
                aggregator: true
                preference: -3
                paywalled: true
                user_agent: "reader (+desk@example.org)"
                validators: off
            """
        )
    )
    assert source.url == "http://feeds.example.org:8081/feed?x=%20y#z"
    assert source.title == "A  title"
    assert source.tags == ("news", "world")
    assert source.poll == PollWhen(interval=timedelta(minutes=90))
    assert source.enabled is False
    assert source.headers == {"X-Edition": Secret("uk")}
    assert (source.allow_private, source.private) == (True, False)
    assert str(source.timezone) == "Asia/Shanghai"
    assert source.language == "zh-Hans"
    assert source.follow == FollowSettings(
        enabled=True,
        depth=2,
        hosts="listed",
        listed=("example.com",),
        languages=("en",),
        tags=("related",),
    )
    assert source.full_text is FullText.WHEN_TRUNCATED
    assert source.related == RelatedOverride((".more a, .also a",), (), ("Mehr zum Thema",))
    assert (source.aggregator, source.preference, source.paywalled) == (True, -3, True)
    assert (source.user_agent, source.validators) == ("reader (+desk@example.org)", False)


def test_every_setting_of_the_groups_arrives(load: Load) -> None:
    settings = load(
        """\
        service:
          name: Desk
          base_url: https://news.example.org/feeds/
          listen: "[::1]:9000"
          contact: desk@example.org
          token: 0123456789abcdef
          trusted_proxies: 10.0.0.1, 10.0.0.2
          log_format: JSON
        storage: {url: postgresql://u:p@db/news, keep_text: 1 week}
        polling: {price: 45m, host_gap: 0, requests_per_second: 0.5, requests_per_hour: 600}
        fetching:
          allow_networks: [10.0.0.0/8, "::1"]
          allow_ports: [8081, 9090]
          proxy: http://user:pw@proxy.example:3128
          proxy_trusted: yes
          max_wire_bytes: 2.5 MB
          parse_memory: 1g
        """
    )
    assert settings.service.public_url == "https://news.example.org/feeds"
    assert settings.service.root_path == "/feeds"
    assert (settings.service.listen_host, settings.service.listen_port) == ("::1", 9000)
    assert settings.service.token == Secret("0123456789abcdef")
    assert settings.service.trusted_proxies == ("10.0.0.1", "10.0.0.2")
    assert settings.service.log_format == "json"
    assert settings.storage.url == Secret("postgresql://u:p@db/news")
    assert settings.storage.keep_text == timedelta(days=7)
    assert settings.polling.price == timedelta(minutes=45)
    assert settings.polling.host_gap == timedelta(0)
    assert settings.polling.requests_per_second == 0.5
    assert settings.polling.requests_per_hour == 600
    assert settings.fetching.allow_networks == (ip_network("10.0.0.0/8"), ip_network("::1"))
    assert settings.fetching.allow_ports == (8081, 9090)
    assert settings.fetching.max_wire_bytes == int(2.5 * 1024**2)
    assert settings.fetching.parse_memory == 1024**3


def test_thresholds_are_settings(load: Load) -> None:
    dedup = load(
        ONE
        + "dedup:\n  copies: {containment: 0.7, window: 7d}\n  stories: {rare_shared: 4}\n"
        + "  tracking_parameters: [spm, 'x_*']\n"
    ).dedup
    assert dedup.copies == CopyThresholds(containment=0.7, window=timedelta(days=7))
    assert dedup.stories == StoryThresholds(rare_shared=4)
    assert dedup.tracking_parameters == ("spm", "x_*")


def test_every_setting_of_a_view_arrives(load: Load) -> None:
    (view,) = load(
        """\
        sources: [{id: a, url: "https://example.org/f", tags: [x, y, z]}]
        views:
          - id: v
            limit: 150
            tags: x
            sources: a
            exclude_tags: [z]
            exclude_sources: []
            token: 0123456789abcdef
            mode: stories
            followed: no
            followed_max_age: 3 d
            description: What we read.
        """
    ).views
    assert view == ViewSettings(
        id="v",
        title="v",
        limit=150,
        tags=("x",),
        sources=("a",),
        exclude_tags=("z",),
        token=Secret("0123456789abcdef"),
        mode=ViewMode.STORIES,
        followed=False,
        followed_max_age=timedelta(days=3),
        description="What we read.",
    )


@pytest.mark.parametrize(
    ("written", "mode"),
    [
        ("adaptive", PollWhen()),
        ("30m", PollWhen(interval=timedelta(minutes=30))),
        ("'cron: 5 6-22 * * mon-fri'", PollWhen(cron="5 6-22 * * mon-fri")),
        ("{cron: '*/20 * * * *'}", PollWhen(cron="*/20 * * * *")),
        ("\n      cron: 0 6 * * *", PollWhen(cron="0 6 * * *")),
    ],
)
def test_a_source_is_polled_adaptively_at_an_interval_or_by_cron(
    written: str, mode: PollWhen, load: Load
) -> None:
    text = f"sources:\n  - id: a\n    url: https://example.org/feed\n    poll: {written}\n"
    assert only_source(load(text)).poll == mode


def test_what_a_source_does_not_say_comes_from_the_defaults(load: Load) -> None:
    settings = load(
        """\
        defaults:
          tags: [news]
          poll: 2h
          language: de
          follow_related: {enabled: no, depth: 3, links_per_article: 7}
        sources:
          - {id: a, url: "https://example.org/a"}
          - {id: b, url: "https://example.org/b", tags: [x], poll: adaptive, follow_related: on}
          - {id: c, url: "https://example.org/c", follow_related: {depth: 1}}
        """
    )
    a, b, c = settings.sources
    assert (a.tags, a.poll.interval, a.language) == (("news",), timedelta(hours=2), "de")
    assert (b.tags, b.poll) == (("x",), PollWhen())
    assert [(s.follow.enabled, s.follow.depth) for s in (a, b, c)] == [
        (False, 3),
        (True, 3),
        (True, 1),
    ]
    assert c.follow.links_per_article == 7


def test_merge_keys_are_expanded_and_the_nearer_value_wins(load: Load) -> None:
    settings = load(
        """\
        x-desk: &desk {tags: [desk], poll: 1h, language: en}
        x-slow: &slow {poll: 6h, full_text: always}
        sources:
          - {<<: *desk, id: a, url: "https://example.org/a", language: fr}
          - {<<: [*slow, *desk], id: b, url: "https://example.org/b"}
        """
    )
    a, b = settings.sources
    assert (a.tags, a.poll.interval, a.language) == (("desk",), timedelta(hours=1), "fr")
    assert (b.tags, b.poll.interval, b.full_text) == (
        ("desk",),
        timedelta(hours=6),
        FullText.ALWAYS,
    )


def test_a_byte_order_mark_is_no_part_of_the_file(load: Load) -> None:
    assert len(load(("\ufeff" + ONE).encode()).sources) == 1


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("127.0.0.1:8080", "127.0.0.1", 8080),
        ("localhost:80", "localhost", 80),
        ("':9000'", "0.0.0.0", 9000),
        ("9000", "127.0.0.1", 9000),
        ("'[::]:9000'", "::", 9000),
    ],
)
def test_listen_names_an_address_and_a_port(written: str, host: str, port: int, load: Load) -> None:
    service = load(f"service: {{listen: {written}}}\n" + ONE).service
    assert (service.listen_host, service.listen_port) == (host, port)


def test_a_container_overrides_by_the_environment(load: Load, mistakes: Mistakes) -> None:
    environ = {
        "AGGREGATOR_LISTEN": "0.0.0.0:80",
        "AGGREGATOR_BASE_URL": "https://news.example.org",
        "AGGREGATOR_STORAGE_URL": "postgresql://db/x",
        "AGGREGATOR_TOKEN": "0123456789abcdef",
    }
    settings = load("service: {listen: 8080, name: x}\n" + ONE, environ)
    assert (settings.service.listen_host, settings.service.listen_port) == ("0.0.0.0", 80)
    assert settings.service.base_url == "https://news.example.org"
    assert settings.service.token == Secret("0123456789abcdef")
    assert settings.storage.url == Secret("postgresql://db/x")
    assert settings.service.name == "x"
    assert load(ONE, dict.fromkeys(environ, "")).service == ServiceSettings()
    assert mistakes(ONE, {"AGGREGATOR_LISTEN": "here", "AGGREGATOR_STORAGE_URL": "s3cret"}) == [
        "environment: AGGREGATOR_LISTEN: expected an address and a port such as "
        "“127.0.0.1:8080”, not the value of the variable",
        "environment: AGGREGATOR_STORAGE_URL: expected the address of a database: "
        "“sqlite:///path/to/file.db” or “postgresql://user@host/name”",
    ]


def test_two_spellings_are_two_feeds_where_servers_may_tell_them_apart(load: Load) -> None:
    text = "sources:\n" + "".join(
        f"  - {{id: s{n}, url: 'https://{url}'}}\n"
        for n, url in enumerate(
            (
                "example.org/index.xml",
                "example.org/index.rdf",
                "example.org/feed?lang=en",
                "example.org/feed?lang=de",
                "example.org:8443/index.xml",
                "user:one@example.org/mine",
                "user2:two@example.org/mine",
            )
        )
    )
    assert len(load(text).sources) == 7


def test_every_group_of_settings_can_be_written_and_nothing_else() -> None:
    """A setting in a dataclass that no YAML reaches, or the other way round, is a mistake."""
    not_in_yaml = {
        "Service": {"listen_host", "listen_port"},
        "Source": {"follow", "place", "url_is_secret"},
    }
    only_in_yaml = {"Service": {"listen"}, "Source": {"follow_related"}}
    for name, settings in {
        "Service": ServiceSettings,
        "Storage": StorageSettings,
        "Polling": PollingSettings,
        "Fetching": FetchingSettings,
        "Dedup": DedupSettings,
        "Copies": CopyThresholds,
        "Stories": StoryThresholds,
        "Follow": FollowSettings,
        "Related": RelatedOverride,
        "Source": SourceSettings,
        "View": ViewSettings,
    }.items():
        model: type[models.Group] = getattr(models, name)
        in_settings = {one.name for one in fields(settings)} - not_in_yaml.get(name, set())
        assert set(model.model_fields) - only_in_yaml.get(name, set()) == in_settings, name
