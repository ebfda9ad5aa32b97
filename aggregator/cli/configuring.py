"""`aggregator init`, `import`, `export` and `schema`: configurations in and out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import escape, fail, print_json, stderr

if TYPE_CHECKING:
    from aggregator.model.settings import Settings


def init(
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write a configuration to start from, and beside it the schema for editors."""
    from aggregator.config.schema import schema_text
    from aggregator.config.starter import SCHEMA_NAME, starter_text

    files = {config: starter_text(), config.with_name(SCHEMA_NAME): schema_text()}
    there = [str(path) for path in files if path.exists()]
    if there and not force:
        fail(f"{' and '.join(there)}: there already; --force overwrites")
    try:
        config.parent.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")
    if json:
        print_json({"written": [str(path) for path in files]})
    else:
        stderr.print(
            f"Wrote {escape(str(config))}. Next: [bold]aggregator check[/]", soft_wrap=True
        )


def import_opml(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An OPML file; - reads it from a pipe.")
    ],
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FILE", help="Write a new file instead of printing."),
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Turn another reader's subscriptions (OPML) into sources in YAML.

    Folders become tags. Feeds that the configuration has already are left out, and no id of it is
    used again. Add the new file to the configuration with `include:`.
    """
    from aggregator.config.opml_in import OpmlError, imported_yaml, read_opml
    from aggregator.publish.opml import source_url

    settings = _settings(config) if config.exists() else None
    known = settings.sources if settings else ()
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        read = read_opml(data, {one.id for one in known}, [source_url(one) for one in known])
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    except OpmlError as error:
        fail(f"{file}: {error}")
    for note in read.notes:
        stderr.print(f"[yellow]note:[/] {escape(note)}", soft_wrap=True)
    if into is not None:
        _write_new(into, imported_yaml(read))
        stderr.print(
            f"Wrote {len(read.sources)} sources to {escape(str(into))}; "
            "name it under [bold]include:[/] in the configuration",
            soft_wrap=True,
        )
    if json:
        print_json(
            {
                "sources": [
                    {"id": one.id, "url": one.url, "title": one.title, "tags": list(one.tags)}
                    for one in read.sources
                ],
                "notes": list(read.notes),
            }
        )
    elif into is None:
        sys.stdout.write(imported_yaml(read))


def export(
    with_secrets: Annotated[
        bool,
        typer.Option("--with-secrets", help="Also addresses that hold a secret, and passwords."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write a file, readable by you alone."),
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write the sources as OPML for another reader.

    Sources whose address holds a secret are left out, unless --with-secrets asks for them.
    """
    from aggregator.publish.opml import render_opml, source_url

    settings = _settings(config)
    shown = [one for one in settings.sources if with_secrets or one.shown_url is not None]
    if len(shown) < len(settings.sources):
        left = len(settings.sources) - len(shown)
        stderr.print(f"[yellow]note:[/] {left} left out: the address holds a secret")
    if json:
        print_json(
            {
                "sources": [
                    {
                        "id": one.id,
                        "url": source_url(one) if with_secrets else one.shown_url,
                        "title": one.title,
                        "tags": list(one.tags),
                    }
                    for one in shown
                ]
            }
        )
        if output is None:
            return
    document = render_opml(shown, settings.service.name, with_secrets=with_secrets)
    if output is None:
        sys.stdout.buffer.write(document)
        return
    try:
        output.touch(mode=0o600)
        output.write_bytes(document)
    except OSError as error:
        fail(f"{output}: {error.strerror}")


def schema() -> None:
    """Print the JSON Schema of the configuration, by which editors complete and check it."""
    from aggregator.config.schema import schema_text

    sys.stdout.write(schema_text())


def _settings(config: Path) -> Settings:
    from aggregator.config.load import ConfigError, load_settings

    try:
        return load_settings(config)
    except ConfigError as error:
        fail(str(error))


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        fail(f"{path}: there already; choose another name")
    except OSError as error:
        fail(f"{path}: {error.strerror}")
