"""Sample news on loopback and a service that reads it: `make demo`."""

import aggregator  # noqa: F401 - it says so where Python is too old
