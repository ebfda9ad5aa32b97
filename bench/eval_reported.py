"""Our reading of inputs made after public bug reports of other readers, against the right values.

    python -m bench.eval_reported [DIR]

DIR holds `cases.jsonl` and the `inputs` it names; without it the environment variable
AGGREGATOR_EVAL_DATA is asked, then `../shared/data` beside the repository (`reported/feeds` in it).
The data is no part of the project; without it the program says so and ends.

A case is `{"id", "kind", "command", "pick", "expect", "why"}`. Its command is run in this process;
addresses of `http://127.0.0.1:18765/` are the files in `inputs`, and `conf.yaml` lets them be
fetched. `pick` is a Python expression over what was printed: `E` are the entries of `parse`, `S`
the sources of `import`, `D` the findings of `discover`. A command that is Python (`python -c`)
reads its document into `p`. Printed is each case as right or wrong; the exit code says whether any
was wrong.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import shlex
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from aggregator.cli.app import build
from aggregator.feeds.parse import parse_document

_DEFAULT = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
_PORT = 18765
_CONFIGURATION = "fetching:\n  allow_networks: [127.0.0.0/8]\n"
_READ_FILE = re.compile(r"open\(['\"]([^'\"]+)['\"]")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[None]:
    """The files of `folder` on loopback."""
    handler = functools.partial(_Quiet, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", _PORT), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def values_of(command: str, configuration: Path) -> dict[str, Any]:
    """What a case's command prints, under the names that its pick uses."""
    program, *arguments = shlex.split(command)
    if program != "aggregator":
        read = _READ_FILE.search(command)
        document = Path(read.group(1)).read_bytes() if read else b""
        return {"p": parse_document(document)}
    arguments = [str(configuration) if a == "conf.yaml" else a for a in arguments]
    printed = CliRunner().invoke(build(), arguments).stdout.strip()
    found = json.loads(printed.splitlines()[0]) if printed else {}
    if isinstance(found, list):
        return {"D": found}
    return {"E": found.get("entries", []), "S": found.get("sources", []), "F": found.get("feed")}


def result_of(case: dict[str, Any], configuration: Path) -> Any:
    """What the case's pick says of what its command prints, or what went wrong."""
    try:
        names = values_of(case["command"], configuration)
        picked = eval(case["pick"], names)
    except Exception as error:  # noqa: BLE001 - whatever happens is the result to show
        return repr(error)
    return list(picked) if isinstance(picked, tuple) else picked


def main() -> int:
    """Run all cases; 1 when one is wrong, 0 also where there are none."""
    data = Path(os.environ.get("AGGREGATOR_EVAL_DATA", _DEFAULT))
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else data / "reported" / "feeds"
    if not (folder / "cases.jsonl").exists():
        print(f"no cases.jsonl in {folder}", file=sys.stderr)
        return 0
    cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text("utf-8").splitlines()]
    wrong = 0
    os.chdir(folder)
    with tempfile.TemporaryDirectory() as made, serving(folder / "inputs"):
        configuration = Path(made) / "conf.yaml"
        configuration.write_text(_CONFIGURATION)
        for case in cases:
            found = result_of(case, configuration)
            right = found == case["expect"]
            wrong += not right
            print(f"{'right' if right else 'WRONG'} {case['kind']} {case['id']}")
            if not right:
                print(
                    f"      {found!r:.300}\n      expected {case['expect']!r:.300}: {case['why']}"
                )
    print(f"\n{len(cases) - wrong} of {len(cases)} right, {wrong} wrong")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
