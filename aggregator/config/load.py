"""`load_settings`: from a YAML file to `Settings`, or to everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic_core import PydanticCustomError

from aggregator.config import build, checks, models
from aggregator.config.checks import Placed
from aggregator.config.document import ListAt, MappingAt
from aggregator.config.files import read_files
from aggregator.config.problems import ConfigError, Place, Problem, did_you_mean
from aggregator.config.renamed import take_new_names
from aggregator.config.validate import TOP_LEVEL, belongs, group_model, locate, validate
from aggregator.config.values.addresses import read_base_url, read_database_url, read_listen
from aggregator.config.values.credentials import read_secret
from aggregator.config.values.kinds import shown
from aggregator.config.variables import Confidential
from aggregator.model.settings import (
    FetchingSettings,
    FollowSettings,
    Settings,
    SourceSettings,
    ViewSettings,
)

__all__ = ["ConfigError", "load_settings"]

_GROUPS = ("service", "storage", "polling", "fetching", "dedup", "defaults")


def load_settings(path: Path, *, environ: Mapping[str, str] | None = None) -> Settings:
    """Read a configuration file and everything it includes.

    Args:
        path: the YAML file.
        environ: where `${NAME}` and the `AGGREGATOR_…` overrides are looked up; the environment
            of the process when None.

    Returns:
        The settings with every default filled in. `files` lists what to watch: every file read,
        and the folders in which a file that a pattern of `include:` names may appear.
        `warnings` are lines for people.

    Raises:
        ConfigError: with every mistake that was found; no message shows a secret.
    """
    environ = os.environ if environ is None else environ
    read = read_files(path, environ)
    work = _Work([], list(read.warnings))
    for tree in read.trees:
        work.take(tree)
    settings = work.settings(path, environ)
    work.check(settings, Place(str(path)), environ)
    if read.problems or work.problems:
        # A variable that is not set leaves nothing behind: what is wrong with that says no more.
        unread = {problem.place for problem in read.problems}
        rest = [problem for problem in work.problems if problem.place not in unread]
        raise ConfigError([*read.problems, *rest], work.warnings)
    return replace(
        settings,
        files=tuple(dict.fromkeys(read.watch)),
        warnings=tuple(str(warning) for warning in sorted(work.warnings)),
    )


@dataclass
class _Work:
    """What has been understood so far, and what is wrong with the rest."""

    problems: list[Problem]
    warnings: list[Problem]
    groups: dict[str, models.Group] = field(default_factory=dict)
    groups_at: dict[str, Place] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)  # groups that could not be understood
    group_trees: dict[str, Any] = field(default_factory=dict)
    sources: list[tuple[models.Source, MappingAt, str]] = field(default_factory=list)
    views: list[tuple[models.View, MappingAt, str]] = field(default_factory=list)
    source_trees: list[tuple[MappingAt, str]] = field(default_factory=list)
    view_trees: list[tuple[MappingAt, str]] = field(default_factory=list)
    placed_sources: list[Placed[SourceSettings]] = field(default_factory=list)
    placed_views: list[Placed[ViewSettings]] = field(default_factory=list)

    def take(self, tree: MappingAt) -> None:
        """Check one file's groups, sources and views by themselves."""
        for name in tree:
            if name not in TOP_LEVEL and not name.startswith("x-"):
                hint = did_you_mean(name, TOP_LEVEL) or belongs(name)
                self.problems.append(
                    Problem(
                        tree.keys_at[name],
                        name,
                        "there is no such group of settings",
                        hint or f"there are {', '.join(TOP_LEVEL)}",
                    )
                )
        for name in _GROUPS:
            self._group(tree, name)
        for one, path in self._entries(tree, "sources"):
            self.source_trees.append((one, path))
            source, problems = validate(models.Source, one, one.place, path)
            self.problems += problems
            if source is not None:
                self.sources.append((source, one, path))
        for one, path in self._entries(tree, "views"):
            self.view_trees.append((one, path))
            view, problems = validate(models.View, one, one.place, path)
            self.problems += problems
            if view is not None:
                self.views.append((view, one, path))

    def _group(self, tree: MappingAt, name: str) -> None:
        given = tree.get(name)
        if given is None:
            return
        place = tree.keys_at[name]
        if name in self.groups_at:
            said = f"“{name}” stands in another file already, at {self.groups_at[name]}"
            self.problems.append(Problem(place, name, said, "keep each group in one file"))
            return
        self.groups_at[name] = place
        self.warnings += take_new_names(name, given)
        self.group_trees[name] = given
        group, problems = validate(group_model(name), given, tree.values_at[name], name)
        self.problems += problems
        if group is not None:
            self.groups[name] = group
        else:
            self.broken.add(name)

    def _entries(self, tree: MappingAt, name: str) -> Iterator[tuple[MappingAt, str]]:
        """The entries of `sources:` or `views:` of one file that are groups of settings."""
        given = tree.get(name)
        if given is None:
            return
        if not isinstance(given, ListAt):
            self.problems.append(
                Problem(
                    tree.values_at[name],
                    name,
                    f"expected a list, not {shown(given)}",
                    f"begin every one of the {name} with “- id: …”",
                )
            )
            return
        for index, one in enumerate(given):
            if isinstance(one, MappingAt):
                yield one, f"{name}[{index}]"
                continue
            said = f"expected a group of settings with “id”, not {shown(one)}"
            place, path = locate(tree, (name, index), tree.place, "")
            self.problems.append(Problem(place, path, said))

    def settings(self, path: Path, environ: Mapping[str, str]) -> Settings:
        """The settings as far as they are right."""
        defaults: Any = self.groups.get("defaults")
        follow = build.follow(defaults.follow_related if defaults else None, FollowSettings())
        for source, tree, at in self.sources:
            if source.auth is not None and build.split_userinfo(source.url)[1] is not None:
                place, where = locate(tree, ("url",), tree.place, at)
                said = "the user stands both in the address and in “auth”"
                self.problems.append(Problem(place, where, said, "remove it from the address"))
            made = build.source(source, defaults, follow, tree.place)
            self.placed_sources.append(Placed(made, tree, at))
        self.placed_views = [Placed(build.view(view), tree, at) for view, tree, at in self.views]
        groups: Any = self.groups
        settings = Settings(
            service=build.service(groups.get("service")),
            storage=build.storage(groups.get("storage")),
            polling=build.polling(groups.get("polling")),
            fetching=build.fetching(groups.get("fetching"), path.parent),
            dedup=build.dedup(groups.get("dedup")),
            sources=tuple(one.made for one in self.placed_sources),
            views=tuple(one.made for one in self.placed_views),
        )
        self._check_fetching(settings.fetching)
        if not self.view_trees:
            settings = replace(settings, views=(ViewSettings("all", "All sources"),))
        return self._overridden(settings, environ)

    def _check_fetching(self, fetching: FetchingSettings) -> None:
        bundle = Path(fetching.ca_bundle) if fetching.ca_bundle is not None else None
        if bundle is not None and not (bundle.is_file() or bundle.is_dir()):
            said = f"there is no file “{fetching.ca_bundle}”"
            self.problems.append(Problem(*self._in_group("fetching", "ca_bundle"), said))
        if fetching.proxy is not None and not fetching.proxy_trusted:
            self.problems.append(
                Problem(
                    *self._in_group("fetching", "proxy"),
                    "a proxy dials in our place, where we cannot refuse private addresses",
                    "say “proxy_trusted: yes” if the proxy refuses them",
                )
            )

    def _in_group(self, group: str, setting: str) -> tuple[Place, str]:
        """The place and path of a setting that is there."""
        tree = self.group_trees[group]
        return locate(tree, (setting,), self.groups_at[group], group)

    def _overridden(self, settings: Settings, environ: Mapping[str, str]) -> Settings:
        """What a container says by environment variables goes before the file."""
        service, storage = settings.service, settings.storage
        listen = self._override(environ, "AGGREGATOR_LISTEN", read_listen)
        if listen is not None:
            service = replace(service, listen_host=listen[0], listen_port=listen[1])
        base_url = self._override(environ, "AGGREGATOR_BASE_URL", read_base_url)
        if base_url is not None:
            service = replace(service, base_url=base_url)
        token = self._override(environ, "AGGREGATOR_TOKEN", read_secret)
        if token is not None:
            service = replace(service, token=token)
        url = self._override(environ, "AGGREGATOR_STORAGE_URL", read_database_url)
        if url is not None:
            storage = replace(storage, url=url)
        return replace(settings, service=service, storage=storage)

    def _override(self, environ: Mapping[str, str], name: str, reader: Callable[[Any], Any]) -> Any:
        """The value of one override; None when it is not set or empty, or wrong."""
        text = environ.get(name, "")
        if not text.strip():
            return None
        try:
            return reader(Confidential(text, (text,)))
        except PydanticCustomError as error:
            hint = (error.context or {}).get("suggestion")
            self.problems.append(Problem(Place("environment"), name, error.message(), hint))
            return None

    def check(self, settings: Settings, place: Place, environ: Mapping[str, str]) -> None:
        """Everything that takes more than one entry to see."""
        self.problems += checks.same_ids(self.source_trees)
        self.problems += checks.same_ids(self.view_trees)
        self.problems += checks.same_urls(self.source_trees)
        ids = [tree["id"] for tree, _ in self.source_trees if isinstance(tree.get("id"), str)]
        self.problems += checks.unknown_sources(self.view_trees, ids)
        self.problems += checks.unreachable_callback(settings.service, place)
        self.problems += checks.reserved_names(self.placed_views)
        views = [(view, *_place_of(view, self.placed_views, place)) for view in settings.views]
        broken = len(self.source_trees) > len(self.placed_sources) or "defaults" in self.broken
        if not broken:  # a tag may stand in what could not be understood
            self.warnings += checks.unknown_tags(self.placed_views, settings.sources)
            self.warnings += checks.unknown_in_queries(self.placed_views, settings.sources)
        if "service" not in self.broken:  # it may have a token
            self.warnings += checks.hidden_sources(views, settings.sources, settings.service)
        self.warnings += checks.doubts(settings, self.placed_sources, place, self.broken)
        if "fetching" not in self.broken:
            self.warnings += checks.unused_proxy(settings.fetching, environ)
        if not self.source_trees and not self.problems:
            said = "there are none: nothing will be polled"
            self.warnings.append(Problem(place, "sources", said))


def _place_of(
    view: ViewSettings, placed: list[Placed[ViewSettings]], otherwise: Place
) -> tuple[Place, str]:
    for one in placed:
        if one.made is view:
            return one.tree.place, one.path
    return otherwise, "views"
