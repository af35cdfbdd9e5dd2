"""The durable, append-only record of jobs: the only place that knows the database."""
