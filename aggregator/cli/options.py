"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        envvar="AGGREGATOR_CONFIG",
        help="The configuration file.",
        show_default=True,
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON for scripts: one object, or one a line.")
]
DEFAULT_CONFIG = Path("config/aggregator.yaml")
