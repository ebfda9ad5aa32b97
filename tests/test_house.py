"""What is documented is what is there: options, settings, metrics, targets, links.

Also that the files around the program agree with each other: container, compose, requirements.
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from aggregator.cli.app import build
from aggregator.config.models import Document
from aggregator.telemetry import metrics
from tests import parts

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"


def _tracked(*patterns: str) -> list[Path]:
    """Files of the repository; everything that is not ignored where git is missing."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode != 0:
        if parts.required():
            pytest.fail("this is no git checkout, which the rules of the house need", pytrace=False)
        pytest.skip("this is no git checkout")
    return [ROOT / n for n in listed.stdout.decode().split("\0") if n and (ROOT / n).is_file()]


def test_no_room_has_more_than_twenty_modules() -> None:
    """Migrations apart, of which there is one more with each change of the tables."""
    rooms: dict[Path, list[str]] = {}
    for path in _tracked("aggregator/**/*.py"):
        if path.name != "__init__.py" and "migrations" not in path.parts:
            rooms.setdefault(path.parent, []).append(path.name)
    assert rooms
    assert {room: len(names) for room, names in rooms.items() if len(names) > 20} == {}


def _commands() -> Iterator[tuple[str, Any]]:
    group = typer.main.get_command(build())
    yield "", group
    yield from group.commands.items()  # type: ignore[attr-defined]


def _section(command: str) -> str:
    """What the reference says about a command: its section, one it names, what holds for all."""
    text = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    shared, *sections = re.split(r"^## `aggregator ", text, flags=re.M)
    own = [section for section in sections if re.match(rf"{re.escape(command)}[ `]", section)]
    assert not command or len(own) == 1, f"docs/reference/cli.md has no section for {command!r}"
    text = "".join(own)
    same = re.search(r"Options as for\s+`([a-z-]+)`", text)
    return shared + text + (_section(same[1]) if same else "")


@pytest.mark.parametrize("name", [name for name, _ in _commands()])
def test_every_option_of_every_command_is_documented(name: str) -> None:
    command = dict(_commands())[name]
    section = _section(name)
    for parameter in command.params:
        for option in parameter.opts:
            if option.startswith("-"):
                assert f"`{option}" in section, f"{name} {option}"


def test_no_command_is_documented_that_does_not_exist() -> None:
    text = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^## `aggregator ([a-z-]+)", text, flags=re.M))
    assert documented == {name for name, _ in _commands() if name}


def _settings(model: Any = Document) -> Iterator[str]:
    """The names of all settings, groups included, wherever they may stand."""
    for name, field in model.model_fields.items():
        yield name
        for inner in _models(field.annotation):
            yield from _settings(inner)


def _models(annotation: Any) -> Iterator[Any]:
    if hasattr(annotation, "model_fields"):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _models(part)


def test_every_setting_is_documented() -> None:
    text = (REFERENCE / "configuration.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_.]+)", text))
    names = {part for name in named for part in name.split(".")}
    assert set(_settings()) - names == set()


def test_every_metric_is_documented_and_no_other() -> None:
    text = (REFERENCE / "metrics.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `(aggregator_[a-z_]+)`", text, flags=re.M))
    exist = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in metrics.REGISTRY.collect()
    }
    assert documented == exist


@pytest.mark.parametrize("variable", ["CONFIG", "LISTEN", "STORAGE_URL", "LOG_FORMAT"])
def test_every_environment_variable_is_documented(variable: str) -> None:
    assert f"`AGGREGATOR_{variable}`" in (REFERENCE / "cli.md").read_text(encoding="utf-8")


def test_every_relative_link_in_the_documents_leads_somewhere() -> None:
    broken = []
    for page in _tracked("*.md"):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, fragment = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or (fragment and fragment not in _anchors(file)):
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert broken == []


