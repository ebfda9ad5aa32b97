"""`aggregator backup`, `restore`, `migrate-store`: a store copied; `upgrade-store`: its tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import fail, print_json, stderr, stdout, told

if TYPE_CHECKING:
    from aggregator.store.database import Database

_Progress = Callable[[str, int], None]


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; must not be there yet.")],
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write everything that is stored to one file, while the service goes on.

    The file holds one moment, is compared with the store before it takes its name, and restores to
    SQLite and to PostgreSQL. The configuration is not in it.
    """
    from aggregator.pipeline.upkeep import transfer

    with told(), _opened(_storage(config)) as database:
        with _bar("backing up", transfer.sizes(database), quiet=json) as progress:
            found = transfer.back_up(database, file, progress)
        _report(f"backed up to {file}", found, json=json)


def restore(
    file: Annotated[Path, typer.Argument(help="A file that “aggregator backup” wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in the place of the store that is there.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Bring back what a backup holds to the store of the configuration.

    Stop the service first. Readers find the same items under the same ids as when the backup was
    made; what was polled since is polled again where publishers still list it.
    """
    from aggregator.pipeline.upkeep import transfer

    with told():
        storage = _storage(config)
        with _bar("restoring", {}, quiet=json) as progress:
            found = transfer.restore(file, storage, progress, replace=replace)
        _report(f"restored from {file}", found, json=json)


def migrate_store(
    to: Annotated[
        str | None, typer.Option("--to", help="The new store: sqlite:///… or postgresql://…")
    ] = None,
    reopen: Annotated[
        bool, typer.Option("--reopen", help="Use a store again that was moved away.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Copy the store of the configuration to another database, while the service goes on.

    At the end polling waits for the last pass, and the old store is marked: nothing is polled into
    it any more. Then let “storage.url” name the new one and restart. Ids, times and documents stay
    as they are, so that readers notice nothing. A cut-off move goes on when it is started again.
    """
    from aggregator.pipeline.upkeep import transfer
    from aggregator.store.database import Database

    with told(), _opened(_storage(config)) as database:
        if reopen:
            if not transfer.reopen(database):
                fail(f"{database.shown_url} was not moved")
            stdout.print(f"{database.shown_url} is in use again; restart the service")
            return
        if to is None:
            fail("say where to: --to postgresql://user:password@host/database")
        target = Database(to)
        try:
            with _bar("moving", transfer.sizes(database), quiet=json) as progress:
                found = transfer.move(database, target, progress)
        finally:
            target.close()
        _report(f"moved to {target.shown_url}: set storage.url to it and restart", found, json=json)


def upgrade_store(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Make the tables of the store, or bring them to this version.

    For PostgreSQL where those who poll and serve have no right to do so. The tables of the queue
    are made too, where it is installed.
    """
    import importlib.util

    with told(), _opened(_storage(config)) as database:
        if not database.is_sqlite and importlib.util.find_spec("procrastinate") is not None:
            from aggregator.work import queue

            with database.write() as connection:
                queue.prepare(connection)
        stdout.print(f"{database.shown_url} has this version's tables")


def _storage(config: Path) -> str:
    from aggregator.config.load import load_settings

    return load_settings(config).storage.url.reveal()


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    from aggregator.store.database import Database
    from aggregator.store.migrate import migrate

    database = Database(url)
    try:
        migrate(database)
        yield database
    finally:
        database.close()


@contextmanager
def _bar(doing: str, sizes: dict[str, int], *, quiet: bool) -> Iterator[_Progress]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn(doing),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[of]}"),
    )
    with Progress(*columns, console=stderr.console, transient=True, disable=quiet) as progress:
        bar = progress.add_task(doing, total=sum(sizes.values()) or None, of="")
        yield lambda table, rows: progress.update(bar, advance=rows, of=table)


def _report(said: str, found: dict[str, int], *, json: bool) -> None:
    if json:
        print_json({"done": said, "rows": found})
        return
    stdout.print(f"{said} ({found['item']} items, {sum(found.values())} rows, all compared)")
