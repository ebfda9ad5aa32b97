"""Broken files, each with the message a person needs: where, what, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from aggregator.config.load import load_settings
from aggregator.config.problems import ConfigError
from tests.config.conftest import Mistakes

BROKEN = {
    "a mistyped setting": (
        "sources:\n  - id: a\n    url: https://example.org/feed\n    pol: 30m\n",
        [
            "aggregator.yaml:4:5: sources[0].pol: there is no such setting here; "
            "did you mean “poll”?"
        ],
    ),
    "a setting as other programs call it": (
        "feeds:\n  - id: a\n",
        ["aggregator.yaml:1:1: feeds: there is no such group of settings; did you mean “sources”?"],
    ),
    "a setting outside its group": (
        "contact: me@example.org\nsources: []\n",
        [
            "aggregator.yaml:1:1: contact: there is no such group of settings; "
            "“contact” belongs in “service:”"
        ],
    ),
    "tabs": (
        "service:\n\tname: x\n",
        [
            "aggregator.yaml:2:1: a tab stands here; "
            "YAML is indented with spaces only: replace the tabs"
        ],
    ),
    "a colon in a title": (
        "sources:\n  - id: a\n    title: BBC: World\n",
        [
            "aggregator.yaml:3:15: a “:” stands where no setting can begin; "
            "put quotes around a value that contains “: ”, or check the indentation"
        ],
    ),
    "an unquoted cron line": (
        "sources:\n  - id: a\n    url: https://example.org/feed\n    poll: {cron: */5 * * * *}\n",
        [
            "aggregator.yaml:4:19: “*” and “&” begin an alias or an anchor; "
            "put quotes around a value that begins with “*” or “&”"
        ],
    ),
    "indentation that does not fit": (
        "sources:\n  - id: a\n    url: https://example.org/feed\n   title: x\n",
        [
            "aggregator.yaml:4:4: the indentation does not fit what stands above; "
            "begin the settings of one group in the same column"
        ],
    ),
    "a quotation mark left open": (
        'service:\n  name: "news\n  listen: 8080\n',
        ["aggregator.yaml:2:9: a quotation mark is not closed"],
    ),
    "a value that begins with @": (
        "service:\n  name: @news\n",
        ["aggregator.yaml:2:9: no value can begin with “@”; put quotes around the value"],
    ),
    "one key twice": (
        "sources:\n  - id: a\n    url: https://example.org/1\n    url: https://example.org/2\n",
        [
            "aggregator.yaml:4:5: sources[0].url: “url” stands twice in one place, "
            "first in aggregator.yaml:3:5"
        ],
    ),
    "one id twice": (
        "sources:\n  - {id: a, url: 'https://example.org/1'}\n"
        "  - {id: a, url: 'https://example.org/2'}\n",
        [
            "aggregator.yaml:3:10: sources[1].id: the id “a” is taken already, "
            "at aggregator.yaml:2:10; give each its own id"
        ],
    ),
    "one address twice": (
        "sources:\n  - {id: a, url: 'http://www.example.org/feed/'}\n"
        "  - {id: b, url: 'https://example.org/feed?utm_source=x'}\n",
        [
            "aggregator.yaml:3:18: sources[1].url: the source “a” at aggregator.yaml:2:18 has the "
            "same address: one poll serves all views; "
            "remove one of the two, and give the other both tags"
        ],
    ),
    "an address without scheme": (
        "sources:\n  - {id: a, url: example.org/feed}\n",
        [
            "aggregator.yaml:2:18: sources[0].url: an address begins with “https://” or “http://”, "
            "not “example.org/feed”; write “https://example.org/feed”"
        ],
    ),
    "a source without an address": (
        "sources:\n  - id: a\n    title: A\n",
        ["aggregator.yaml:2:5: sources[0]: “url” is missing"],
    ),
    "a title for an id": (
        "sources:\n  - {id: BBC World, url: 'https://example.org/1'}\n",
        [
            "aggregator.yaml:2:10: sources[0].id: an id is made of a-z, 0-9, “-” and “_” and has "
            "at most 63 characters, not “BBC World”; write “bbc-world”"
        ],
    ),
    "a duration like a time of day": (
        "polling:\n  interval: 12:30\n",
        [
            "aggregator.yaml:2:13: polling.interval: expected a duration such as “30m”, “1h30m” or "
            "“2 days”, not “12:30”; write “12h30m” or “12m30s”"
        ],
    ),
    "a number in words": (
        "polling:\n  concurrency: many\n",
        [
            "aggregator.yaml:2:16: polling.concurrency: expected a whole number from 1 to 1000, "
            "not “many”"
        ],
    ),
    "a zone in short": (
        "defaults:\n  timezone: berlin\n",
        [
            "aggregator.yaml:2:13: defaults.timezone: expected a time zone such as "
            "“Europe/Berlin”, not “berlin”; did you mean “Europe/Berlin”?"
        ],
    ),
    "a cron line with a field too few": (
        "sources:\n  - id: a\n    url: https://example.org/f\n    poll: {cron: '5 * * *'}\n",
        [
            "aggregator.yaml:4:11: sources[0].poll: a cron line has five fields "
            "(minute, hour, day, month, day of week), not 4"
        ],
    ),
    "a cron line that never comes due": (
        "sources:\n  - id: a\n    url: https://example.org/f\n    poll: {cron: 0 0 31 2 *}\n",
        [
            "aggregator.yaml:4:11: sources[0].poll: is no cron line: "
            "cron line '0 0 31 2 *' never comes due"
        ],
    ),
    "a threshold that is no share": (
        "dedup:\n  copies: {containment: 58, contaiment: 1}\n",
        [
            "aggregator.yaml:2:25: dedup.copies.containment: expected a number from 0 to 1, "
            "not “58”",
            "aggregator.yaml:2:29: dedup.copies.contaiment: there is no such setting here; "
            "did you mean “containment”?",
        ],
    ),
    "sources by name instead of as a list": (
        "sources:\n  bbc: https://example.org/feed\n",
        [
            "aggregator.yaml:2:3: sources: expected a list, not a group of settings; "
            "begin every one of the sources with “- id: …”"
        ],
    ),
    "a list at the top": (
        "- id: a\n  url: https://example.org/feed\n",
        [
            "aggregator.yaml:1:1: the file must hold settings such as “sources:”, not a list; "
            "put “sources:” above the list"
        ],
    ),
    "a view of a source that is not there": (
        "sources:\n  - {id: bbc-world, url: 'https://example.org/1'}\n"
        "views:\n  - id: all\n    sources: [bbc-wrld]\n",
        [
            "aggregator.yaml:5:15: views[0].sources[0]: there is no source “bbc-wrld”; "
            "did you mean “bbc-world”?"
        ],
    ),
    "a variable that is not set": (
        "service:\n  token: ${AGREGATOR_TOKEN}\n",
        [
            "aggregator.yaml:2:10: service.token: the environment variable “AGREGATOR_TOKEN” is "
            "not set; “${AGREGATOR_TOKEN:-…}” gives a default"
        ],
    ),
    "a view with too few items": (
        "views:\n  - {id: all, limit: 20}\n",
        [
            "aggregator.yaml:2:22: views[0].limit: expected a whole number from 100 to 2000, "
            "not “20”"
        ],
    ),
    "a proxy past the address guard": (
        "fetching:\n  proxy: http://proxy.example:3128\n  ca_bundle: no.pem\n",
        [
            "aggregator.yaml:2:10: fetching.proxy: a proxy dials in our place, where we cannot "
            "refuse private addresses; say “proxy_trusted: yes” if the proxy refuses them",
            "aggregator.yaml:3:14: fetching.ca_bundle: there is no file “no.pem”",
        ],
    ),
    "two documents": (
        "sources: []\n---\nviews: []\n",
        [
            "aggregator.yaml:2:1: a second document (“---”) begins here; "
            "keep one document a file; “include:” joins several files"
        ],
    ),
    "nothing": (
        "# only a comment\n",
        ["aggregator.yaml: the file is empty; “aggregator init” writes one to start from"],
    ),
    "a foreign tag": (
        "service:\n  name: !!python/name:os.system x\n",
        [
            "aggregator.yaml:2:9: service.name: the YAML tag “!!python/name:os.system” is not "
            "supported"
        ],
    ),
    "an alias within itself": (
        "x-a: &a [*a]\n",
        ["aggregator.yaml:1:6: an alias (“*”) contains itself"],
    ),
    "a control character": (
        "service:\n  name: a\x07b\n",
        ["aggregator.yaml:2:10: a control character stands here; remove it"],
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_explained(name: str, mistakes: Mistakes) -> None:
    text, expected = BROKEN[name]
    assert mistakes(text) == expected


def test_all_mistakes_come_at_once_and_in_the_order_of_the_file(mistakes: Mistakes) -> None:
    said = mistakes(
        """\
        service:
          nme: x
        sources:
          - id: a
            url: example.org/feed
            enabled: maybe
          - id: a
            tags: [x, [y], null]
          - just text
        views:
          - id: all
            sources: [b]
            limit: 10
        """
    )
    assert [line.split(":")[1:3] for line in said] == [
        ["2", "3"], ["5", "10"], ["6", "14"], ["7", "5"], ["7", "9"],
        ["8", "15"], ["8", "20"], ["9", "5"], ["12", "15"], ["13", "12"],
    ]  # fmt: skip


def test_a_file_that_is_not_there_or_a_folder_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.yaml: there is no such file; “aggregator init”"):
        load_settings(tmp_path / "no.yaml", environ={})
    with pytest.raises(ConfigError, match="is a folder, not a file"):
        load_settings(tmp_path, environ={})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("service: {name: é}".encode("latin-1"),
         "aggregator.yaml:1:17: is not UTF-8 here; save the file as UTF-8"),
        ("service:\n  name: ä\n".encode("utf-16"),
         "aggregator.yaml:1:1: is UTF-16; save the file as UTF-8"),
    ],
)  # fmt: skip
def test_another_encoding_is_said_so(data: bytes, said: str, mistakes: Mistakes) -> None:
    assert mistakes(data) == [said]


def test_a_hundred_thousand_brackets_are_refused_and_nothing_crashes(mistakes: Mistakes) -> None:
    assert mistakes("a: " + "[" * 100_000) == [
        "aggregator.yaml:1:42: nested more than 40 levels deep"
    ]
    assert "nested more than 40 levels deep" in mistakes("- " * 100_000)[0]


def test_aliases_of_aliases_do_not_multiply(mistakes: Mistakes) -> None:
    laughs = "x-0: &a0 [ha, ha]\n" + "".join(
        f"x-{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    assert mistakes(laughs)[0].endswith("aliases (“*”) multiply to too many values")
    chain = "x-0: &a0 [ha]\n" + "".join(f"x-{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 2000))
    assert mistakes(chain)[0].endswith("nested more than 40 levels deep")


def test_a_file_of_unreasonable_size_is_refused(mistakes: Mistakes) -> None:
    assert mistakes(b"# " + b"x" * (16 * 1024 * 1024)) == ["aggregator.yaml: larger than 16 MiB"]


def test_problems_are_data_for_scripts(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("service:\n  nme: x\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environ={})
    assert [problem.as_dict() for problem in caught.value.problems] == [
        {
            "file": str(path),
            "line": 2,
            "column": 3,
            "path": "service.nme",
            "message": "there is no such setting here",
            "suggestion": "did you mean “name”?",
        }
    ]


def test_websub_needs_an_address_that_hubs_can_reach(mistakes: Mistakes) -> None:
    said = mistakes("service: {websub: yes, base_url: 'http://news.example'}\nsources: []\n")
    assert len(said) == 1
    assert "which must be a public https address" in said[0]
