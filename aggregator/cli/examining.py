"""`aggregator doctor`: what may be wrong with this installation, and what to do."""

from __future__ import annotations

from typing import Annotated

import typer

from aggregator.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from aggregator.cli.output import OK, SOME_FAILED, escape, print_json, stdout, told


def doctor(
    offline: Annotated[
        bool, typer.Option("--offline", help="Look up no name of a source's host.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Look at the installation from outside, and say what is wrong and what to do.

    Configuration, permissions, database, disk, clock, network, guard, the running service, sources
    that wait, leases. Nothing is changed. Exit code 1 when something is wrong.
    """
    import asyncio
    from dataclasses import asdict

    from aggregator.config.load import load_settings
    from aggregator.pipeline.upkeep.examine import Around, examine
    from aggregator.telemetry.clock import SystemClock

    with told():
        settings = load_settings(config)
        service = settings.service

        async def serving() -> bool:
            return await _answers(service.listen_host or "127.0.0.1", service.listen_port)

        around = Around(SystemClock().now(), serving)
        found = asyncio.run(examine(settings, around, online=not offline))
    for finding in found:
        if json:
            print_json(asdict(finding))
            continue
        mark = "[green]fine [/]" if finding.fine else "[red]wrong[/]"
        stdout.print(f"{mark} {finding.about}: {escape(finding.said)}")
        if finding.remedy:
            stdout.print(f"      → {escape(finding.remedy)}")
    raise typer.Exit(OK if all(finding.fine for finding in found) else SOME_FAILED)


async def _answers(host: str, port: int) -> bool:
    """Whether somebody answers there as our service does."""
    import asyncio

    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - asked, not bound
    try:
        async with asyncio.timeout(3):
            reader, writer = await asyncio.open_connection(local, port)
            writer.write(
                b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            answer = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return answer.startswith(b"HTTP/1.1 200")
