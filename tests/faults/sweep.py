"""How thorough the sweeps are: a spread of cases as a rule, every one of them in the long form."""

import os

# Set by scripts/fault-sweep.
SEEDS = int(os.environ.get("STATION_SWEEP_SEEDS", "0"))


def every(step: int) -> int:
    """The step of a sweep: so large as a rule, 1 in the long form."""
    return 1 if SEEDS else step


def seeds(count: int) -> range:
    """The seeds of a random sweep: so many as a rule, in the long form what was asked for."""
    return range(max(SEEDS, count))
