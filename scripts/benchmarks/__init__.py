"""How fast the station is; `scripts/bench` runs it, docs/speed.md explains it."""
