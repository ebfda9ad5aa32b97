"""One configuration in several files."""

from __future__ import annotations

from pathlib import Path

from tests.config.conftest import Load, Mistakes

A = "sources: [{id: a, url: 'https://example.org/a'}]\n"
B = "sources: [{id: b, url: 'https://example.org/b'}]\nviews: [{id: v}]\n"


def test_a_pattern_includes_files_in_the_order_of_their_names(load: Load, tmp_path: Path) -> None:
    settings = load(
        "include: sources.d/*.yaml\nsources: [{id: first, url: 'https://example.org/1'}]\n",
        files={"sources.d/20.yaml": A, "sources.d/10.yaml": B, "sources.d/30.txt": "nothing"},
    )
    assert [source.id for source in settings.sources] == ["first", "b", "a"]
    assert [view.id for view in settings.views] == ["v"]
    assert settings.files == tuple(
        str(tmp_path / name)
        for name in ("aggregator.yaml", "sources.d", "sources.d/10.yaml", "sources.d/20.yaml")
    )
    assert settings.sources[1].place == f"{tmp_path}/sources.d/10.yaml:1"


def test_included_files_are_relative_to_the_file_that_names_them(load: Load) -> None:
    settings = load(
        "include: [conf/desk.yaml, extra.yaml]\n",
        files={
            "conf/desk.yaml": "include: more/a.yaml\nservice: {token: '${file:token}'}\n",
            "conf/more/a.yaml": A,
            "conf/token": "0123456789abcdef",
            "extra.yaml": B,
        },
    )
    assert [source.id for source in settings.sources] == ["a", "b"]
    assert settings.service.token is not None
    assert settings.service.token.reveal() == "0123456789abcdef"


def test_defaults_hold_for_the_sources_of_every_file(load: Load) -> None:
    settings = load("include: a.yaml\ndefaults: {tags: [x]}\n", files={"a.yaml": A})
    assert settings.sources[0].tags == ("x",)


def test_a_file_that_is_reached_twice_counts_once(load: Load) -> None:
    settings = load(
        "include: [b.yaml, a.yaml]\n", files={"a.yaml": A, "b.yaml": "include: a.yaml\n"}
    )
    assert len(settings.sources) == 1


def test_a_circle_of_files_is_refused(mistakes: Mistakes) -> None:
    assert mistakes("include: a.yaml\n", files={"a.yaml": "include: aggregator.yaml\n"}) == [
        "a.yaml:1:10: include: files include each other in a circle: "
        "aggregator.yaml includes a.yaml includes aggregator.yaml"
    ]


def test_a_named_file_that_is_missing_is_a_mistake(mistakes: Mistakes) -> None:
    assert mistakes("include: [no.yaml]\n") == [
        "aggregator.yaml:1:11: include[0]: “no.yaml”: there is no such file"
    ]


def test_a_pattern_without_files_is_a_warning(load: Load, tmp_path: Path) -> None:
    (tmp_path / "sources.d").mkdir()
    settings = load("include: sources.d/*.yaml\n" + A)
    assert any("no file matches “sources.d/*.yaml”" in line for line in settings.warnings)
    assert str(tmp_path / "sources.d") in settings.files


def test_mistakes_name_the_file_they_are_in(mistakes: Mistakes) -> None:
    said = mistakes(
        "include: [a.yaml, b.yaml]\nservice: {name: x}\n",
        files={
            "a.yaml": A + "service: {name: y}\n",
            "b.yaml": "sources:\n  - {id: a, url: 'https://example.org/a', pool: 1h}\n",
        },
    )
    assert said == [
        "a.yaml:2:1: service: “service” stands in another file already, at aggregator.yaml:2:1; "
        "keep each group in one file",
        "b.yaml:2:10: sources[0].id: the id “a” is taken already, at a.yaml:1:16; "
        "give each its own id",
        "b.yaml:2:18: sources[0].url: the source “a” at a.yaml:1:24 has the same address: one poll "
        "serves all views; remove one of the two, and give the other both tags",
        "b.yaml:2:43: sources[0].pool: there is no such setting here; did you mean “poll”?",
    ]