def _anchors(page: Path) -> set[str]:
    """The fragments of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_of_the_documentation_is_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        if page.is_dir():
            waiting += page.glob("*.md")
            continue
        for target in re.findall(r"\]\(([^)\s#]+)", page.read_text(encoding="utf-8")):
            file = (page.parent / target).resolve()
            if file.exists() and (file.is_dir() or file.suffix == ".md"):
                waiting.append(file)
    assert {page for page in _tracked("docs/*.md") if page not in seen} == set()


def test_the_readme_begins_with_the_two_commands() -> None:
    first, second = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:2]
    assert first.strip().startswith("make run ")
    assert second.strip().startswith("make test ")


def test_the_tests_run_on_a_given_python_in_an_environment_of_its_own() -> None:
    def planned(*words: str) -> str:
        run = ["make", "--dry-run", "test", *words]
        clean = {name: value for name, value in os.environ.items() if name != "MAKEFLAGS"}
        return subprocess.run(
            run, cwd=ROOT, env=clean, capture_output=True, text=True, check=True
        ).stdout

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f".venv-{version}/bin/python -m pytest" in planned(f"PYTHON={sys.executable}")
    assert ".venv/bin/python -m pytest" in planned()


def test_make_help_lists_every_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", text, flags=re.M))
    phony = set(re.findall(r"^\.PHONY: (.*)$", text, flags=re.M)[0].split())
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert targets == phony
    assert set(re.findall(r"^  make ([a-z-]+)", listed, flags=re.M)) == targets


def test_every_target_that_a_document_names_exists() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", text, flags=re.M))
    for page in [*_tracked("*.md"), ROOT / ".ci" / "run"]:
        named = re.findall(
            r"(?:^|`|    )make ([a-z][a-z-]*)\b(?![^`\n]*/)", page.read_text(), flags=re.M
        )
        assert set(named) <= targets, page


@pytest.mark.parametrize("name", ["run.txt", "cluster.txt", "dev.txt"])
def test_requirements_are_locked_by_hash_and_name_no_index(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    for requirement in text.replace("\\\n", " ").splitlines():
        assert "==" in requirement, requirement
        assert "--hash=sha256:" in requirement, requirement


def test_the_development_lock_includes_the_one_that_runs() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        return set(re.findall(r"^([A-Za-z0-9._-]+==\S+)", text, flags=re.M))

    assert pins("run.txt") <= pins("dev.txt")
    assert pins("cluster.txt") <= pins("dev.txt")


def test_the_compose_file_runs_the_image_without_privileges() -> None:
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    profiles = {}
    for name, service in document["services"].items():
        assert service["deploy"]["resources"]["limits"]["memory"], name
        if name != "db":
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
            assert service["security_opt"] == ["no-new-privileges:true"]
            assert service["stop_grace_period"] == "20s"
        if "build" in service:
            assert "./config:/config:ro" in service["volumes"]
            (profiles[name],) = service["profiles"]
    assert profiles == {
        "aggregator": "sqlite",
        "aggregator-postgres": "postgres",
        "schedule": "cluster",
        "worker": "cluster",
        "serve": "cluster",
    }
    default = (ROOT / ".env").read_text(encoding="utf-8")
    assert "COMPOSE_PROFILES=sqlite" in default.splitlines()


def test_what_containers_run_are_commands_that_exist_with_these_options() -> None:
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "how-to" / "kubernetes.md").read_text(encoding="utf-8")
    manifests = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])["items"]
    commands = [one["command"] for one in document["services"].values() if "command" in one]
    for deployment in (one for one in manifests if one["kind"] == "Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        confined = container["securityContext"]
        assert confined["readOnlyRootFilesystem"] is True
        assert confined["capabilities"] == {"drop": ["ALL"]}
        assert {"livenessProbe", "readinessProbe", "startupProbe"} <= set(container)
        commands.append(container["args"])
    known = {name: {o for p in c.params for o in p.opts} for name, c in _commands()}
    assert len(commands) == 6
    for command, *words in commands:
        assert {word for word in words if word.startswith("--")} <= known[command]


def test_the_image_holds_what_its_build_copies() -> None:
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, flags=re.M):
        for source in line.split()[:-1]:
            assert f"!{source}" in allowed, source
            assert (ROOT / source).exists(), source


def test_settings_and_their_documents_have_the_same_groups() -> None:
    from aggregator.model.settings import Settings

    groups = {field.name for field in dataclasses.fields(Settings)} - {"files", "warnings"}
    assert groups <= set(Document.model_fields)


def test_no_file_names_the_machine_it_was_written_on() -> None:
    places = re.compile(rb"(?<![\w.~-])/(?:root|home/[a-z]+|work)/")
    found = [
        path.relative_to(ROOT).as_posix()
        for path in _tracked()
        if path != Path(__file__) and places.search(path.read_bytes())
    ]
    assert found == []


def test_no_document_installs_what_bears_our_bare_name() -> None:
    install = re.compile(r"\b(?:install|uvx|pipx run|pip download)\b(?P<words>[^\n`#;&|]*)")
    bare = re.compile(r"(?:^|[\s\"'])aggregator(?:\[[^\]]*\])?(?:[=<>~!@][^\s]*)?(?=$|[\s\"'])")
    tools = re.compile(r"\b(?:pip3?|pipx|uv|uvx|poetry)\b")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in [*_tracked("*.md"), ROOT / "Dockerfile", ROOT / "Makefile"]
        for line in path.read_text(encoding="utf-8").splitlines()
        for command in install.finditer(line)
        if tools.search(line) and bare.search(command["words"])
    ]
    assert found == []


def test_the_man_page_names_every_command() -> None:
    text = (ROOT / "packaging" / "aggregator.1").read_text(encoding="utf-8")
    names = {line[3:].replace("\\-", "-") for line in text.splitlines() if line.startswith(".B ")}
    assert {name for name, _ in _commands() if name} <= names
