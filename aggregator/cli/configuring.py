"""`aggregator init`, `import`, `export`, `schema` and `open`: configurations and their effects."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import escape, fail, print_json, stderr, stdout, told

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
    used again. Add the new file to the configuration with “include:”. A damaged list is read as far
    as can be; what is left out is named with its line.
    """
    from aggregator.config.lists.opml_in import MAX_BYTES, OpmlError, imported_yaml, read_opml
    from aggregator.publish.opml import source_url

    settings = _settings(config) if config.exists() else None
    known = settings.sources if settings else ()
    try:
        data = _at_most(file, MAX_BYTES + 1)
        read = read_opml(data, {one.id for one in known}, [source_url(one) for one in known])
    except OSError as error:
        fail(f"{file}: {error.strerror}")
    except OpmlError as error:
        fail(f"{file}: {error}")
    for note in read.notes:
        stderr.print(f"[yellow]note:[/] {escape(note)}", soft_wrap=True)
    stderr.print(f"{read.summary()}.", soft_wrap=True)
    if read.has_secrets and (json or into is None):
        _refuse_open_output("the list holds passwords; --into FILE writes a file for you alone")
    if into is not None:
        _write_new(into, imported_yaml(read))
        stderr.print(
            f"Wrote {len(read.sources)} sources to {escape(str(into))}, readable by you alone; "
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
                "read": len(read.sources),
                "left_out": read.left_out,
                "repeated": read.repeated,
                "configured": read.configured,
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
    if with_secrets and (json or output is None):
        _refuse_open_output(
            "the sources may hold passwords; --output FILE writes a file for you alone"
        )
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
    from aggregator.config.lists.private_file import write_private

    try:
        write_private(output, document, replace=True)
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
    """Write a file that is not there yet; addresses in it may hold passwords."""
    from aggregator.config.lists.private_file import write_private

    try:
        write_private(path, text.encode(), replace=False)
    except FileExistsError:
        fail(f"{path}: there already; choose another name")
    except OSError as error:
        fail(f"{path}: {error.strerror}")


def _at_most(file: Path, most: int) -> bytes:
    """The first bytes of a file or pipe; `-` is standard input."""
    if str(file) == "-":
        return sys.stdin.buffer.read(most)
    with file.open("rb") as opened:
        return opened.read(most)


def _refuse_open_output(why: str) -> None:
    """End where standard output is a file that others may read (`> FILE`)."""
    from aggregator.config.lists.private_file import others_may_read

    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # no file at all
        return
    if others_may_read(descriptor):
        fail(f"others may read the file that standard output goes to: {why}")


def open_source(
    source: Annotated[str, typer.Argument(help="The id of a source that is public now.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Show everybody what a source brought while it was private."""
    import asyncio

    from aggregator.config.load import load_settings

    with told():
        settings = load_settings(config)
        found = next((one for one in settings.sources if one.id == source), None)
        if found is None:
            fail(f"there is no source {source!r}")
        if found.private:
            fail(f"the source {source!r} is private: set “private: no” first")
        opened = asyncio.run(_open(settings, source))
        stdout.print(f"{opened} items are public now")


async def _open(settings: Settings, source: str) -> int:
    from aggregator.opening import open_parts
    from aggregator.pipeline.upkeep.opening import open_items

    async with open_parts(settings) as parts:
        return await open_items(parts, source)
