"""`aggregator report`: one file about a source, to be handed to whoever looks into a mistake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption
from aggregator.cli.output import escape, fail, stdout, told

if TYPE_CHECKING:
    from aggregator.model.settings import Settings, SourceSettings


def report(
    source: Annotated[str, typer.Argument(help="The id of a source.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file; else aggregator-report-SOURCE.zip."),
    ] = None,
    include_private: Annotated[
        bool, typer.Option("--include-private", help="Put in what a private source brought.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write what explains a mistake with a source to one file, secrets taken out.

    Versions, its configuration and state, its last polls, entries and decisions, and the last
    document where storage.keep_raw kept one. Only you may read the file; look at it before you
    hand it on.
    """
    import asyncio

    from aggregator.cli.polling import chosen
    from aggregator.config.lists.private_file import write_private
    from aggregator.config.load import load_settings

    with told():
        settings = load_settings(config)
        (wanted,) = chosen(settings, [source])
        file = output or Path(f"aggregator-report-{wanted.id}.zip")
        made = asyncio.run(_report(settings, wanted, include_private=include_private))
    try:
        write_private(file, _zipped(made), replace=False)
    except FileExistsError:
        fail(f"{file} is there already: name another file with -o, or remove it")
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}")
    stdout.print(f"wrote {escape(str(file))}: read it before you hand it on")


async def _report(
    settings: Settings, source: SourceSettings, *, include_private: bool
) -> dict[str, bytes]:
    from aggregator.opening import open_parts
    from aggregator.pipeline.showing.report import report as parts_of

    async with open_parts(settings) as parts:
        return await parts_of(parts, source, include_private=include_private)


def _zipped(made: dict[str, bytes]) -> bytes:
    from io import BytesIO
    from zipfile import ZIP_DEFLATED, ZipFile

    written = BytesIO()
    with ZipFile(written, "w", ZIP_DEFLATED) as archive:
        for name, data in made.items():
            archive.writestr(name, data)
    return written.getvalue()
