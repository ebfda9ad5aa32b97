"""A self-hosted news-feed aggregator."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - a checkout is run by whatever Python there is
    raise SystemExit(
        "aggregator: Python 3.11 or newer is needed, this is " + sys.version.split()[0]
    )

# httpx has a command line of its own and imports it, with click, rich and pygments,
# where it can. None says that it cannot.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]

__version__ = "0.2.0"
