"""Headlines and first words that several tests of stories tell: one event, and what is none."""

from __future__ import annotations

STAGE = [
    (
        "Rocket stage bursts on its stand",
        "An upper stage built by Skyforge blew up while it was being fuelled in Nevada.",
    ),
    (
        "Blast shakes town",
        "Glass broke in Port Lorne as a Skyforge upper stage burst at a helium valve.",
    ),
    (
        "Regulator grounds Skyforge",
        "Skyforge may not fly until it has explained why a stage blew up on the stand in Nevada. "
        "It blames a helium valve.",
    ),
]
OTHERS = [
    ("Orchard growers fear late frost", "Growers in the southern valleys cover apple blossom."),
    ("Chess champion retires at forty", "The grandmaster wants to teach children in villages."),
    ("Museum buys painting of a bridge", "The canvas had hung unseen in a private kitchen."),
    ("New tram line opens on Sunday", "Passengers ride free of charge until the summer."),
    ("Scientists count whales from space", "Satellites see the animals better than ships do."),
]
