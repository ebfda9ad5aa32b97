"""Writing a configuration and reading it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from aggregator.config.load import load_settings
from aggregator.config.problems import ConfigError
from aggregator.model.settings import Settings

Load = Callable[..., Settings]
Mistakes = Callable[..., list[str]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a configuration given as text; other files stand beside it by name."""

    def load_text(
        text: str | bytes,
        environ: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> Settings:
        for name, content in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(content), encoding="utf-8")
        main = tmp_path / "aggregator.yaml"
        if isinstance(text, bytes):
            main.write_bytes(text)
        else:
            main.write_text(dedent(text), encoding="utf-8")
        return load_settings(main, environ=environ or {})

    return load_text


@pytest.fixture
def mistakes(load: Load, tmp_path: Path) -> Mistakes:
    """The lines a person reads about a broken configuration, without the folder's name."""

    def lines(
        text: str | bytes,
        environ: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            load(text, environ, files)
        return str(caught.value).replace(f"{tmp_path}/", "").split("\n")

    return lines
