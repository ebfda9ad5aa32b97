"""Sample news on loopback and a service that reads it: `make demo`."""
