"""Makes a machine a station: what is written where, as text, and the thin writer."""
